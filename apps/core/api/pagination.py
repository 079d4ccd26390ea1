"""Pages by cursor, newest first: `{data, next, previous}`.

Ids are ordered by time, so a page is a range of an index however deep one reads, and rows that arrive
meanwhile shift nothing.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView

from apps.core.api.problems import field_error


class Direction(bytes, Enum):
    OLDER = b"o"
    NEWER = b"n"


class NewestFirst(BasePagination):
    cursor_parameter: ClassVar[str] = "cursor"
    size_parameter: ClassVar[str] = "limit"
    default_size: ClassVar[int] = 50
    max_size: ClassVar[int] = 200

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> list[Any]:
        size = self._size(request)
        direction, position = self._cursor(request)
        if direction is Direction.NEWER:
            rows = list(queryset.filter(pk__gt=position).order_by("pk")[: size + 1])
            has_newer, has_older = len(rows) > size, True
            rows = rows[:size][::-1]
        else:
            if position is not None:
                queryset = queryset.filter(pk__lt=position)
            rows = list(queryset.order_by("-pk")[: size + 1])
            has_newer, has_older = position is not None, len(rows) > size
            rows = rows[:size]
        url = request.build_absolute_uri()
        self._older = self._link(url, Direction.OLDER, rows[-1].pk) if rows and has_older else None
        self._newer = self._link(url, Direction.NEWER, rows[0].pk) if rows and has_newer else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"data": data, "next": self._older, "previous": self._newer})

    def _link(self, url: str, direction: Direction, pk: Any) -> str:
        cursor = urlsafe_b64encode(direction.value + self._packed(pk)).rstrip(b"=").decode()
        return str(replace_query_param(url, self.cursor_parameter, cursor))

    def _packed(self, pk: Any) -> bytes:
        packed: bytes = pk.bytes
        return packed

    def _unpacked(self, raw: bytes) -> Any:
        return UUID(bytes=raw)

    def _cursor(self, request: Request) -> tuple[Direction, Any]:
        text = request.query_params.get(self.cursor_parameter)
        if not text:
            return Direction.OLDER, None
        try:
            raw = urlsafe_b64decode(text.encode("ascii") + b"==")
            direction, position = Direction(raw[:1]), self._unpacked(raw[1:])
        except (ValueError, BadBase64) as error:
            detail = _("This is no cursor of ours. Use the links in next and previous as they are.")
            raise field_error(self.cursor_parameter, "invalid_cursor", detail) from error
        return direction, position

    def _size(self, request: Request) -> int:
        text = request.query_params.get(self.size_parameter)
        if text is None:
            return self.default_size
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= self.max_size):
            detail = _("A whole number from 1 to %(most)d.") % {"most": self.max_size}
            raise field_error(self.size_parameter, "invalid_limit", detail)
        return int(text)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["data", "next", "previous"],
            "properties": {"data": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": self.max_size, "default": self.default_size}
        return [
            {"name": self.cursor_parameter, "in": "query", "required": False, "schema": {"type": "string"}},
            {"name": self.size_parameter, "in": "query", "required": False, "schema": limit},
        ]


class NumberedPages(NewestFirst):
    """Of rows with numbers instead of ids."""

    def _packed(self, pk: Any) -> bytes:
        packed: bytes = pk.to_bytes(8)
        return packed

    def _unpacked(self, raw: bytes) -> Any:
        number = int.from_bytes(raw)
        if len(raw) != 8 or number >= 2**63:
            raise ValueError("no number of ours")
        return number


class SiftedPages(NewestFirst):
    """Of the rows that an index finds, those that no index can tell apart.

    One page looks at so many rows and no further, so it costs the same whatever is asked for. It may hold fewer
    rows than it could, or none, and still have a next one.
    """

    most_looked_at: ClassVar[int] = 10_000

    def sift[M: Model](self, candidates: QuerySet[M], wanted: Q, request: Request) -> list[M]:
        size = self._size(request)
        direction, position = self._cursor(request)
        is_newer = direction is Direction.NEWER
        ahead = candidates.order_by("pk" if is_newer else "-pk")
        if position is not None:
            ahead = ahead.filter(**{"pk__gt" if is_newer else "pk__lt": position})
        edge = None
        if wanted:
            edge = ahead.values_list("pk", flat=True)[self.most_looked_at - 1 : self.most_looked_at].first()
        if edge is not None:
            ahead = ahead.filter(**{"pk__lte" if is_newer else "pk__gte": edge})
        rows = list(ahead.filter(wanted)[: size + 1])
        # Where the next page goes on: behind its last row, or behind all that was looked at.
        end = rows[size - 1].pk if len(rows) > size else edge
        rows = rows[:size]
        # Where the page before goes on; its own end was not part of this one.
        start = None if position is None else rows[0].pk if rows else _beside(position, 1 if is_newer else -1)
        older, newer = (start, end) if is_newer else (end, start)
        url = request.build_absolute_uri()
        self._older = self._link(url, Direction.OLDER, older) if older is not None else None
        self._newer = self._link(url, Direction.NEWER, newer) if newer is not None else None
        return rows[::-1] if is_newer else rows


def _beside(position: UUID, step: int) -> UUID:
    return UUID(int=min(max(position.int + step, 0), 2**128 - 1))
