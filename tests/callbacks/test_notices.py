"""An endpoint that only fails is disabled, its people are told, and what is old is forgotten."""

from collections.abc import Sequence
from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends import locmem

from apps.accounts.models import AuditEvent
from apps.callbacks.engine import expiry, notice
from apps.callbacks.models import DisabledBecause, WebhookDelivery, WebhookEndpoint
from apps.callbacks.tasks import recover_all
from apps.core import clock
from apps.core.ids import first_id_of
from apps.core.redis import redis_client
from tests.callbacks.office import Office, add_delivery, add_endpoint
from tests.callbacks.receiver import Receiver
from tests.cast import House


def fail_for(office: Office, hours: float) -> WebhookEndpoint:
    endpoint = office.endpoint()
    office.receiver.statuses["/hooks"] = 500
    office.ping(endpoint)
    office.deliver()
    office.let_pass(hours * 3600)
    office.deliver()
    endpoint.refresh_from_db()
    return endpoint


@pytest.mark.django_db(transaction=True)
def test_endpoint_that_failed_for_a_day_is_disabled_with_a_word_in_the_trail(office: Office) -> None:
    endpoint = fail_for(office, hours=25)
    assert (endpoint.is_enabled, endpoint.disabled_reason) == (False, DisabledBecause.FAILING)
    event = AuditEvent.objects.for_organization(office.house.organization).get(action="webhook_endpoint.disabled")
    assert (event.actor_label, event.changes["disabled_reason"]) == ("Recado", [None, "failing"])
    recover_all()
    assert redis_client().llen("maintenance") == 1


@pytest.mark.django_db(transaction=True)
def test_endpoint_that_failed_for_less_than_a_day_is_left_alone(office: Office, receiver: Receiver) -> None:
    endpoint = fail_for(office, hours=23)
    assert endpoint.is_enabled
    receiver.statuses.clear()
    office.let_pass(2 * 3600)
    office.deliver()
    endpoint.refresh_from_db()
    assert (endpoint.is_enabled, endpoint.first_failed_at) == (True, None)


def disabled(house: House) -> WebhookEndpoint:
    endpoint = add_endpoint(house, "https://app.aurora.example/hooks")
    now = clock.now()
    WebhookEndpoint.across_organizations.filter(pk=endpoint.pk).update(
        is_enabled=False, disabled_at=now, disabled_reason=DisabledBecause.GONE, notice_due_at=now
    )
    return endpoint


@pytest.mark.django_db
def test_notice_goes_to_owners_and_administrators_once_in_their_language(aurora: House, boreal: House) -> None:
    endpoint = disabled(aurora)
    aurora.admin.user.language = "pt-br"
    aurora.admin.user.save()
    assert notice.send_due() == 1
    assert notice.send_due() == 0
    assert sorted(each.to[0] for each in mail.outbox) == ["admin@aurora.example", "owner@aurora.example"]
    to_owner = next(each for each in mail.outbox if each.to == ["owner@aurora.example"])
    assert to_owner.subject == "Webhooks to app.aurora.example are disabled"
    assert "it answered 410 Gone" in to_owner.body
    assert f"/admin/callbacks/webhookendpoint/{endpoint.pk}/change/" in to_owner.body


@pytest.mark.django_db
def test_notice_that_could_not_be_sent_is_sent_later(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = disabled(aurora)
    send = locmem.EmailBackend.send_messages

    def fail(_backend: Any, _messages: Sequence[Any]) -> int:
        raise SMTPServerDisconnected("gone")

    monkeypatch.setattr(locmem.EmailBackend, "send_messages", fail)
    assert notice.send_due() == 0
    monkeypatch.setattr(locmem.EmailBackend, "send_messages", send)
    assert notice.send_due() == 0  # not at once
    WebhookEndpoint.across_organizations.filter(pk=endpoint.pk).update(notice_due_at=clock.now())
    assert notice.send_due() == 1
    assert len(mail.outbox) == 2


@pytest.mark.django_db
def test_deliveries_are_forgotten_after_a_month(aurora: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "BATCH", 2)
    endpoint = add_endpoint(aurora)
    for number in range(5):
        made_at = clock.now() - timedelta(days=31, seconds=number)
        add_delivery(aurora, endpoint, id=first_id_of(made_at), created_at=made_at)
    kept = add_delivery(aurora, endpoint)
    assert expiry.remove_old() == 5
    assert WebhookDelivery.across_organizations.get() == kept
