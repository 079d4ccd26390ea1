"""Pages of what is ordered by something else than its own id."""

from collections.abc import Callable
from uuid import UUID

from rest_framework.request import Request

from apps.core.api.pagination import Direction, NewestFirst
from apps.messaging.recent import Recent


class LastActiveFirst(NewestFirst):
    """Conversations by their last messages, whose ids are the cursors. The pages lead on, and not back: a
    conversation that becomes active moves to the first.
    """

    def cut(self, read: Callable[[int, UUID | None], list[Recent]], request: Request) -> list[Recent]:
        """`read` is asked for so many, behind that message."""
        size = self._size(request)
        _direction, position = self._cursor(request)
        rows = read(size + 1, position)
        last = rows[size - 1].last_message if len(rows) > size else None
        url = request.build_absolute_uri()
        self._older = self._link(url, Direction.OLDER, last.pk) if last is not None else None
        self._newer = None
        return rows[:size]
