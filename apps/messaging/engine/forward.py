"""Routes: what comes in here goes on to there, and what became of it there is told here.

A forward is a message of its own, written in the transaction of what it was made of. Nothing goes round in
circles: never back to whoever wrote, and what keeps coming with the same words is not taken on any more.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from django.db import connection
from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.channels.content import Content
from apps.core import clock
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import Accepted, Answer, NewMessage
from apps.messaging.models import Message, Route
from apps.messaging.statuses import Direction

if TYPE_CHECKING:
    from apps.messaging.engine.incoming import Received

# The same words, forwarded so often within so long by one account, are two machines talking.
MOST_ALIKE = 3
ALIKE_WITHIN = timedelta(minutes=1)
_LATEST = 200


@dataclass(frozen=True, slots=True)
class _Forward:
    received: "Received"
    route: Route

    @property
    def words(self) -> str:
        return self.received.content.text or _what_it_was(self.received.content)


def forward(organization: Organization, received: Sequence["Received"]) -> None:
    """Every route that one of these falls under takes it on."""
    routes = _routes_of(organization, received)
    wanted = [
        _Forward(each, route)
        for each in received
        for route in routes.get(each.account.id, ())
        if _falls_under(each, route)
    ]
    if not wanted:
        return
    circling = _circling(organization, wanted)
    going = [each for each in wanted if (each.route.target_account_id, each.words) not in circling]
    answers = accept(organization, [_message(each) for each in going])
    stopped = [each for each in wanted if each not in going]
    _tell(
        [
            _told(each, answer)
            for each, answer in zip(going, answers, strict=True)
            if not isinstance(answer, Accepted)
        ]
        + [_refused(each, "goes_round") for each in stopped]
    )


def _routes_of(organization: Organization, received: Sequence["Received"]) -> Mapping[UUID, list[Route]]:
    active = Route.objects.for_organization(organization).filter(
        source_account__in={each.account.id for each in received}, is_active=True
    )
    routes: dict[UUID, list[Route]] = defaultdict(list)
    for route in active.order_by("id"):
        routes[route.source_account_id].append(route)
    return routes


def _falls_under(received: "Received", route: Route) -> bool:
    is_meant = route.source_conversation_id in {None, received.conversation_id}
    goes_back = route.target_account_id == received.account.id and route.target_address == received.sender
    return is_meant and not goes_back


def _circling(organization: Organization, wanted: Sequence[_Forward]) -> set[tuple[UUID, str]]:
    """Accounts and words that went over them too often just now."""
    latest = (
        Message.objects.for_organization(organization)
        .filter(
            direction=Direction.OUTBOUND,
            forwarded_from_id__isnull=False,
            account__in={each.route.target_account_id for each in wanted},
            created_at__gt=clock.now() - ALIKE_WITHIN,
        )
        .order_by("-id")
        .values_list("account_id", "text")[:_LATEST]
    )
    seen: dict[tuple[UUID, str], int] = defaultdict(int)
    for alike in latest:
        seen[alike] += 1
    return {alike for alike, count in seen.items() if count >= MOST_ALIKE}


def _message(forward: _Forward) -> NewMessage:
    content = forward.received.content
    # What is kept at the provider under an id cannot be linked to.
    media = content.media if content.media is not None and content.media.url.startswith("https://") else None
    return NewMessage(
        text=forward.words,
        content=Content(content.text if media else forward.words, media=media),
        account_id=forward.route.target_account_id,
        to=forward.route.target_address,
        forwarded_from=forward.received.message_id,
    )


def _what_it_was(content: Content) -> str:
    return f"[{content.media.kind}]" if content.media is not None else _("[no text]")


def _told(forward: _Forward, answer: Answer) -> dict[str, Any]:
    return _refused(forward, getattr(answer, "code", ""))


def _refused(forward: _Forward, code: str) -> dict[str, Any]:
    detail = {
        "status": "received",
        "refused": code,
        "route_id": forward.route.id,
        "account_id": forward.route.target_account_id,
    }
    return {"id": forward.received.message_id, "detail": detail}


def _tell(events: Sequence[Mapping[str, Any]]) -> None:
    """At what came in: that it did not go on, and why."""
    if not events:
        return
    with connection.cursor() as cursor:
        cursor.execute(_TELL, [orjson.dumps(list(events)).decode()])


_TELL = """
INSERT INTO message_event (organization_id, message_id, conversation_id, kind, at, attempt, detail)
SELECT message.organization_id, message.id, message.conversation_id, 'forwarded', now(), 0, told.detail
  FROM json_to_recordset(%s::json) AS told (id uuid, detail jsonb) JOIN message ON message.id = told.id
"""
