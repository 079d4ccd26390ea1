"""JSON in and out by orjson: fast, and strict about what a hostile sender may try.

It refuses NaN, lone surrogates and nesting deep enough to exhaust the stack with an ordinary error, where the
standard library's parser accepts them or dies.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        try:
            return orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise ParseError(
                _("The body is not valid JSON: line %(line)d, column %(column)d.")
                % {"line": error.lineno, "column": error.colno},
                code="malformed_json",
            ) from error


class FastJSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_as_json, option=orjson.OPT_UTC_Z)


def _as_json(value: Any) -> str:
    if isinstance(value, Promise):  # a translation, which is made only now, in the reader's language
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class AlwaysJSON(BaseContentNegotiation):
    """There is one format, so nobody is refused for asking in another way."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        content_type = (request.content_type or "").partition(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type == content_type), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, renderer.media_type
