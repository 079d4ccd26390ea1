"""Channel accounts in the admin: the same rules, and no secret on any page."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from apps.accounts.models import AuditEvent, User
from apps.channels import accounts
from apps.channels.admin.channel_account import ChannelAccountAdmin
from apps.channels.admin.forms import form_for
from apps.channels.errors import AccountRejected
from apps.channels.liveness import breaker_key
from apps.channels.models import ChannelAccount
from apps.channels.outbound import Verified
from apps.core import clock
from apps.core.breaker import Breaker
from apps.core.redis import redis_client
from tests.cast import CREDENTIALS, PASSWORD, House, add_channel_account

pytestmark = pytest.mark.django_db
LIST = "/admin/delivery_channels/channelaccount/"
SECRETS = [CREDENTIALS["whatsapp_cloud"][name] for name in ("access_token", "app_secret")]
POLICY = {
    "rate_per_second": "80", "burst": "80", "recipient_rate_per_second": "", "recipient_burst": "",
    "daily_quota": "", "ordering": "strict", "on_unknown": "retry", "unknown_wait": "60",
    "reply_window": "enforced",
    "retry_attempts": "5", "retry_base_ms": "2000", "breaker_failures": "3", "breaker_seconds": "45",
}  # fmt: skip
FORM = {
    "name": "Balcão",
    **POLICY,
    **{f"credential_{name}": value for name, value in CREDENTIALS["whatsapp_cloud"].items()},
}


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return add_channel_account(aurora)


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(account: ChannelAccount, page: str = "change/") -> str:
    return f"{LIST}{account.pk}/{page}"


def text(answer: Any) -> str:
    content: str = answer.content.decode()
    return content


def test_connector_is_chosen_first(aurora: House) -> None:
    client = browser(aurora.owner.user)
    page = text(client.get(LIST + "add/"))
    assert "?connector=whatsapp_cloud" in page
    assert "?connector=instagram" in page
    assert "?connector=instagram" in text(client.get(LIST + "add/?connector=pigeon"))
    form = text(client.get(LIST + "add/?connector=instagram"))
    assert "credential_instagram_id" in form
    assert "credential_phone_number_id" not in form
    assert 'value="300' in form


def test_account_is_added(aurora: House) -> None:
    client = browser(aurora.owner.user)
    answer = client.post(LIST + "add/?connector=whatsapp_cloud", FORM)
    assert answer.status_code == 302, text(answer)
    account = ChannelAccount.objects.for_organization(aurora.organization).get()
    assert account.credential_values == CREDENTIALS["whatsapp_cloud"]
    assert account.recipient_limit is None
    trail = AuditEvent.objects.for_organization(aurora.organization)
    assert trail.get().action == "channel_account.added"


def test_superuser_adds_an_account_for_an_organization(aurora: House) -> None:
    client = browser(User.objects.create_superuser("root@recado.example", PASSWORD))
    answer = client.post(
        LIST + "add/?connector=whatsapp_cloud", {**FORM, "organization": str(aurora.organization.pk)}
    )
    assert answer.status_code == 302, text(answer)
    assert ChannelAccount.objects.for_organization(aurora.organization).exists()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"credential_access_token": ""}, "required"),
        ({"credential_phone_number_id": "../me"}, "letters, digits"),
        ({"recipient_burst": "5"}, "both the rate and the burst"),
        ({"rate_per_second": "0.000001"}, "31 days"),
        ({"burst": "0"}, "greater than or equal to 1"),
        ({"name": "Taken"}, "has this name"),
    ],
)
def test_mistake_is_said_at_its_field_and_nothing_is_lost(
    aurora: House, changes: dict[str, str], complaint: str
) -> None:
    add_channel_account(aurora, name="Taken")
    answer = browser(aurora.owner.user).post(LIST + "add/?connector=whatsapp_cloud", FORM | changes)
    assert answer.status_code == 200
    assert complaint in text(answer)
    assert not any(secret in text(answer) for secret in SECRETS)
    assert ChannelAccount.across_organizations.count() == 1


def test_secret_that_is_left_empty_stays(aurora: House, account: ChannelAccount) -> None:
    client = browser(aurora.owner.user)
    form = {**POLICY, "name": "Balcão", "burst": "9", "credential_phone_number_id": "42",
            "credential_access_token": "", "credential_app_secret": "a-new-secret"}  # fmt: skip
    answer = client.post(page_of(account), form)
    assert answer.status_code == 302, text(answer)
    account.refresh_from_db()
    expected = {"phone_number_id": "42", "app_secret": "a-new-secret"}
    assert account.credential_values == CREDENTIALS["whatsapp_cloud"] | expected
    assert (account.name, account.burst, account.version) == ("Balcão", 9, 2)


def test_secret_is_on_no_page(aurora: House, account: ChannelAccount) -> None:
    for member in (aurora.owner, aurora.viewer):
        client = browser(member.user)
        for url in (
            LIST,
            page_of(account),
            page_of(account, "pause/"),
            reverse("admin:accounts_auditevent_changelist"),
        ):
            page = text(client.get(url))
            assert not any(secret in page for secret in SECRETS)
            assert "gAAAA" not in page
    assert CREDENTIALS["whatsapp_cloud"]["phone_number_id"] in text(
        browser(aurora.viewer.user).get(page_of(account))
    )


def test_viewer_reads_and_changes_nothing(aurora: House, account: ChannelAccount) -> None:
    client = browser(aurora.viewer.user)
    page = client.get(page_of(account))
    assert page.status_code == 200
    assert "credential_access_token" not in text(page)
    assert client.post(page_of(account), FORM).status_code == 403
    assert client.get(LIST + "add/").status_code == 403
    assert client.get(LIST + "add/?connector=whatsapp_cloud").status_code == 403
    for action in ("pause", "resume", "verify"):
        assert client.post(page_of(account, f"{action}/"), {"reason": "x"}).status_code == 403


def test_nobody_deletes_an_account(aurora: House, account: ChannelAccount) -> None:
    assert browser(aurora.owner.user).post(page_of(account, "delete/"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("page", ["change/", "delete/", "history/", "pause/", "resume/", "verify/"])
def test_other_organizations_account_does_not_exist(aurora: House, boreal: House, page: str) -> None:
    theirs = add_channel_account(boreal)
    client = browser(aurora.owner.user)
    for method in (client.get, client.post):
        answer = method(page_of(theirs, page), {"reason": "x"}, follow=True)
        assert "boreal" not in text(answer).lower()
    theirs.refresh_from_db()
    assert theirs.version == 1


def test_account_is_paused_with_a_reason_and_goes_on(aurora: House, account: ChannelAccount) -> None:
    client = browser(aurora.owner.user)
    assert "This field is required" in text(client.post(page_of(account, "pause/"), {"reason": ""}))
    past = client.post(page_of(account, "pause/"), {"reason": "x", "until": "2020-01-01T00:00"})
    assert "in the past" in text(past)
    client.post(page_of(account, "pause/"), {"reason": "Férias", "until": "2999-01-01T00:00"})
    account.refresh_from_db()
    assert account.is_paused(clock.now())
    for url in (LIST, page_of(account)):
        page = text(client.get(url))
        assert "Férias" in page
        assert "2999" in page
    assert client.get(page_of(account, "resume/")).status_code == 200
    account.refresh_from_db()
    assert account.is_paused(clock.now())
    client.post(page_of(account, "resume/"))
    account.refresh_from_db()
    assert not account.is_paused(clock.now())
    assert "Férias" not in text(client.get(LIST))


def test_answer_of_the_provider_is_said(
    aurora: House, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [Verified(), Verified(AccountRejected("190", "<b>expired</b>"))]
    monkeypatch.setattr("apps.channels.admin.account_actions.verify", lambda _account: answers.pop(0))
    client = browser(aurora.owner.user)
    assert "Nothing is sent" in text(client.get(page_of(account, "verify/")))
    assert "takes the credentials" in text(client.post(page_of(account, "verify/"), follow=True))
    refused = text(client.post(page_of(account, "verify/"), follow=True))
    assert "does not pass: account_rejected 190" in refused
    assert "<b>expired" not in refused


def test_page_tells_whether_the_provider_is_failing(aurora: House, account: ChannelAccount) -> None:
    client = browser(aurora.owner.user)
    assert "closed: messages leave" in text(client.get(page_of(account)))
    for _ in range(account.breaker_failures):
        Breaker(redis_client()).failed(breaker_key(account), account.breaker_policy)
    assert re.search(r"tried again in \d+ s", text(client.get(page_of(account))))


def test_page_opens_without_redis(aurora: House, account: ChannelAccount, settings: Settings) -> None:
    client = browser(aurora.owner.user)
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert "Redis does not answer" in text(client.get(page_of(account)))


def test_change_that_somebody_made_meanwhile_is_kept(aurora: House, account: ChannelAccount) -> None:
    """A form sends every field; only what this person changed counts."""
    data = {**FORM, "organization": str(aurora.organization.pk), "burst": "9"}
    form = form_for(account.connector, is_new=False, acting_organization=None)(data, instance=account)
    assert form.is_valid(), form.errors
    accounts.change(aurora.principal("admin"), account, daily_quota=500)
    model_admin = admin.site.get_model_admin(ChannelAccount)
    assert isinstance(model_admin, ChannelAccountAdmin)
    model_admin.save_for(aurora.principal(), account, form, change=True)
    account.refresh_from_db()
    assert (account.burst, account.daily_quota) == (9, 500)


def test_menu_offers_channel_accounts(aurora: House) -> None:
    assert LIST in text(browser(aurora.viewer.user).get("/admin/"))
