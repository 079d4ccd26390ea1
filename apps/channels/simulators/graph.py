"""What the simulated WhatsApp and Instagram have in common: Meta's tokens, errors and signatures."""

import hmac
import secrets
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from aiohttp import web

from apps.channels.simulators.callbacks import News, Post, by_account
from apps.channels.simulators.faults import Fault, Kind
from apps.channels.simulators.provider import Message, Provider, cut, json_answer, pause, read_json_object

type Envelope = Callable[[Mapping[str, Sequence[bytes]]], bytes]
"""Puts news, by account, into the body of one callback."""


class Rejected(Exception):
    """The request is no message."""

    def __init__(self, error: "GraphError") -> None:
        self.error = error


@dataclass(frozen=True, slots=True)
class GraphError:
    status: int
    code: int
    message: str
    subcode: int | None = None
    details: str = ""
    type: str = "OAuthException"
    is_transient: bool = False

    def answer(self, retry_after: int | None = None) -> web.Response:
        error: dict[str, Any] = {"message": self.message, "type": self.type, "code": self.code}
        if self.is_transient:
            error["is_transient"] = True
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return json_answer({"error": error}, self.status, headers)


BAD_TOKEN = GraphError(401, 190, "Invalid OAuth access token - Cannot parse access token")


class GraphApi[Sent: Message](Provider[Sent]):
    errors: ClassVar[Mapping[Kind, GraphError]]

    @abstractmethod
    def read_message(self, body: Mapping[str, Any]) -> Sent:
        """Raises Rejected."""

    @abstractmethod
    def receipt(self, message: Sent, message_id: str) -> object:
        """What is answered to whoever sent it."""

    @abstractmethod
    def facts(self, account: str) -> object: ...

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.post("/{version}/{account}/messages", self.send), web.get("/{version}/{account}", self.show)]

    def account(self, named: str, token: str) -> str:
        return named

    def credential(self, request: web.Request) -> str:
        return token_of(request) or ""

    def accepted(self, account: str, message: Sent, message_id: str) -> web.Response:
        return json_answer(self.receipt(message, message_id))

    def refusal(self, fault: Fault) -> web.Response:
        limited = fault.kind in {Kind.RATE_LIMITED, Kind.PAIR_RATE_LIMITED}
        return self.errors[fault.kind].answer(fault.retry_after if limited else None)

    async def send(self, request: web.Request) -> web.Response:
        body = await self.body_of(request)
        if body is None:
            return cut(request)
        token = token_of(request)
        if token is None:
            return await self.refuse(Kind.INVALID_TOKEN, BAD_TOKEN.answer())
        account = self.account(request.match_info["account"], token)
        try:
            message = self.read_message(_read_object(body))
        except Rejected as rejected:
            return await self.refuse("malformed", rejected.error.answer())
        return await self.take(request, account, message)

    async def show(self, request: web.Request) -> web.Response:
        token = token_of(request)
        if token is None:
            await pause(self.delays.latency)
            return BAD_TOKEN.answer()
        account = self.account(request.match_info["account"], token)
        return await self.show_facts(request, account, self.facts(account))


def signing(url: str, secret: str, envelope: Envelope) -> Callable[[Sequence[News]], Post]:
    """Puts news together, under the app's signature."""
    key = secret.encode()

    def compose(news: Sequence[News]) -> Post:
        body = envelope(by_account(news))
        signature = hmac.digest(key, body, "sha256").hex()
        return Post(url, {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}, body)

    return compose


def is_link(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("https://", "http://")) and value.isprintable()


def noted(words: str, *notes: str) -> str:
    """How the tally tells a message that is more than its words."""
    return " ".join(filter(None, [words, *(f"[{note}]" for note in notes)]))


def json_text(content: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(content).decode()
    except orjson.JSONEncodeError:  # it reads more levels than it writes
        raise Rejected(GraphError(400, 100, "(#100) The message is nested too deeply")) from None


def token_of(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or token.startswith("invalid"):
        return None
    return token


def _read_object(body: bytes) -> Mapping[str, Any]:
    document = read_json_object(body)
    if document is None:
        raise Rejected(GraphError(400, 100, "(#100) The request's body is no JSON object"))
    return document
