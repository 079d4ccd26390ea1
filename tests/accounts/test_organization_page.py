"""The page of an organization: how it stands, what it used, who is in it; and what superusers do with it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from apps.accounts import api_keys, organizations
from apps.accounts.models import AuditEvent, Organization, User
from apps.accounts.principal import Principal, actor_of
from apps.core import clock
from apps.operations.models import Span, Traffic
from apps.operations.traffic import latency
from tests.callbacks.office import add_delivery, add_endpoint
from tests.cast import PASSWORD, House, open_house
from tests.messaging import history

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/organization/"


@pytest.fixture(autouse=True)
def _no_second_factor(settings: Settings) -> None:
    settings.ADMIN_REQUIRES_MFA = False


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root@recado.example", PASSWORD)


def page(house: House, action: str = "change/") -> str:
    return f"{LIST}{house.organization.pk}/{action}"


def shown(client: Client, house: House) -> str:
    answer = client.get(page(house))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def use(house: House, accepted: int) -> None:
    Traffic.across_organizations.create(
        organization=house.organization, account=history.account_of(house), span=Span.DAY,
        starts_at=clock.now(), accepted=accepted, latency=latency.empty(),
    )  # fmt: skip


def furnish(house: House) -> None:
    api_keys.issue(Principal.of_system(house.organization), name="Loja", scopes=["members:read"])
    gone, _text = api_keys.issue(Principal.of_system(house.organization), name="Velha", scopes=["members:read"])
    api_keys.revoke(house.principal(), gone)
    endpoint = add_endpoint(house, f"https://app.example.com/{house.organization.slug}")
    for state in ("delivered", "failed"):
        add_delivery(house, endpoint, state=state)
    use(house, 1250)


def test_page_tells_it_all(aurora: House, boreal: House, root: User) -> None:
    furnish(aurora)
    furnish(boreal)
    organizations.set_quota(actor_of(root), aurora.organization, 5000)
    for client in (browser(root), browser(aurora.owner.user)):
        text = shown(client, aurora)
        for words in ("1,250", "of 5,000 messages", "25 % are used, 3,750 messages are left", "Loja", "never used",
                      "https://app.example.com/aurora", 'data-state="delivered"', 'data-state="failed"',
                      "for ever", "role__exact=owner"):  # fmt: skip
            assert words in text
        assert "Velha" not in text
        assert "app.example.com/boreal" not in text
    assert f"organization__id__exact={aurora.organization.pk}" in shown(browser(root), aurora)


def test_members_see_their_own_and_as_much_as_they_may(aurora: House, boreal: House) -> None:
    furnish(aurora)
    text = shown(browser(aurora.viewer.user), aurora)
    assert "Use in" in text
    assert "Loja" not in text
    assert "app.example.com" not in text
    assert browser(aurora.owner.user).get(page(boreal), follow=True).request["PATH_INFO"] == "/admin/"


def test_superuser_suspends_with_a_reason_and_lifts(aurora: House, root: User) -> None:
    client = browser(root)
    assert "Lift the suspension" not in shown(client, aurora)
    assert "Reason" in client.get(page(aurora, "suspend/")).content.decode()
    client.post(page(aurora, "suspend/"), {"reason": ""})
    assert Organization.objects.get(pk=aurora.organization.pk).suspended_at is None
    client.post(page(aurora, "suspend/"), {"reason": "the bill of March is not paid"})
    for each in (client, browser(aurora.viewer.user)):
        assert "the bill of March is not paid" in shown(each, aurora)
    assert AuditEvent.objects.for_organization(aurora.organization).get(
        action="organization.suspended"
    ).actor_id == root.pk  # fmt: skip
    answer = client.post(page(aurora, "suspend/"), {"reason": "again"}, follow=True)
    assert "suspended already" in answer.content.decode()
    client.post(page(aurora, "lift/"))
    assert Organization.objects.get(pk=aurora.organization.pk).suspended_at is None


@pytest.mark.parametrize("action", ["suspend", "lift"])
def test_nobody_else_does(aurora: House, boreal: House, action: str) -> None:
    for house in (aurora, boreal):
        client = browser(aurora.owner.user)
        assert client.get(page(house, f"{action}/")).status_code in {302, 403, 404}
        client.post(page(house, f"{action}/"), {"reason": "x"})
    assert not Organization.objects.exclude(suspended_at=None).exists()
    assert f"/{action}" not in shown(browser(aurora.owner.user), aurora)


def test_quota_is_set_by_superusers_only(aurora: House, root: User) -> None:
    body = {"name": "Padaria Aurora", "slug": "aurora", "monthly_quota": "10", "message_retention_days": "30"}
    browser(aurora.owner.user).post(page(aurora), body)
    stored = Organization.objects.get(pk=aurora.organization.pk)
    assert (stored.monthly_quota, stored.message_retention_days) == (None, 30)
    browser(root).post(page(aurora), body | {"message_retention_days": ""})
    stored.refresh_from_db()
    assert (stored.monthly_quota, stored.message_retention_days) == (10, None)
    trail = AuditEvent.objects.for_organization(aurora.organization).order_by("id")
    assert list(trail.values_list("action", flat=True))[-3:] == [
        "organization.changed", "organization.quota_changed", "organization.changed"
    ]  # fmt: skip
    answer = browser(root).post(page(aurora), body | {"monthly_quota": "0"})
    assert answer.status_code == 200
    stored.refresh_from_db()
    assert stored.monthly_quota == 10


def test_new_organization_has_its_quota_from_the_start(root: User) -> None:
    client = browser(root)
    assert client.get(LIST + "add/").status_code == 200
    client.post(LIST + "add/", {"name": "Nova", "slug": "nova", "monthly_quota": "7"})
    assert Organization.objects.get(slug="nova").monthly_quota == 7


def test_list_tells_how_each_stands_with_as_many_queries_for_many(
    aurora: House, boreal: House, root: User
) -> None:
    client = browser(root)
    use(aurora, 1250)
    organizations.set_quota(actor_of(root), aurora.organization, 1000)
    Organization.objects.filter(pk=aurora.organization.pk).update(quota_reached_at=clock.now())
    organizations.suspend(actor_of(root), boreal.organization, reason="x")
    client.get(LIST)
    with CaptureQueriesContext(connection) as few:
        text = " ".join(client.get(LIST).content.decode().split())
    for words in ("1,250 of 1,000", "quota used up", "suspended"):
        assert words in text
    for n in range(5):
        use(open_house(f"Casa {n}", f"casa-{n}"), 1)
    with CaptureQueriesContext(connection) as many:
        client.get(LIST)
    assert len(many) == len(few)


def test_quota_of_the_month_before_says_nothing(aurora: House) -> None:
    aurora.organization.quota_reached_at = clock.now() - timedelta(days=32)
    assert not aurora.organization.is_quota_reached
    assert reverse("admin:accounts_organization_changelist") == LIST
