"""The operators' side: who sees what, and that it does what the API does."""

import re
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts import api_keys
from apps.accounts.models import ApiKey, AuditEvent, Membership, Organization, User
from apps.accounts.principal import Principal
from apps.accounts.roles import Role
from tests.cast import PASSWORD, Api, House, add_member

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def superuser(db: None) -> User:
    return User.objects.create_superuser("root@recado.example", PASSWORD)


PAGES = [
    (model._meta.label_lower, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
    for model in admin.site._registry
]
OURS = [(label, url) for label, url in PAGES if label.startswith("accounts.")]


@pytest.mark.parametrize(("label", "url"), PAGES, ids=[label for label, _ in PAGES])
def test_superuser_opens_every_page(aurora: House, superuser: User, label: str, url: str) -> None:
    client = browser(superuser)
    assert client.get(url).status_code == 200
    assert client.get(url + "?q=x").status_code == 200
    add = client.get(url + "add/")
    assert add.status_code in {200, 403}


@pytest.mark.parametrize(("label", "url"), PAGES, ids=[label for label, _ in PAGES])
@pytest.mark.parametrize("role", [role.value for role in Role])
def test_member_sees_nothing_of_other_organizations(
    aurora: House, boreal: House, role: str, label: str, url: str
) -> None:
    api_keys.issue(Principal.of_system(boreal.organization), name="boreal key", scopes=["members:read"])
    answer = browser(getattr(aurora, role).user).get(url)
    assert answer.status_code in {200, 403}
    assert "boreal" not in answer.content.decode().lower()


@pytest.mark.parametrize(
    "page", ["change/", "delete/", "history/", "rotate", "revoke"], ids=lambda page: page.strip("/")
)
def test_other_organizations_thing_does_not_exist(aurora: House, boreal: House, page: str) -> None:
    key, _ = api_keys.issue(Principal.of_system(boreal.organization), name="boreal key", scopes=["members:read"])
    client = browser(aurora.owner.user)
    for thing in (boreal.agent, key):
        base = reverse(f"admin:accounts_{thing._meta.model_name}_changelist")
        for method in (client.get, client.post):
            answer = method(f"{base}{thing.pk}/{page}", follow=True)
            assert "boreal" not in answer.content.decode().lower()
    assert Membership.across_organizations.filter(pk=boreal.agent.pk).exists()
    assert ApiKey.across_organizations.get(pk=key.pk).revoked_at is None


def test_stranger_is_sent_to_the_log_in_page() -> None:
    answer = Client().get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")


def test_person_without_organization_is_refused(db: None) -> None:
    nobody = User.objects.create_user("nobody@recado.example", PASSWORD)
    answer = browser(nobody).get("/admin/", follow=True)
    assert answer.status_code == 403


def test_person_logs_in_by_email_on_the_page(aurora: House) -> None:
    answer = Client().post(
        "/accounts/login/?next=/admin/", {"login": "Owner@Aurora.example", "password": PASSWORD}, follow=True
    )
    assert answer.request["PATH_INFO"] == "/admin/"
    assert "Padaria Aurora" in answer.content.decode()


def test_nobody_signs_themselves_up() -> None:
    body = {"email": "new@recado.example", "password1": PASSWORD}
    Client().post("/accounts/signup/", body)
    assert not User.objects.exists()


def test_second_factor_must_be_set_up_before_anything_else(aurora: House, settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = True
    client = browser(aurora.owner.user)
    answer = client.get(reverse("admin:accounts_membership_changelist"))
    assert answer.status_code == 302
    assert answer["Location"] == reverse("mfa_activate_totp")
    TOTP.activate(aurora.owner.user, "JBSWY3DPEHPK3PXP")
    assert client.get(reverse("admin:accounts_membership_changelist")).status_code == 200


def test_key_is_shown_once(aurora: House) -> None:
    client = browser(aurora.owner.user)
    body = {"name": "Loja", "scopes": ["members:read"], "expires_at_0": "", "expires_at_1": ""}
    answer = client.post(reverse("admin:accounts_apikey_add"), body)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    found = re.search(r"rk_\w{12}_[\w-]{43}", answer.content.decode())
    assert found
    assert Api(f"Api-Key {found[0]}").get("/v1/me").json()["organization"]["slug"] == "aurora"
    key = ApiKey.across_organizations.get()
    for url in (
        reverse("admin:accounts_apikey_changelist"),
        reverse("admin:accounts_apikey_change", args=[key.pk]),
    ):
        assert found[0] not in client.get(url).content.decode()


def test_admin_cannot_make_a_key_that_may_more_than_the_person(aurora: House) -> None:
    client = browser(aurora.agent.user)
    assert client.get(reverse("admin:accounts_apikey_add")).status_code == 403


@pytest.mark.parametrize("action", ["rotate", "revoke"])
def test_key_changes_only_after_confirmation(aurora: House, action: str) -> None:
    key, text = api_keys.issue(Principal.of_system(aurora.organization), name="Loja", scopes=["members:read"])
    client = browser(aurora.owner.user)
    url = reverse(f"admin:accounts_apikey_{action}_key", args=[key.pk])
    assert client.get(url).status_code == 200
    assert api_keys.recognize(text) is not None
    assert ApiKey.across_organizations.count() == 1
    client.post(url)
    assert (api_keys.recognize(text) is None) == (action == "revoke")
    assert ApiKey.across_organizations.count() == (1 if action == "revoke" else 2)


def test_confirmation_cannot_be_forged_by_another_site(aurora: House) -> None:
    key, text = api_keys.issue(Principal.of_system(aurora.organization), name="Loja", scopes=["members:read"])
    client = Client(enforce_csrf_checks=True)
    client.force_login(aurora.owner.user)
    assert client.post(reverse("admin:accounts_apikey_revoke_key", args=[key.pk])).status_code == 403
    assert api_keys.recognize(text) is not None


def test_member_is_added_changed_and_removed(aurora: House) -> None:
    client = browser(aurora.owner.user)
    added = client.post(
        reverse("admin:accounts_membership_add"), {"email": "nova@aurora.example", "name": "Nova", "role": "agent"}
    )
    assert added.status_code == 302
    member = Membership.objects.for_organization(aurora.organization).get(user__email="nova@aurora.example")
    client.post(reverse("admin:accounts_membership_change", args=[member.pk]), {"role": "viewer"})
    member.refresh_from_db()
    assert member.role == Role.VIEWER
    client.post(reverse("admin:accounts_membership_delete", args=[member.pk]), {"post": "yes"})
    assert not Membership.across_organizations.filter(pk=member.pk).exists()
    actions = AuditEvent.objects.for_organization(aurora.organization).values_list("action", flat=True)
    assert {"member.added", "member.role_changed", "member.removed"} <= set(actions)


def test_refusal_is_said_on_the_page(aurora: House) -> None:
    client = browser(aurora.owner.user)
    url = reverse("admin:accounts_membership_delete", args=[aurora.owner.pk])
    answer = client.post(url, {"post": "yes"}, follow=True)
    assert "keeps at least one owner" in answer.content.decode()
    assert Membership.across_organizations.filter(pk=aurora.owner.pk).exists()


def test_bulk_removal_goes_through_the_same_rules(aurora: House) -> None:
    client = browser(aurora.owner.user)
    everybody = Membership.objects.for_organization(aurora.organization).values_list("pk", flat=True)
    body: dict[str, Any] = {"action": "delete_selected", "_selected_action": list(everybody), "post": "yes"}
    answer = client.post(reverse("admin:accounts_membership_changelist"), body, follow=True)
    assert "keeps at least one owner" in answer.content.decode()
    assert Membership.objects.for_organization(aurora.organization).count() == 4


def test_viewer_changes_nothing(aurora: House) -> None:
    client = browser(aurora.viewer.user)
    assert client.get(reverse("admin:accounts_membership_changelist")).status_code == 200
    assert client.get(reverse("admin:accounts_membership_add")).status_code == 403
    url = reverse("admin:accounts_membership_change", args=[aurora.agent.pk])
    assert client.post(url, {"role": "owner"}).status_code == 403


def test_person_of_two_organizations_works_in_one_at_a_time(aurora: House, boreal: House) -> None:
    add_member(boreal.organization, "owner@aurora.example", Role.VIEWER)
    client = browser(aurora.owner.user)
    url = reverse("admin:accounts_membership_changelist")
    client.get(reverse("admin:enter_organization", args=[aurora.organization.pk]))
    assert "agent@boreal.example" not in client.get(url).content.decode()
    client.get(reverse("admin:enter_organization", args=[boreal.organization.pk]))
    assert "agent@boreal.example" in client.get(url).content.decode()
    assert "agent@aurora.example" not in client.get(url).content.decode()
    assert client.get(reverse("admin:accounts_membership_add")).status_code == 403


def test_nobody_enters_an_organization_they_do_not_belong_to(aurora: House, boreal: House) -> None:
    client = browser(aurora.owner.user)
    assert client.get(reverse("admin:enter_organization", args=[boreal.organization.pk])).status_code == 404


def test_another_site_moves_nobody_to_another_organization(aurora: House) -> None:
    client = browser(aurora.owner.user)
    url = reverse("admin:enter_organization", args=[aurora.organization.pk])
    assert client.get(url, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 404


def test_superuser_makes_an_organization_and_its_first_owner(superuser: User) -> None:
    client = browser(superuser)
    client.post(reverse("admin:accounts_organization_add"), {"name": "Nova", "slug": "nova"})
    organization = Organization.objects.get(slug="nova")
    body = {"organization": organization.pk, "email": "dona@nova.example", "name": "Dona", "role": "owner"}
    client.post(reverse("admin:accounts_membership_add"), body)
    assert Membership.objects.for_organization(organization).get().user.email == "dona@nova.example"
    actions = AuditEvent.objects.for_organization(organization).values_list("action", flat=True)
    assert set(actions) == {"organization.created", "member.added"}


def test_superusers_changes_to_people_leave_a_trail(aurora: House, superuser: User) -> None:
    client = browser(superuser)
    user = aurora.agent.user
    url = reverse("admin:accounts_user_change", args=[user.pk])
    client.post(url, {"email": user.email, "name": "Bruno", "language": "pt-br", "is_active": "on"})
    event = AuditEvent.across_organizations.get(action="user.changed")
    assert event.changes == {"name": ["", "Bruno"], "language": ["", "pt-br"]}
    password = reverse("admin:auth_user_password_change", args=[user.pk])
    body = {"password1": "muito-longa-senha", "password2": "muito-longa-senha", "usable_password": "true"}
    client.post(password, body)
    last = AuditEvent.across_organizations.order_by("-id").first()
    assert last
    assert last.changes == {"password": ["[hidden]", "[hidden]"]}


def test_owner_renames_the_organization_and_nothing_else(aurora: House) -> None:
    client = browser(aurora.owner.user)
    url = reverse("admin:accounts_organization_change", args=[aurora.organization.pk])
    client.post(url, {"name": "Padaria Nova", "slug": "stolen"})
    aurora.organization.refresh_from_db()
    assert (aurora.organization.name, aurora.organization.slug) == ("Padaria Nova", "aurora")
    assert client.get(reverse("admin:accounts_organization_add")).status_code == 403
    delete = reverse("admin:accounts_organization_delete", args=[aurora.organization.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403


def test_superuser_removes_organizations_and_people_and_the_trail_says_so(
    aurora: House, boreal: House, superuser: User
) -> None:
    client = browser(superuser)
    client.post(reverse("admin:accounts_organization_delete", args=[boreal.organization.pk]), {"post": "yes"})
    client.post(reverse("admin:accounts_user_delete", args=[boreal.owner.user_id]), {"post": "yes"})
    everybody = {"action": "delete_selected", "_selected_action": [aurora.viewer.user_id], "post": "yes"}
    client.post(reverse("admin:accounts_user_changelist"), everybody)
    assert not Organization.objects.filter(slug="boreal").exists()
    trail = AuditEvent.across_organizations.filter(organization=None).values_list("action", "target_label")
    assert set(trail) == {
        ("organization.deleted", "Livraria Boreal"),
        ("user.deleted", "owner@boreal.example"),
        ("user.deleted", "viewer@aurora.example"),
    }


def test_trail_is_read_and_never_written(aurora: House) -> None:
    client = browser(aurora.owner.user)
    client.post(
        reverse("admin:accounts_organization_change", args=[aurora.organization.pk]), {"name": "Padaria Nova"}
    )
    page = client.get(reverse("admin:accounts_auditevent_changelist")).content.decode()
    assert "Padaria Aurora → Padaria Nova" in page
    event = AuditEvent.objects.for_organization(aurora.organization).get()
    url = reverse("admin:accounts_auditevent_change", args=[event.pk])
    assert client.get(url).status_code == 200
    assert client.post(url, {"action": "nothing.happened"}).status_code == 403
    assert (
        client.post(reverse("admin:accounts_auditevent_delete", args=[event.pk]), {"post": "yes"}).status_code
        == 403
    )


def test_chosen_language_stays_with_the_person(aurora: House) -> None:
    client = browser(aurora.owner.user)
    client.post("/i18n/setlang/", {"language": "pt-br", "next": "/admin/"})
    aurora.owner.user.refresh_from_db()
    assert aurora.owner.user.language == "pt-br"
    elsewhere = browser(aurora.owner.user).get("/admin/", headers={"Accept-Language": "en"})
    assert 'lang="pt-br"' in elsewhere.content.decode()


def test_unknown_language_changes_nothing(aurora: House) -> None:
    client = browser(aurora.owner.user)
    client.post("/i18n/setlang/", {"language": "xx", "next": "/admin/"})
    aurora.owner.user.refresh_from_db()
    assert aurora.owner.user.language == ""


def test_nobody_logs_in_past_the_log_in_page(aurora: House, superuser: User) -> None:
    """Django's own form takes a password without counting attempts or asking for a second factor."""
    client = browser(aurora.viewer.user)
    client.post("/admin/login/", {"username": "root@recado.example", "password": PASSWORD})
    assert client.get(reverse("admin:accounts_user_changelist")).status_code == 403


def test_password_is_changed_on_one_page_only(aurora: House) -> None:
    answer = browser(aurora.owner.user).post("/admin/password_change/", {"old_password": "x"})
    assert answer["Location"] == reverse("account_change_password")


def test_password_change_and_second_factor_leave_a_trail(aurora: House) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "owner@aurora.example", "password": PASSWORD})
    body = {"oldpassword": PASSWORD, "password1": "outra-senha-longa", "password2": "outra-senha-longa"}
    client.post(reverse("account_change_password"), body)
    actions = AuditEvent.across_organizations.filter(target_id=aurora.owner.user_id)
    assert "user.password_changed" in actions.values_list("action", flat=True)


@pytest.mark.parametrize(
    "query",
    ["target_label__regex=(.*)x", "actor_label=%00", "ip=abc", "at__year=99999999999", "action__regex=(", "q=%00",
     "organization__slug__startswith=b", "actor_kind__exact=%00", "p=999999", "o=x.y"],
)  # fmt: skip
def test_address_of_a_list_searches_no_column_that_the_page_does_not_offer(aurora: House, query: str) -> None:
    for model in ("auditevent", "apikey", "membership"):
        answer = browser(aurora.owner.user).get(f"/admin/accounts/{model}/?{query}", follow=True)
        assert answer.status_code in {200, 400}


@pytest.mark.parametrize("path", ["/admin/search/?s=a&page=abc", "/admin/accounts/apikey/abc/rotate"])
def test_address_that_makes_no_sense_is_not_found(aurora: House, path: str) -> None:
    assert browser(aurora.owner.user).get(path, follow=True).status_code == 404


def test_link_in_a_mail_leads_to_this_installation(
    aurora: House, mailoutbox: list[Any], settings: Settings
) -> None:
    settings.PUBLIC_URL = "https://recado.example"
    Client().post(
        "/accounts/password/reset/", {"email": "owner@aurora.example"}, headers={"Host": "localhost:31337"}
    )
    assert "https://recado.example/accounts/password/reset/key/" in mailoutbox[0].body
    assert "31337" not in mailoutbox[0].body


def test_nobody_takes_the_address_of_somebody_else(aurora: House) -> None:
    client = browser(aurora.agent.user)
    for action in ("action_add", "action_primary", "action_send"):
        assert client.post("/accounts/email/", {"email": "victim@corp.example", action: ""}).status_code == 404
    aurora.agent.user.refresh_from_db()
    assert aurora.agent.user.email == "agent@aurora.example"


def test_changed_address_opens_the_account_no_more(aurora: House, superuser: User) -> None:
    user = aurora.agent.user
    Client().post("/accounts/password/reset/", {"email": user.email})
    url = reverse("admin:accounts_user_change", args=[user.pk])
    body = {"email": "new@aurora.example", "name": "", "language": "", "is_active": "on"}
    browser(superuser).post(url, body)
    assert Api().post("/v1/auth/token", {"email": "agent@aurora.example", "password": PASSWORD}).status_code == 401
    assert Api().post("/v1/auth/token", {"email": "new@aurora.example", "password": PASSWORD}).status_code == 201


def test_invited_person_sets_a_password_and_their_second_factor(
    aurora: House, owner: Api, settings: Settings, mailoutbox: list[Any]
) -> None:
    settings.ADMIN_REQUIRES_MFA = True
    owner.post("/v1/members", {"email": "nova@aurora.example", "role": "agent"})
    client = Client()
    client.post("/accounts/password/reset/", {"email": "nova@aurora.example"})
    (mail,) = mailoutbox
    link = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", mail.body)
    assert link
    page = client.get(link[1], follow=True)
    password = "uma-senha-muito-boa"
    client.post(page.request["PATH_INFO"], {"password1": password, "password2": password})
    answer = client.post(
        "/accounts/login/?next=/admin/", {"login": "nova@aurora.example", "password": password}, follow=True
    )
    assert answer.request["PATH_INFO"] == reverse("mfa_activate_totp")
    assert "otpauth" in answer.content.decode() or "svg" in answer.content.decode()


def test_person_who_is_a_member_already_is_named_in_the_form(aurora: House, superuser: User) -> None:
    for client in (browser(aurora.owner.user), browser(superuser)):
        body = {"organization": aurora.organization.pk, "email": "Agent@aurora.example", "role": "agent"}
        answer = client.post(reverse("admin:accounts_membership_add"), body)
        assert answer.status_code == 200
        assert "member already" in answer.content.decode()
        assert "Agent@aurora.example" in answer.content.decode()


def test_new_member_is_a_viewer_unless_somebody_says_otherwise(aurora: House) -> None:
    page = browser(aurora.owner.user).get(reverse("admin:accounts_membership_add")).content.decode()
    assert re.search(r'<option value="viewer"\s+selected', page)


def test_menu_offers_what_the_person_may_open(aurora: House, superuser: User) -> None:
    keys, users = reverse("admin:accounts_apikey_changelist"), reverse("admin:accounts_user_changelist")
    offered = {who: browser(user).get("/admin/").content.decode() for who, user in
               [("root", superuser), ("owner", aurora.owner.user), ("viewer", aurora.viewer.user)]}  # fmt: skip
    assert [who for who, page in offered.items() if keys in page] == ["root", "owner"]
    assert [who for who, page in offered.items() if users in page] == ["root"]
