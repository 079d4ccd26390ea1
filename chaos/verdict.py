"""What was lost, doubled and out of order: a pure function of what was accepted, what arrived, what is written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Ends that anybody can see, besides having been sent.
_VISIBLE = frozenset({"failed", "cancelled", "expired"})
_SENT = frozenset({"sent", "delivered", "read"})


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that the API answered 202 for. No other has the same text."""

    id: str
    account: str
    to: str
    text: str


@dataclass(frozen=True, slots=True)
class Ending:
    status: str
    is_dead_letter: bool | None
    # How often it was written down that this message is sent again although it may have been sent.
    sent_again: int


@dataclass(frozen=True, slots=True)
class Verdict:
    accepted: int
    delivered: int
    lost: Sequence[str]
    # Beyond the first time that each message reached its person.
    doubled: int
    # Those that reached a person more often than what was written down allows.
    doubled_unseen: Sequence[str]
    out_of_order: Sequence[str]
    dead_letters: int
    # Arrived, and said not to be; or the other way round.
    wrong: Sequence[str]


def judge(accepted: Sequence[Accepted], texts: Sequence[str], endings: Mapping[str, Ending]) -> Verdict:
    """`accepted` in the order in which it was, for each person; `texts` in the order in which they arrived."""
    times = Counter(texts)
    first: dict[str, int] = {}
    for place, text in enumerate(texts):
        first.setdefault(text, place)
    lost: list[str] = []
    unseen: list[str] = []
    wrong: list[str] = []
    out_of_order: list[str] = []
    furthest: dict[tuple[str, str], int] = {}
    for message in accepted:
        ending = endings.get(message.id)
        arrived = first.get(message.text)
        if arrived is None:
            if ending is None or ending.status not in _VISIBLE:
                lost.append(message.id)
            if ending is not None and ending.status in _SENT:
                wrong.append(message.id)
            continue
        if ending is None or (ending.status not in _SENT and not ending.is_dead_letter):
            wrong.append(message.id)
        if times[message.text] > 1 + (ending.sent_again if ending else 0):
            unseen.append(message.id)
        conversation = (message.account, message.to)
        if arrived < furthest.get(conversation, -1):
            out_of_order.append(message.id)
        furthest[conversation] = max(arrived, furthest.get(conversation, -1))
    delivered = sum(message.text in first for message in accepted)
    return Verdict(
        accepted=len(accepted),
        delivered=delivered,
        lost=lost,
        doubled=sum(times[message.text] for message in accepted) - delivered,
        doubled_unseen=unseen,
        out_of_order=out_of_order,
        dead_letters=sum(bool(ending.is_dead_letter) for ending in endings.values()),
        wrong=wrong,
    )
