"""The rules of the engine, whatever happens in whatever order.

A model of a provider that remembers what it was handed, workers that die at any moment, time that passes, receipts
that come or not: after every step the queue of each conversation has one head, nothing was handed over out of
order, and nothing twice but where an unknown outcome was repeated; in the end everything has come to its end.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.channels import accounts
from apps.channels.callback import ReceiptStatus
from apps.channels.errors import MessageRejected, OutcomeUnknown, RateLimited, SendFailed, Transient
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.ids import new_id
from apps.messaging.engine import traced
from apps.messaging.engine.accept import accept
from apps.messaging.engine.cancel import cancel
from apps.messaging.engine.claim import Claimed, claim
from apps.messaging.engine.new_message import Accepted, NewMessage
from apps.messaging.engine.outcome import Outcome, Result
from apps.messaging.engine.reconcile import KnownReceipt, apply
from apps.messaging.engine.record import record
from apps.messaging.engine.recover import recover
from apps.messaging.engine.settle import outcome_of_failure
from apps.messaging.models import Delivery, Message, MessageEvent
from tests.messaging.desk import CREDENTIALS

PEOPLE = [f"+551191234560{n}" for n in range(3)]
ENDED = {"sent", "delivered", "read", "failed", "cancelled", "expired"}


@dataclass(frozen=True)
class InHand:
    """A message in the hands of a worker, handed to the provider or not."""

    delivery: Claimed
    lease: UUID
    was_handed_over: bool


class Engine(RuleBasedStateMachine):
    hands = Bundle("hands")

    def __init__(self) -> None:
        super().__init__()
        slug = new_id().hex  # many examples share one database
        self.organization = Organization.objects.create(name="Padaria", slug=slug)
        self.account: ChannelAccount = accounts.add(
            Principal.of_system(self.organization),
            connector="whatsapp_cloud",
            name="main",
            credentials={**CREDENTIALS["whatsapp_cloud"], "phone_number_id": slug},
            retry_attempts=3,
            retry_base_ms=1,
            reply_window="left_to_provider",
        )
        self.accepted: dict[str, list[UUID]] = defaultdict(list)
        # What the provider has, by person, in order.
        self.handed_over: dict[str, list[UUID]] = defaultdict(list)
        self.may_repeat: set[UUID] = set()

    @rule(person=st.sampled_from(PEOPLE), count=st.integers(1, 3), priority=st.integers(0, 2))
    def somebody_writes(self, person: str, count: int, priority: int) -> None:
        wanted = [NewMessage("Oi", self.account.id, person, priority=priority) for _ in range(count)]
        for answer in accept(self.organization, wanted):
            assert isinstance(answer, Accepted)
            self.accepted[person].append(answer.id)

    @rule(target=hands, most=st.integers(1, 4), reaches=st.booleans())
    def worker_claims(self, most: int, reaches: bool) -> Any:
        taken = claim(self.account, most)
        for delivery in taken.deliveries:
            if reaches:
                self.handed_over[delivery.to].append(delivery.message_id)
        return multiple(*[InHand(delivery, taken.lease, reaches) for delivery in taken.deliveries])

    @rule(hand=consumes(hands))
    def provider_agrees(self, hand: InHand) -> None:
        if not hand.was_handed_over:
            return  # the worker died before
        record([Outcome(hand.delivery.message_id, hand.delivery.conversation_id, hand.lease, Result.SENT,
                        provider_id=str(hand.delivery.message_id))])  # fmt: skip

    @rule(
        hand=consumes(hands),
        error=st.sampled_from([Transient("500"), MessageRejected("100"), RateLimited("4"), OutcomeUnknown("cut")]),
    )
    def provider_refuses(self, hand: InHand, error: SendFailed) -> None:
        if hand.was_handed_over != isinstance(error, OutcomeUnknown):
            return  # only an unknown outcome may hide that the provider has it
        record([outcome_of_failure(self.account, hand.delivery, hand.lease, error)])

    @rule(hand=consumes(hands))
    def worker_dies(self, hand: InHand) -> None:
        """Nobody says what became of it."""

    @rule(seconds=st.sampled_from([1, 61, 130]))
    def time_passes_and_the_sweep_runs(self, seconds: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE delivery SET due_at = due_at - make_interval(secs => %s) WHERE account_id = %s",
                [seconds, self.account.id],
            )
        waiting = Delivery.objects.for_organization(self.organization).exclude(state="waiting")
        # Whatever may now be decided without knowing may be repeated: the account chose so.
        self.may_repeat.update(waiting.values_list("message_id", flat=True))
        recover()

    @rule(
        data=st.data(), status=st.sampled_from([ReceiptStatus.SENT, ReceiptStatus.DELIVERED, ReceiptStatus.READ])
    )
    def receipt_comes(self, data: st.DataObject, status: ReceiptStatus) -> None:
        had = [message for messages in self.handed_over.values() for message in messages]
        if had:
            message = data.draw(st.sampled_from(had))
            apply([KnownReceipt(self.account.id, str(message), status, clock.now(), message)])

    @rule(data=st.data())
    def somebody_cancels(self, data: st.DataObject) -> None:
        messages = [message for accepted in self.accepted.values() for message in accepted]
        if messages:
            message = Message.across_organizations.get(pk=data.draw(st.sampled_from(messages)))
            cancel(self.organization, message.conversation_id, message.id)

    @invariant()
    def each_conversation_with_a_queue_has_exactly_one_head_and_it_is_the_first(self) -> None:
        queues: dict[UUID, list[tuple[int, bool]]] = defaultdict(list)
        for delivery in Delivery.objects.for_organization(self.organization).exclude(state="scheduled"):
            queues[delivery.conversation_id].append((delivery.position, delivery.is_head))
        for queue in queues.values():
            assert [is_head for _, is_head in sorted(queue)] == [True, *[False] * (len(queue) - 1)]

    @invariant()
    def every_message_waits_or_has_ended(self) -> None:
        waiting = set(Delivery.objects.for_organization(self.organization).values_list("message_id", flat=True))
        for message in Message.objects.for_organization(self.organization):
            assert (message.status in ENDED) or message.id in waiting

    @invariant()
    def nothing_is_handed_over_out_of_order_or_twice_without_leave(self) -> None:
        for person, handed in self.handed_over.items():
            first_times = list(dict.fromkeys(handed))
            assert first_times == [message for message in self.accepted[person] if message in set(first_times)]
            repeated = {message for message in handed if handed.count(message) > 1}
            assert repeated <= self.may_repeat

    @invariant()
    def each_event_is_in_the_trace_of_its_message(self) -> None:
        """So publishing need not look there."""
        for rows in (MessageEvent, Delivery):
            own = rows.objects.for_organization(self.organization)
            assert own.filter(trace=F("message__trace")).count() == own.count()

    def teardown(self) -> None:
        """When everybody works again, everything comes to an end."""
        for _ in range(200):
            if not Delivery.objects.for_organization(self.organization).exists():
                break
            self.time_passes_and_the_sweep_runs(130)
            for hand in self._claim_all():
                self.provider_agrees(hand)
        assert not Delivery.objects.for_organization(self.organization).exists()
        self.nothing_is_handed_over_out_of_order_or_twice_without_leave()

    def _claim_all(self) -> list[InHand]:
        taken = claim(self.account, 100)
        for delivery in taken.deliveries:
            self.handed_over[delivery.to].append(delivery.message_id)
        return [InHand(delivery, taken.lease, True) for delivery in taken.deliveries]


def _a_trace_each(accepted: Sequence[Accepted]) -> list[str]:
    return [f"00-{answer.id.hex}-{answer.id.hex[16:]}-01" for answer in accepted]


@pytest.mark.django_db(transaction=True)
def test_engine_keeps_its_rules_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traced, "remembered", _a_trace_each)
    run_state_machine_as_test(
        Engine,
        settings=settings(
            max_examples=15,
            # Shrinking takes minutes with a database behind it; whoever hunts a failure turns it on.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            derandomize=True,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
