"""One client that watches, over a WebSocket or gRPC: what it subscribed to, and its line."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from redis.exceptions import RedisError

from apps.accounts.roles import Scope
from apps.realtime.identity import Guest
from apps.realtime.line import Line
from apps.realtime.offset import BadOffset, Offset
from apps.realtime.topic import WHOLE, Topic

if TYPE_CHECKING:
    from apps.realtime.hub import Hub

MOST_SUBSCRIPTIONS = 1_000


class Refused(Exception):
    """A subscription that cannot be had. The code is for programs, the detail for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Watcher:
    def __init__(self, hub: "Hub", guest: Guest) -> None:
        self.guest = guest
        self.line = Line()
        self._hub = hub
        self._topics: set[Topic] = set()
        self._has_left = False
        hub.welcome(self)

    async def subscribe(self, conversation_id: UUID | None, since: str | None = None) -> None:
        """To everything in the organization where no conversation is named. The answer comes down the line."""
        wanted = [] if conversation_id is None else [conversation_id]
        await self.subscribe_to(wanted, since, whole=conversation_id is None)

    async def subscribe_to(self, conversation_ids: Sequence[UUID], since: str | None, *, whole: bool) -> None:
        """To all of these or, where one cannot be had, to none.

        They are taken up at the same moment, so that one offset says how far all of them have come. One after the
        other, what is new in the first would come before what the second has missed, and whoever is cut off in
        between and comes back with the offset of the first would never hear of the rest.
        """
        topics = [*map(str, conversation_ids), *([WHOLE] if whole else [])]
        if not self.guest.may(Scope.MESSAGES_READ):
            raise Refused("missing_scope", f"This needs the scope {Scope.MESSAGES_READ}.")
        if len(self._topics.union(topics)) > MOST_SUBSCRIPTIONS:
            detail = f"{MOST_SUBSCRIPTIONS} at once are possible. Subscribe to the organization, or open another."
            raise Refused("too_many_subscriptions", detail)
        try:
            offset = None if since is None else Offset.read(since)
        except BadOffset as error:
            raise Refused("bad_offset", "Give an offset as it came, or none.") from error
        organization_id = self.guest.organization_id
        exist = await asyncio.gather(*(self._hub.exists((organization_id, each)) for each in conversation_ids))
        if not all(exist):
            raise Refused("not_found", f"There is no conversation {conversation_ids[exist.index(False)]}.")
        try:
            # Last, for a feed that nobody watches may be forgotten while something else is waited for.
            feed = await self._hub.feed(organization_id)
        except RedisError as error:
            raise Refused("unavailable", "The events cannot be read at the moment. Try again.") from error
        if not self._has_left:
            for topic in topics:
                self._topics.add(topic)
                feed.join(self.line, topic, offset)

    def unsubscribe(self, conversation_id: UUID | None) -> None:
        self._leave(WHOLE if conversation_id is None else str(conversation_id))

    @property
    def offset(self) -> str | None:
        """Whoever reads this behind what waits in the line has had everything up to there."""
        feed = self._hub.open_feed(self.guest.organization_id)
        end = feed.end_for(self.line) if feed is not None else None
        return str(end) if end is not None else None

    def renew(self, guest: Guest) -> bool:
        """With a later way in of the same person."""
        is_same = (guest.organization_id, guest.user_id) == (self.guest.organization_id, self.guest.user_id)
        if is_same:
            self.guest = guest
        return is_same

    def leave(self) -> None:
        self._has_left = True
        for topic in list(self._topics):
            self._leave(topic)
        self._hub.see_off(self)

    def _leave(self, topic: Topic) -> None:
        self._topics.discard(topic)
        feed = self._hub.open_feed(self.guest.organization_id)
        if feed is not None:
            feed.leave(self.line, topic)
