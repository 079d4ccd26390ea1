"""What both providers have from Meta's Graph API: bearer tokens, the error envelope, and the course of a send."""

import asyncio
import itertools
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import orjson
from aiohttp import web

from apps.channels.simulators.callbacks import Callbacks
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Fault, Faults, Kind
from apps.channels.simulators.tally import Tally

_JSON = "application/json; charset=utf-8"


type Delayed = tuple[float, bytes]
"""Seconds after the answer, and a status as JSON."""


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


@dataclass(frozen=True, slots=True)
class Message:
    to: str
    """As it was given: faults and the tally go by it."""

    key: str
    """What a message is recognized by when it comes a second time; empty if nothing tells."""

    text: str


class GraphApi[Sent: Message](ABC):
    """The course of a send is here; a provider says how its messages, answers, errors and statuses look."""

    name: ClassVar[str]
    errors: ClassVar[Mapping[Kind, GraphError]]

    def __init__(self, faults: Faults, delays: Delays, tally: Tally, callbacks: Callbacks) -> None:
        self.delays = delays
        self._faults = faults
        self._tally = tally
        self._callbacks = callbacks
        # No id comes twice, not even after a restart.
        self._run = secrets.token_hex(8).upper()
        self._numbers = itertools.count(1)

    @abstractmethod
    def read_message(self, body: Mapping[str, Any]) -> Sent:
        """Raises Rejected."""

    @abstractmethod
    def new_message_id(self, run: str, number: int) -> str: ...

    @abstractmethod
    def accepted(self, message: Sent, message_id: str) -> object:
        """The answer to whoever sent it."""

    @abstractmethod
    def statuses(self, account: str, message: Sent, message_id: str, starts_at: float) -> Sequence[Delayed]:
        """In the order in which they happen. `starts_at` is in seconds since 1970."""

    @abstractmethod
    def facts(self, account: str) -> object: ...

    def account(self, named: str, token: str) -> str:
        return named

    async def send(self, request: web.Request) -> web.Response:
        self._tally.requests += 1
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            self._tally.refused["malformed"] += 1
            raise
        except ConnectionError:
            self._tally.refused["hung_up"] += 1
            return _cut(request)
        token = _token(request)
        if token is None:
            return await self._refuse(Kind.INVALID_TOKEN, BAD_TOKEN.answer(), self.delays.latency)
        account = self.account(request.match_info["account"], token)
        try:
            message = self.read_message(_read_object(body))
        except Rejected as rejected:
            return await self._refuse("malformed", rejected.error.answer(), self.delays.latency)

        return await self._take(request, account, message)

    async def show(self, request: web.Request) -> web.Response:
        """The account's facts, which is how credentials are checked. Not counted: it sends nothing."""
        token = _token(request)
        if token is None:
            await _pause(self.delays.latency)
            return BAD_TOKEN.answer()
        account = self.account(request.match_info["account"], token)
        struck = self._faults.strike(self.name, account, None)
        await _pause(self.delays.latency + struck.seconds)
        if struck.refusal is None:
            return json_answer(self.facts(account))
        if struck.refusal.kind is Kind.CUT_BEFORE:
            return _cut(request)
        return self._error_of(struck.refusal)

    async def _take(self, request: web.Request, account: str, message: Sent) -> web.Response:
        struck = self._faults.strike(self.name, account, message.to)
        wait = self.delays.latency + struck.seconds
        if struck.refusal:
            if struck.refusal.kind is Kind.CUT_BEFORE:
                self._tally.cut += 1
                await _pause(wait)
                return _cut(request)
            return await self._refuse(struck.refusal.kind, self._error_of(struck.refusal), wait)

        message_id = self.new_message_id(self._run, next(self._numbers))
        self._tally.accept(self.name, account, message.to, message.key or message_id, message.text)
        # Scheduled before the wait: they come even if nobody is left to hear the answer.
        at_once = self._call_back(account, message, message_id, wait, struck.kinds)
        await _pause(wait)
        if at_once:
            await self._callbacks.post_now([(account, status) for status in at_once])
        if Kind.CUT_AFTER in struck.kinds:
            self._tally.cut += 1
            return _cut(request)
        return json_answer(self.accepted(message, message_id))

    def _call_back(
        self, account: str, message: Sent, message_id: str, wait: float, kinds: set[Kind]
    ) -> list[bytes]:
        """Schedules the statuses, or returns those that are to go before the answer."""
        if Kind.NO_CALLBACKS in kinds:
            return []
        statuses = self.statuses(account, message, message_id, time.time() + wait)
        if kinds:
            statuses = _disturbed(statuses, kinds, self._callbacks.group_seconds)
            if Kind.CALLBACKS_FIRST in kinds:
                return [status for _, status in statuses]
        starts_at = asyncio.get_running_loop().time() + wait
        for delay, status in statuses:
            self._callbacks.add(starts_at + delay, (account, status))
        return []

    async def _refuse(self, kind: str, answer: web.Response, wait: float) -> web.Response:
        self._tally.refused[str(kind)] += 1
        await _pause(wait)
        return answer

    def _error_of(self, fault: Fault) -> web.Response:
        limited = fault.kind in {Kind.RATE_LIMITED, Kind.PAIR_RATE_LIMITED}
        return self.errors[fault.kind].answer(fault.retry_after if limited else None)


def json_answer(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=orjson.dumps(document), status=status, headers={"Content-Type": _JSON, **(headers or {})}
    )


def json_text(content: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(content).decode()
    except orjson.JSONEncodeError:  # it reads more levels than it writes
        raise Rejected(GraphError(400, 100, "(#100) The message is nested too deeply")) from None


def _token(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or token.startswith("invalid"):
        return None
    return token


def _read_object(body: bytes) -> Mapping[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise Rejected(GraphError(400, 100, "(#100) The request's body is no JSON object"))
    return document


def _cut(request: web.Request) -> web.Response:
    """Closes the connection; aiohttp finds that out when it tries to write the answer, and lets it be."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _disturbed(statuses: Sequence[Delayed], kinds: set[Kind], group_seconds: float) -> Sequence[Delayed]:
    if Kind.REORDERED_CALLBACKS in kinds:
        delays = sorted(delay for delay, _ in statuses)
        statuses = [(delay, status) for delay, (_, status) in zip(delays, reversed(statuses), strict=True)]
    if Kind.DUPLICATE_CALLBACKS in kinds:
        # So much later that it comes in another callback: one and a half, because one might be rounded down.
        again = [(delay + 1.5 * group_seconds, status) for delay, status in statuses]
        statuses = [either for both in zip(statuses, again, strict=True) for either in both]
    return statuses


async def _pause(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)
