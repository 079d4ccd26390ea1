"""Webhook endpoints and deliveries over REST."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import AuditEvent
from apps.accounts.roles import Scope
from apps.callbacks import deliveries, endpoints
from apps.callbacks.models import WebhookDelivery, WebhookEndpoint
from apps.core import clock
from apps.core.ids import first_id_of
from apps.core.standard_webhooks import is_secret
from tests.callbacks.office import add_delivery, add_endpoint
from tests.cast import Api, House, as_member, with_key

pytestmark = pytest.mark.django_db
URL = "/v1/webhook-endpoints"
HOOK = "https://app.aurora.example/hooks"


def error_of(answer: Any) -> tuple[int, str, str]:
    (error,) = answer.json()["errors"]
    return answer.status_code, error["pointer"], error["code"]


def test_secret_is_shown_when_it_is_made_and_never_again(owner: Api) -> None:
    answer = owner.post(URL, {"url": HOOK, "event_types": ["message.read", "message.failed", "message.read"]})
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    made = answer.json()
    secret = made.pop("secret")
    assert is_secret(secret)
    assert made == {
        "id": made["id"], "url": HOOK, "description": "", "event_types": ["message.failed", "message.read"],
        "is_enabled": True, "disabled_at": None, "disabled_reason": "", "failing_since": None,
        "previous_secret_until": None, "created_at": made["created_at"],
    }  # fmt: skip
    one = f"{URL}/{made['id']}"
    for shown in (
        owner.get(URL),
        owner.get(one),
        owner.patch(one, {"description": "shop"}),
        owner.post(f"{one}/test"),
    ):
        assert b'secret"' not in shown.content
        assert secret.encode() not in shown.content

    rotated = owner.post(f"{one}/rotate-secret").json()
    assert is_secret(rotated["secret"])
    assert rotated["secret"] != secret
    assert rotated["previous_secret_until"] is not None
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret, previous_secret FROM webhook_endpoint")
        stored = " ".join(cursor.fetchone())
    assert "whsec_" not in stored
    assert secret not in str(list(AuditEvent.across_organizations.values()))


def test_creation_that_is_repeated_makes_one_endpoint(owner: Api) -> None:
    first, second = (owner.post(URL, {"url": HOOK}, Idempotency_Key="k1") for _ in range(2))
    assert first.json() == second.json()
    assert WebhookEndpoint.across_organizations.count() == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://app.example.com/", "https://127.0.0.1/", "https://[::1]/", "https://169.254.169.254/latest",
        "https://10.0.0.7/", "https://me:secret@app.example.com/", "ftp://app.example.com/", "https://0x7f000001/",
    ],
)  # fmt: skip
def test_url_that_could_reach_inside_is_refused(owner: Api, aurora: House, url: str) -> None:
    assert error_of(owner.post(URL, {"url": url})) == (400, "/url", "target_refused")
    endpoint = add_endpoint(aurora)
    assert error_of(owner.patch(f"{URL}/{endpoint.pk}", {"url": url})) == (400, "/url", "target_refused")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/url", "required"),
        ({"url": HOOK, "secret": "whsec_x"}, "/secret", "unknown_field"),
        ({"url": HOOK, "event_types": ["test.ping"]}, "/event_types/0", "invalid_choice"),
        ({"url": HOOK + "x" * 2000}, "/url", "max_length"),
    ],
)
def test_body_that_makes_no_sense_is_refused(owner: Api, body: Any, pointer: str, code: str) -> None:
    assert error_of(owner.post(URL, body)) == (400, pointer, code)


def test_organization_has_a_bounded_number_of_endpoints(
    owner: Api, aurora: House, boreal: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "MOST_OF_ONE_ORGANIZATION", 2)
    add_endpoint(boreal)
    add_endpoint(aurora)
    assert owner.post(URL, {"url": HOOK}).status_code == 201
    answer = owner.post(URL, {"url": HOOK})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_endpoints")


def test_endpoint_is_disabled_and_enabled_and_the_trail_tells(owner: Api, aurora: House) -> None:
    endpoint = add_endpoint(aurora, HOOK)
    one = f"{URL}/{endpoint.pk}"
    disabled = owner.post(f"{one}/disable").json()
    assert (disabled["is_enabled"], disabled["disabled_reason"]) == (False, "manual")
    again = owner.post(f"{one}/disable").json()
    assert again["disabled_at"] == disabled["disabled_at"]
    assert owner.post(f"{one}/test").json()["code"] == "endpoint_disabled"
    assert owner.post(f"{one}/enable").json()["is_enabled"] is True
    assert owner.delete(one).status_code == 204
    assert owner.get(one).status_code == 404
    trail = AuditEvent.objects.for_organization(aurora.organization).filter(target_kind="webhookendpoint")
    assert list(trail.order_by("pk").values_list("action", flat=True)) == [
        "webhook_endpoint.added", "webhook_endpoint.disabled", "webhook_endpoint.enabled",
        "webhook_endpoint.removed",
    ]  # fmt: skip


def test_removed_endpoints_deliveries_are_gone_with_it(owner: Api, aurora: House) -> None:
    delivery = add_delivery(aurora)
    one = f"{URL}/{delivery.endpoint_id}"
    assert owner.get(f"{one}/deliveries/{delivery.pk}").status_code == 200
    owner.delete(one)
    assert owner.get(f"{one}/deliveries/{delivery.pk}").status_code == 404
    assert owner.get(f"{one}/deliveries").status_code == 404


def test_only_owners_and_administrators_see_webhooks(aurora: House) -> None:
    for role, status in (("owner", 200), ("admin", 200), ("agent", 403), ("viewer", 403)):
        assert as_member(getattr(aurora, role)).get(URL).status_code == status
    reader = with_key(aurora.organization, Scope.WEBHOOKS_READ)
    assert reader.get(URL).status_code == 200
    assert reader.post(URL, {"url": HOOK}).status_code == 403


def test_delivery_of_another_endpoint_does_not_exist(owner: Api, aurora: House, boreal: House) -> None:
    own, theirs = add_delivery(aurora), add_delivery(boreal)
    other = add_endpoint(aurora)
    for endpoint_id, delivery_id in (
        (other.pk, own.pk), (own.endpoint_id, theirs.pk), (theirs.endpoint_id, theirs.pk),
        (theirs.endpoint_id, own.pk),
    ):  # fmt: skip
        path = f"{URL}/{endpoint_id}/deliveries/{delivery_id}"
        assert owner.get(path).status_code == 404
        assert owner.post(f"{path}/replay").status_code == 404


def made_at(aurora: House, endpoint: WebhookEndpoint, moment: datetime, **values: Any) -> WebhookDelivery:
    return add_delivery(aurora, endpoint, id=first_id_of(moment), created_at=moment, **values)


def test_deliveries_are_found_by_state_type_and_time(owner: Api, aurora: House) -> None:
    endpoint, now = add_endpoint(aurora), clock.now()
    failed = made_at(aurora, endpoint, now - timedelta(hours=3), state="failed", finished_at=now)
    sent = made_at(aurora, endpoint, now - timedelta(hours=2), state="delivered", type="message.sent")
    waiting = made_at(aurora, endpoint, now - timedelta(hours=1), payload="x" * 20_000, last_response="oh")
    add_delivery(aurora)

    def found(**filters: Any) -> list[str]:
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        answer = owner.get(f"{URL}/{endpoint.pk}/deliveries?{query}")
        assert answer.status_code == 200, answer.content
        return [each["id"] for each in answer.json()["data"]]

    everything = [str(each.pk) for each in (waiting, sent, failed)]
    assert found() == everything
    assert found(state="failed") == [str(failed.pk)]
    assert found(type="message.sent") == [str(sent.pk)]
    two_hours_ago = (now - timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    assert found(created_after=two_hours_ago) == everything[:2]
    assert found(created_before=two_hours_ago) == everything[2:]
    assert error_of(owner.get(f"{URL}/{endpoint.pk}/deliveries?status=failed"))[2] == "unknown_field"

    (listed, *_) = owner.get(f"{URL}/{endpoint.pk}/deliveries").json()["data"]
    assert "payload" not in listed
    assert listed["next_attempt_at"] is not None
    whole = owner.get(f"{URL}/{endpoint.pk}/deliveries/{waiting.pk}").json()
    assert (whole["payload"], whole["last_response"]) == ("x" * 20_000, "oh")


def test_list_costs_the_same_for_one_and_for_many(owner: Api, aurora: House) -> None:
    endpoint = add_endpoint(aurora)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(f"{URL}/{endpoint.pk}/deliveries?state=waiting").status_code == 200
        return len(queries)

    add_delivery(aurora, endpoint)
    owner.get(URL)
    few = cost()
    for _ in range(5):
        add_delivery(aurora, endpoint)
    assert cost() == few


@pytest.mark.parametrize("state", ["failed", "delivered", "waiting"])
def test_delivery_is_sent_again_under_its_id(owner: Api, aurora: House, state: str) -> None:
    later = clock.now() + timedelta(hours=8)
    delivery = add_delivery(aurora, state=state, attempts=10, due_at=later)
    path = f"{URL}/{delivery.endpoint_id}/deliveries/{delivery.pk}"
    answer = owner.post(f"{path}/replay")
    assert answer.status_code == 202
    assert answer.json()["webhook_id"] == delivery.event_id
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.finished_at) == ("waiting", 0, None)
    assert delivery.due_at <= clock.now()


def test_delivery_is_not_sent_again_while_it_is_being_sent_or_disabled(owner: Api, aurora: House) -> None:
    delivery = add_delivery(aurora)
    WebhookDelivery.across_organizations.update(state="sending", lease=delivery.pk)
    path = f"{URL}/{delivery.endpoint_id}/deliveries/{delivery.pk}/replay"
    assert owner.post(path).json()["code"] == "being_sent"
    owner.post(f"{URL}/{delivery.endpoint_id}/disable")
    assert owner.post(path).json()["code"] == "endpoint_disabled"


def test_failed_deliveries_of_a_time_are_counted_and_then_sent_again_bit_by_bit(
    owner: Api, aurora: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "MOST_AT_ONCE", 3)
    endpoint, now = add_endpoint(aurora), clock.now()
    made = [
        made_at(aurora, endpoint, now - timedelta(hours=hours), state="failed", attempts=10)
        for hours in (6, 5, 4, 3, 2, 1)
    ]
    arrived = made_at(aurora, endpoint, now - timedelta(minutes=200), state="delivered")
    path = f"{URL}/{endpoint.pk}/replay"
    query = {"since": now - timedelta(hours=5), "until": now - timedelta(hours=1)}
    assert owner.post(path, query).json() == {"matched": 4, "replayed": 0, "remaining": 4}
    assert not WebhookDelivery.across_organizations.filter(state="waiting").exists()

    done = owner.post(path, {**query, "dry_run": False}).json()
    assert done == {"matched": 4, "replayed": 3, "remaining": 1}
    waiting = WebhookDelivery.across_organizations.filter(state="waiting").order_by("due_at")
    assert [each.pk for each in waiting] == [each.pk for each in made[1:4]]
    assert waiting[2].due_at - waiting[0].due_at == timedelta(seconds=2 / deliveries.REPLAYED_PER_SECOND)
    assert owner.post(path, {**query, "dry_run": False}).json() == {"matched": 1, "replayed": 1, "remaining": 0}

    done = owner.post(path, {"since": query["since"], "state": "delivered", "dry_run": False}).json()
    assert done == {"matched": 1, "replayed": 1, "remaining": 0}
    arrived.refresh_from_db()
    assert arrived.state == "waiting"
    backwards = {"since": now, "until": now - timedelta(hours=1)}
    assert error_of(owner.post(path, backwards)) == (400, "/until", "bad_range")
