"""Pages of what only the vault itself reads from its tables."""

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework.request import Request

from apps.core.api.pagination import Direction, NewestFirst
from apps.core.api.problems import field_error
from apps.registration.vault import people


class Identified(Protocol):
    @property
    def id(self) -> UUID: ...


class OlderPages(NewestFirst):
    """They lead on and not back, for so the vault is read; the last one may turn out to be empty."""

    max_size = people.MOST_AT_ONCE

    def turn[Row: Identified](
        self, request: Request, read: Callable[[UUID | None, int], Sequence[Row]]
    ) -> Sequence[Row]:
        """`read` is given where to go on, and how many at most."""
        size = self._size(request)
        direction, position = self._cursor(request)
        if direction is Direction.NEWER:
            detail = _("This is no cursor of ours. Use the links in next and previous as they are.")
            raise field_error(self.cursor_parameter, "invalid_cursor", detail)
        most = min(size + 1, self.max_size)
        rows = read(position, most)
        url, shown = request.build_absolute_uri(), rows[:size]
        self._older = self._link(url, Direction.OLDER, shown[-1].id) if shown and len(rows) == most else None
        self._newer = None
        return shown
