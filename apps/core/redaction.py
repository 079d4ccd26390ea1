"""Keep secrets, message bodies and personal words out of everything that is logged.

Names decide first: a value under a telling key is never shown. Shapes decide second: a token that somebody
wrote into a sentence, a URL or a traceback is cut out of it.
"""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[hidden]"
MAX_TEXT = 8_000
MAX_DEPTH = 6

_TELLING = re.compile(
    r"authorization|cookie|password|passphrase|secret|token|ticket|credential|signature|api[-_]?key|apikey"
    r"|encryption[-_]?key|private[-_]?key|^(body|text|html|content|caption|otp|code|cpf|cnpj)$",
    re.IGNORECASE,
)
# Names that only look telling; their values say nothing secret.
_HARMLESS = {"code": int}

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # name=value in query strings and form bodies, "name": "value" in JSON, name: value in headers
    (
        re.compile(
            r"(?P<name>\b(?:access_token|refresh_token|token|ticket|api[-_]?key|apikey|secret|client_secret|password"
            r"|signature|hub\.verify_token|x-amz-signature|x-amz-credential)[\"']?\s*[=:]\s*[\"']?)[^\s&\"',;}]+",
            re.IGNORECASE,
        ),
        rf"\g<name>{HIDDEN}",
    ),
    (re.compile(r"\b(?P<scheme>bearer|basic|api-key)\s+[\w\-.~+/=:]{8,}", re.IGNORECASE), rf"\g<scheme> {HIDDEN}"),
    (re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),  # a JWT
    (re.compile(r"\brk_[a-z0-9]{8,}_[A-Za-z0-9_-]+"), HIDDEN),  # an API key of ours
    (re.compile(r"\bwhsec_[\w+/=-]+"), HIDDEN),  # a webhook secret
    (
        re.compile(r"(?P<scheme>(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}://[^\s:/@]*):[^\s@/]+@", re.IGNORECASE),
        rf"\g<scheme>:{HIDDEN}@",
    ),
    (re.compile(r"(?P<path>/(?:reset/key|confirm-email)/)[^\s\"'?]+"), rf"\g<path>{HIDDEN}"),
    # by which a person says what they want, or gets a file
    (re.compile(r"(?P<path>/(?:p|f|pix)/)[^\s\"'?/]{20,}"), rf"\g<path>{HIDDEN}"),
    (re.compile(r"/bot\d+:[\w-]{20,}"), f"/bot{HIDDEN}"),  # Telegram puts its token into the path
)


def redact_text(text: str) -> str:
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + f"… ({len(text) - MAX_TEXT} more)"
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def redact(value: Any, *, name: str = "", depth: int = 0) -> Any:  # noqa: PLR0911 - one for each kind
    """A copy of `value` that is safe to show."""
    if name and _TELLING.search(name) and not isinstance(value, _HARMLESS.get(name, ())):
        return HIDDEN
    if isinstance(value, str):
        return redact_text(value)
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {key: redact(item, name=str(key), depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, depth=depth + 1) for item in value]
    if isinstance(value, bytes):
        return f"[{len(value)} bytes]"
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_text(str(value))
