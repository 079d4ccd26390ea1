from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.core.ids import new_id
from apps.core.redis import redis_client
from apps.messaging import conversations
from apps.messaging.consent import suppressions
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted, Answer, NewMessage, Refused
from apps.messaging.models import ConsentSource, Contact, Conversation, Delivery, Message, MessageEvent
from tests.cast import House
from tests.messaging.desk import ANA, BIA, open_account

pytestmark = pytest.mark.django_db


def ask(house: House, *wanted: NewMessage) -> list[Answer]:
    return accept(house.organization, wanted)


def to_ana(account: ChannelAccount, text: str = "Bom dia", **values: object) -> NewMessage:
    return NewMessage(text=text, account_id=account.id, to=ANA, **values)  # type: ignore[arg-type]


def refusal(answer: Answer) -> tuple[str, str]:
    assert isinstance(answer, Refused)
    assert answer.detail
    return answer.field, answer.code


def test_message_is_written_with_its_delivery_and_its_first_event(aurora: House, account: ChannelAccount) -> None:
    (answer,) = ask(aurora, to_ana(account, reference="r-1", metadata={"order": "7"}))

    assert isinstance(answer, Accepted)
    message = Message.objects.for_organization(aurora.organization).get()
    assert (message.id, message.status, message.text) == (answer.id, "queued", "Bom dia")
    assert (message.reference, message.metadata) == ("r-1", {"order": "7"})
    delivery = Delivery.objects.for_organization(aurora.organization).get()
    assert (delivery.message_id, delivery.state, delivery.is_head) == (answer.id, "waiting", True)
    event = MessageEvent.objects.for_organization(aurora.organization).get()
    assert (event.message_id, event.kind) == (answer.id, "queued")


def test_one_person_is_one_contact_with_one_conversation_an_account(
    aurora: House, account: ChannelAccount
) -> None:
    second = open_account(aurora, "whatsapp_cloud", name="second")
    ask(aurora, to_ana(account), to_ana(account), to_ana(second))
    ask(aurora, NewMessage(text="again", account_id=account.id, to=" +55 (11) 91234-5601 "))

    assert Contact.objects.for_organization(aurora.organization).count() == 1
    assert Conversation.objects.for_organization(aurora.organization).count() == 2
    assert Message.objects.for_organization(aurora.organization).count() == 4


def test_only_the_first_of_a_conversation_is_its_head(aurora: House, account: ChannelAccount) -> None:
    ask(aurora, to_ana(account, "1"), to_ana(account, "2"), NewMessage("3", account.id, BIA))
    ask(aurora, to_ana(account, "4"))

    heads = Delivery.objects.for_organization(aurora.organization).filter(is_head=True)
    assert sorted(heads.values_list("message__text", flat=True)) == ["1", "3"]


def test_every_message_of_a_relaxed_account_is_a_head(aurora: House) -> None:
    relaxed = open_account(aurora, "whatsapp_cloud", ordering="relaxed")
    ask(aurora, to_ana(relaxed, "1"), to_ana(relaxed, "2"))

    assert Delivery.objects.for_organization(aurora.organization).filter(is_head=True).count() == 2


def test_message_for_later_keeps_nobody_waiting(aurora: House, account: ChannelAccount) -> None:
    ask(aurora, to_ana(account, "later", scheduled_at=clock.now() + timedelta(hours=1)))
    ask(aurora, to_ana(account, "now"))

    assert Delivery.objects.for_organization(aurora.organization).get(is_head=True).message.text == "now"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("x" * 4096, None), ("x" * 4097, ("text", "too_long")), ("ã" * 4096, None)],
    ids=["longest", "longer", "longest in letters"],
)
def test_text_is_bounded_by_what_the_channel_carries(
    aurora: House, account: ChannelAccount, text: str, expected: tuple[str, str] | None
) -> None:
    (answer,) = ask(aurora, to_ana(account, text))
    assert (refusal(answer) if isinstance(answer, Refused) else None) == expected


def test_instagram_counts_bytes(aurora: House) -> None:
    instagram = open_account(aurora, "instagram")
    fits, too_long = ask(
        aurora,
        NewMessage("ã" * 500, instagram.id, "1784140000000001"),
        NewMessage("ã" * 501, instagram.id, "1784140000000001"),
    )
    assert isinstance(fits, Accepted)
    assert refusal(too_long) == ("text", "too_long")


@pytest.mark.parametrize(
    "address", ["", "11912345678", "+0", "+55", "+5511x", "ana@aurora.example", "+" + "9" * 40]
)
def test_bad_phone_number_is_refused(aurora: House, account: ChannelAccount, address: str) -> None:
    (answer,) = ask(aurora, NewMessage("Oi", account.id, address))
    assert refusal(answer) == ("to", "bad_address")
    assert Contact.objects.for_organization(aurora.organization).count() == 0


@pytest.mark.parametrize(
    ("hours", "code"), [(-1, "not_in_future"), (0, "not_in_future"), (24 * 400, "not_in_future"), (1, None)]
)
def test_schedule_is_in_the_future_and_within_a_year(
    aurora: House, account: ChannelAccount, hours: int, code: str | None
) -> None:
    (answer,) = ask(aurora, to_ana(account, scheduled_at=clock.now() + timedelta(hours=hours)))
    assert (answer.code if isinstance(answer, Refused) else None) == code


def test_message_must_not_expire_before_it_is_due(aurora: House, account: ChannelAccount) -> None:
    now = clock.now()
    (answer,) = ask(
        aurora, to_ana(account, scheduled_at=now + timedelta(hours=2), expires_at=now + timedelta(hours=1))
    )
    assert refusal(answer) == ("expires_at", "bad_expiry")


def test_closed_conversation_takes_nothing_by_its_id_and_opens_for_its_person(
    aurora: House, account: ChannelAccount
) -> None:
    (first,) = ask(aurora, to_ana(account))
    assert isinstance(first, Accepted)
    conversation = Conversation.objects.for_organization(aurora.organization).get()
    conversations.close(aurora.principal(), conversation)

    (answer,) = ask(aurora, NewMessage("Oi", conversation_id=conversation.id))
    assert refusal(answer) == ("conversation_id", "conversation_closed")

    (answer,) = ask(aurora, to_ana(account))
    assert isinstance(answer, Accepted)
    conversation.refresh_from_db()
    assert conversation.closed_at is None


def test_somebody_elses_account_and_conversation_do_not_exist(
    aurora: House, boreal: House, account: ChannelAccount
) -> None:
    (ours,) = ask(aurora, to_ana(account))
    assert isinstance(ours, Accepted)

    answers = ask(
        boreal,
        to_ana(account),
        NewMessage("Oi", conversation_id=ours.place.conversation_id),
        NewMessage("Oi", account_id=new_id(), to=ANA),
    )

    assert [refusal(answer) for answer in answers] == [
        ("account_id", "unknown_account"),
        ("conversation_id", "unknown_conversation"),
        ("account_id", "unknown_account"),
    ]


def test_what_is_wrong_with_three_keeps_nothing_of_the_others(aurora: House, account: ChannelAccount) -> None:
    wanted = [NewMessage("Oi", account.id, f"+55119{10_000_000 + n}") for n in range(100)]
    wanted[7] = NewMessage("Oi", account.id, "nobody")
    wanted[8] = NewMessage("x" * 5000, account.id, ANA)
    wanted[99] = NewMessage("Oi", new_id(), ANA)

    answers = ask(aurora, *wanted)

    assert [n for n, answer in enumerate(answers) if isinstance(answer, Refused)] == [7, 8, 99]
    assert Message.objects.for_organization(aurora.organization).count() == 97


def test_number_of_statements_does_not_grow_with_the_batch(aurora: House, account: ChannelAccount) -> None:
    def statements(count: int) -> int:
        wanted = [NewMessage("Oi", account.id, f"+55119{20_000_000 + n}") for n in range(count)]
        accept(aurora.organization, wanted)  # their people are known from now on
        with CaptureQueriesContext(connection) as captured:
            accept(aurora.organization, wanted)
        return len(captured)

    assert statements(2) == statements(500)


def test_quota_takes_the_first_and_says_when_to_come_back(aurora: House) -> None:
    small = open_account(aurora, "whatsapp_cloud", daily_quota=3)
    answers = ask(aurora, *[to_ana(small, str(n)) for n in range(5)])

    assert [isinstance(answer, Accepted) for answer in answers] == [True, True, True, False, False]
    last = answers[-1]
    assert isinstance(last, Refused)
    assert refusal(last) == ("account_id", "quota_exhausted")
    assert last.retry_after is not None
    assert 0 < last.retry_after <= 24 * 3600 / 3


def test_organization_is_served_while_redis_is_away(
    aurora: House, account: ChannelAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.messaging.engine.quota.is_left_alone", lambda: True)
    monkeypatch.setattr("apps.messaging.engine.bells.is_left_alone", lambda: True)
    (answer,) = ask(aurora, to_ana(account))
    assert isinstance(answer, Accepted)


@pytest.mark.django_db(transaction=True)
def test_bell_is_rung_once_for_many_and_only_after_the_commit(aurora: House, account: ChannelAccount) -> None:
    queue = "dispatch.whatsapp_cloud"
    ask(aurora, *[to_ana(account, str(n)) for n in range(10)])
    ask(aurora, to_ana(account))
    assert redis_client().llen(queue) == 1


def test_nothing_is_rung_for_what_was_rolled_back(aurora: House, account: ChannelAccount) -> None:
    ask(aurora, to_ana(account))  # the test's own transaction is never committed
    assert redis_client().llen("dispatch.whatsapp_cloud") == 0


def test_opted_out_person_is_not_written_to(aurora: House, account: ChannelAccount) -> None:
    ask(aurora, to_ana(account))
    suppressions.add(aurora.organization.id, "phone", [ANA], ConsentSource.API)
    (answer,) = ask(aurora, to_ana(account))
    assert refusal(answer) == ("to", "opted_out")


def test_ids_are_given_in_the_order_of_the_batch(aurora: House, account: ChannelAccount) -> None:
    answers = ask(aurora, *[to_ana(account, str(n)) for n in range(50)])
    ids: list[UUID] = [answer.id for answer in answers if isinstance(answer, Accepted)]
    assert ids == sorted(ids)
