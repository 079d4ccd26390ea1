"""What leaves: signed, tried again, never twice at once, and nobody waits for anybody."""

import threading
from typing import Any

import orjson
import pytest
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from apps.callbacks import endpoints, tasks
from apps.callbacks.engine.call import Outcome, call
from apps.callbacks.engine.claim import CALLS_AT_ONCE, claim
from apps.callbacks.engine.record import record
from apps.callbacks.engine.recover import recover
from apps.callbacks.models import DisabledBecause, WebhookDelivery, WebhookEndpoint
from apps.core.redis import redis_client
from tests.callbacks.office import Office
from tests.callbacks.receiver import Call, Receiver
from tests.counting import counting

pytestmark = pytest.mark.django_db(transaction=True)


def verify(secret: str, call: Call) -> Any:
    return Webhook(secret).verify(call.body, dict(call.headers))


def test_call_can_be_verified_by_anybodys_library(office: Office, receiver: Receiver) -> None:
    endpoint = office.endpoint()
    (delivery,) = office.ping(endpoint)
    with counting() as counted:
        assert office.deliver() == {"delivered": 1}
    assert counted == {"recado_webhook_calls_total{result=delivered}": 1}

    (called,) = receiver.calls
    assert verify(endpoint.secret, called) == called.event
    assert called.event["type"] == "test.ping"
    assert called.event["data"] == {"endpoint_id": str(endpoint.pk)}
    assert called.headers["content-type"] == "application/json"
    assert called.webhook_id == delivery.event_id
    delivery = office.reread(delivery)
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 1, 204)
    assert delivery.finished_at is not None
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(called.body + b" ", dict(called.headers))


def test_both_secrets_sign_for_a_day_after_a_rotation(office: Office, receiver: Receiver) -> None:
    endpoint = office.endpoint()
    old = endpoint.secret
    _, new = endpoints.rotate_secret(office.house.principal(), endpoint)
    office.ping(endpoint)
    office.deliver()
    verify(old, receiver.calls[0])
    verify(new, receiver.calls[0])

    office.let_pass(24 * 3600)
    office.ping(endpoint)
    office.deliver()
    verify(new, receiver.calls[1])
    with pytest.raises(WebhookVerificationError):
        verify(old, receiver.calls[1])


def test_failure_is_tried_again_later_under_the_same_id(office: Office, receiver: Receiver) -> None:
    endpoint = office.endpoint()
    receiver.statuses["/hooks"] = 500
    receiver.body = b"out of\x00 order\n" + "ação".encode() + b"\xff" + b"x" * 2000
    (delivery,) = office.ping(endpoint)
    with counting() as counted:
        office.deliver()
    assert counted == {"recado_webhook_calls_total{result=failed}": 1}
    delivery = office.reread(delivery)
    assert (delivery.state, delivery.attempts, delivery.last_status) == ("waiting", 1, 500)
    assert delivery.last_response.startswith("out of  order ação\N{REPLACEMENT CHARACTER}xx")
    assert len(delivery.last_response) == 1000
    assert WebhookEndpoint.across_organizations.get().first_failed_at is not None

    office.deliver()
    assert len(receiver.calls) == 1  # it is not yet time
    office.let_pass(6)
    receiver.statuses.clear()
    office.deliver()
    assert office.reread(delivery).state == "delivered"
    assert len({each.webhook_id for each in receiver.calls}) == 1
    assert len(receiver.calls) == 2
    assert WebhookEndpoint.across_organizations.get().first_failed_at is None


def test_delivery_is_given_up_after_ten_attempts(office: Office, receiver: Receiver) -> None:
    receiver.statuses["/hooks"] = 400
    (delivery,) = office.ping(office.endpoint())
    for _ in range(12):
        office.deliver()
        # The first failure stays young: how long they may go on is another matter.
        WebhookDelivery.across_organizations.update(due_at="2020-01-01T00:00Z")
    assert len(receiver.calls) == 10
    assert office.reread(delivery).state == "failed"


def test_no_attempt_comes_before_the_receiver_wants_it(office: Office, receiver: Receiver) -> None:
    receiver.statuses["/hooks"], receiver.headers = 503, {"Retry-After": "600"}
    office.ping(office.endpoint())
    office.deliver()
    office.let_pass(590)
    office.deliver()
    assert len(receiver.calls) == 1
    office.let_pass(20)
    office.deliver()
    assert len(receiver.calls) == 2


def test_redirect_is_a_failure_and_is_not_followed(office: Office, receiver: Receiver) -> None:
    receiver.statuses["/hooks"], receiver.headers = 307, {"Location": f"{receiver.url}/elsewhere"}
    (delivery,) = office.ping(office.endpoint())
    office.deliver()
    assert [each.path for each in receiver.calls] == ["/hooks"]
    assert office.reread(delivery).last_status == 307
    assert office.reread(delivery).state == "waiting"


def test_gone_disables_the_endpoint_at_once(office: Office, receiver: Receiver) -> None:
    endpoint = office.endpoint()
    receiver.statuses["/hooks"] = 410
    (delivery,) = office.ping(endpoint)
    office.deliver()
    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, DisabledBecause.GONE)
    assert office.reread(delivery).state == "failed"


def test_what_waits_for_a_disabled_endpoint_leaves_when_it_is_enabled(office: Office, receiver: Receiver) -> None:
    endpoint = office.endpoint()
    office.ping(endpoint, 2)
    endpoints.disable(office.house.principal(), endpoint)
    assert office.deliver() == {}
    endpoints.enable(office.house.principal(), endpoint)
    assert office.deliver() == {"delivered": 2}


def test_address_that_leads_inside_is_not_called(office: Office, receiver: Receiver, settings: Settings) -> None:
    (delivery,) = office.ping(office.endpoint())
    # As if its name had led outside when it was added, and leads to us now.
    settings.OUTBOUND_ALLOWED_NETWORKS = []
    office.deliver()
    assert receiver.calls == []
    delivery = office.reread(delivery)
    assert (delivery.state, delivery.last_error) == ("waiting", "the URL is not https")


def test_endpoint_that_is_not_there_says_so_without_its_path(office: Office) -> None:
    endpoint = office.endpoint("/hooks?key=sesame")
    office.receiver.url = "http://127.0.0.1:9"
    WebhookEndpoint.across_organizations.update(url="http://127.0.0.1:9/hooks?key=sesame")
    (delivery,) = office.ping(endpoint)
    office.deliver()
    assert office.reread(delivery).last_error == "http://127.0.0.1:9: no connection (ECONNREFUSED)"


def test_slow_endpoint_delays_no_other_and_has_few_calls_at_once(office: Office, receiver: Receiver) -> None:
    slow, quick = office.endpoint("/slow"), office.endpoint("/quick")
    receiver.slow_paths = {"/slow"}
    office.ping(slow, 2 * CALLS_AT_ONCE)
    office.ping(quick, 2 * CALLS_AT_ONCE)

    def let_go_on() -> None:
        while (
            len(receiver.calls_to("/quick")) < 2 * CALLS_AT_ONCE or len(receiver.calls_to("/slow")) < CALLS_AT_ONCE
        ):
            if receiver.goes_on.wait(0.01):
                return
        quick_ones_waited_for.append(len(receiver.calls_to("/slow")))
        receiver.goes_on.set()

    quick_ones_waited_for: list[int] = []
    thread = threading.Thread(target=let_go_on)
    thread.start()
    assert office.deliver() == {"delivered": 4 * CALLS_AT_ONCE}
    receiver.goes_on.set()
    thread.join()
    assert quick_ones_waited_for == [CALLS_AT_ONCE]
    assert receiver.most_at_once == CALLS_AT_ONCE


def test_failing_endpoint_has_one_call_at_once(office: Office) -> None:
    endpoint = office.endpoint()
    office.ping(endpoint, 3)
    WebhookEndpoint.across_organizations.update(first_failed_at="2026-01-01T00:00Z")
    assert len(claim(10)) == 1
    assert claim(10) == []


def test_delivery_of_a_dead_worker_is_sent_again_under_the_same_id(office: Office, receiver: Receiver) -> None:
    (delivery,) = office.ping(office.endpoint())
    (claimed,) = claim(10)

    async def call_it(loop: Any) -> Outcome:
        return await call(await loop.client(), claimed)

    outcome = office.loop.run(call_it)  # and dies before it can say so
    recover()
    assert claim(10) == []  # the lease holds

    office.let_pass(100)
    recover()
    assert office.deliver() == {"delivered": 1}
    assert [each.webhook_id for each in receiver.calls] == [delivery.event_id] * 2
    assert office.reread(delivery).attempts == 2
    assert record([outcome]) == 0  # what the dead one knew counts no more


def test_outcome_is_written_only_by_the_holder_of_the_lease(office: Office) -> None:
    (delivery,) = office.ping(office.endpoint())
    (first,) = claim(10)
    office.let_pass(100)
    recover()
    (second,) = claim(10)
    assert record([Outcome(first, 5, error="too late")]) == 0
    assert office.reread(delivery).state == "sending"
    assert record([Outcome(second, 5, error="no connection")]) == 1
    assert office.reread(delivery).last_error == "no connection"


def test_secrets_are_in_no_log_and_no_name(
    office: Office, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    endpoint = office.endpoint()
    receiver.statuses["/hooks"] = 410
    office.ping(endpoint, 2)
    (claimed, *_) = claim(1)
    office.deliver()
    said = "".join(capfd.readouterr()) + repr(claimed) + repr(endpoint)
    assert endpoint.secret not in said
    assert claimed.secret not in said


def test_bell_starts_one_task_that_delivers_all(
    office: Office, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.ping(office.endpoint(), 3)
    (message,) = redis_client().lrange("callbacks", 0, -1)
    assert orjson.loads(message)["headers"]["task"] == tasks.deliver_due.name
    monkeypatch.setattr(tasks, "process_loop", lambda: office.loop)
    assert tasks.deliver_due() == {"delivered": 3}
    office.ping(office.endpoint())
    assert redis_client().llen("callbacks") == 2  # it has gone to rest, so the bell rings anew


def test_sweep_rings_for_what_is_due_and_stays_silent_otherwise(office: Office) -> None:
    endpoint = office.endpoint()
    recover()
    assert redis_client().llen("callbacks") == 0
    office.ping(endpoint)
    redis_client().flushdb()  # the bell that was rung is lost
    recover()
    assert redis_client().llen("callbacks") == 1
    recover()
    assert redis_client().llen("callbacks") == 1
