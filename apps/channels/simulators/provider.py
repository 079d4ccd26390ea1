"""What all simulated providers have in common: the course of a message, and what people say back."""

import asyncio
import itertools
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import orjson
from aiohttp import web

from apps.channels.simulators.callbacks import Callbacks, News
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Fault, Faults, Kind
from apps.channels.simulators.fields import read_object, read_text
from apps.channels.simulators.shelf import Held, Shelf
from apps.channels.simulators.tally import Tally

_JSON = "application/json; charset=utf-8"
_SAID = frozenset(
    {"provider", "account", "from", "text", "name", "media", "media_url", "media_kind", "button", "reply_to"}
)

type Delayed = tuple[float, bytes]
"""Seconds after the answer, and a status as the provider writes it."""


@dataclass(frozen=True, slots=True)
class Message:
    to: str
    """As it was given: faults and the tally go by it."""

    key: str
    """What a message is recognized by when it comes a second time; empty if nothing tells."""

    text: str

    callback_url: str = field(default="", kw_only=True)
    """Where its statuses go, for providers that are told with each message."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a simulated person writes to an account."""

    account: str
    """Empty where it was left out: then it is the only one that the provider knows."""

    sender: str
    text: str = ""
    name: str = ""
    media: str = ""
    """The id of a file that is held here."""

    media_url: str = ""
    """Or where a file lies that others hold."""

    media_kind: str = ""

    button: str = ""
    """The id of the button that they touch."""

    reply_to: str = ""
    """The provider's id of the message that they answer."""

    @classmethod
    def parse(cls, document: object) -> tuple[str, "Said"]:
        """The provider's name, and what is said there."""
        given = read_object(document, _SAID, "what somebody says")
        names = {"account": "account", "sender": "from", **{name: name for name in (
            "text", "name", "media", "media_url", "media_kind", "button", "reply_to")}}  # fmt: skip
        read = {name: read_text(given, written) or "" for name, written in names.items()}
        return read_text(given, "provider") or "", cls(**read)


class Provider[Sent: Message](ABC):
    """The course of a send is here; a provider says how its messages, answers, errors and statuses look."""

    name: ClassVar[str]

    def __init__(
        self, faults: Faults, delays: Delays, tally: Tally, callbacks: Callbacks, *, shelf: Shelf
    ) -> None:
        self.delays = delays
        self.shelf = shelf
        self._faults = faults
        self._tally = tally
        self._callbacks = callbacks
        # No id comes twice, not even after a restart.
        self._run = secrets.token_hex(8).upper()
        self._numbers = itertools.count(1)

    @abstractmethod
    def routes(self) -> Iterable[web.RouteDef]:
        """Its addresses, below /{name}."""

    @abstractmethod
    def new_message_id(self, run: str, number: int) -> str: ...

    @abstractmethod
    def accepted(self, account: str, message: Sent, message_id: str) -> web.Response:
        """The answer to whoever sent it."""

    @abstractmethod
    def statuses(self, account: str, message: Sent, message_id: str, starts_at: float) -> Sequence[Delayed]:
        """In the order in which they happen. `starts_at` is in seconds since 1970."""

    @abstractmethod
    def failure(self, account: str, message: Sent, message_id: str, starts_at: float) -> Sequence[Delayed]:
        """What it tells instead, when a message that it took does not arrive."""

    @abstractmethod
    def refusal(self, fault: Fault) -> web.Response:
        """How it says no."""

    @abstractmethod
    def inbound(self, said: Said, message_id: str) -> News:
        """What it posts when a person writes."""

    def accounts(self) -> Collection[str]:
        """Those that it knows by itself, if it knows any."""
        return ()

    def credential(self, request: web.Request) -> str:
        """What a request proves with whose it is, as far as that can be revoked."""
        return ""

    def reference(self, held: Held, said: Said, origin: str) -> str:
        """What it tells of a file that a person sends: its id, or its address below `origin`."""
        return held.id

    async def say(self, said: Said, origin: str) -> str:
        """A person writes. Returns the provider's id of it, once it was posted or failed to be."""
        if not said.account:
            said = replace(said, account=self._only_account())
        if held := self.shelf.get(said.media):
            kind = said.media_kind or held.kind
            said = replace(said, media_url=self.reference(held, said, origin), media_kind=kind)
        message_id = self.next_id()
        await self._callbacks.post_now([self.inbound(said, message_id)])
        return message_id

    def next_id(self) -> str:
        return self.new_message_id(self._run, next(self._numbers))

    async def take(self, request: web.Request, account: str, message: Sent) -> web.Response:
        """A message that is one: accepted, or whatever a fault makes of it."""
        struck = self._faults.strike(self.name, account, message.to, self.credential(request))
        wait = self.delays.latency + struck.seconds
        if struck.refusal:
            if struck.refusal.kind is Kind.CUT_BEFORE:
                self._tally.cut += 1
                await pause(wait)
                return cut(request)
            return await self.refuse(struck.refusal.kind, self.refusal(struck.refusal), wait)

        message_id = self.next_id()
        self._tally.accept(self.name, account, message.to, message.key or message_id, message.text)
        # Scheduled before the wait: they come even if nobody is left to hear the answer.
        at_once = self._call_back(account, message, message_id, wait, struck.kinds)
        await pause(wait)
        if at_once:
            await self._callbacks.post_now(at_once)
        if Kind.CUT_AFTER in struck.kinds:
            self._tally.cut += 1
            return cut(request)
        return self.accepted(account, message, message_id)

    async def refuse(self, kind: str, answer: web.Response, wait: float | None = None) -> web.Response:
        self._tally.refused[str(kind)] += 1
        await pause(self.delays.latency if wait is None else wait)
        return answer

    async def show_facts(self, request: web.Request, account: str, facts: object) -> web.Response:
        """The account's facts, which is how credentials are checked. Not counted: it sends nothing."""
        struck = self._faults.strike(self.name, account, None, self.credential(request))
        await pause(self.delays.latency + struck.seconds)
        if struck.refusal is None:
            return json_answer(facts)
        if struck.refusal.kind is Kind.CUT_BEFORE:
            return cut(request)
        return self.refusal(struck.refusal)

    async def body_of(self, request: web.Request) -> bytes | None:
        """What was sent; None where whoever sent it hung up."""
        self._tally.requests += 1
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge:
            self._tally.refused["malformed"] += 1
            raise
        except ConnectionError:
            self._tally.refused["hung_up"] += 1
            return None

    def _only_account(self) -> str:
        known = self.accounts()
        if len(known) != 1:
            problem = orjson.dumps({"error": f"account is needed: {self.name} knows {len(known)} by itself"})
            raise web.HTTPBadRequest(text=problem.decode(), content_type="application/json")
        return next(iter(known))

    def _call_back(
        self, account: str, message: Sent, message_id: str, wait: float, kinds: set[Kind]
    ) -> list[News]:
        """Schedules the statuses, or returns those that are to go before the answer."""
        if Kind.NO_CALLBACKS in kinds:
            return []
        tell = self.failure if Kind.UNDELIVERABLE in kinds else self.statuses
        statuses = tell(account, message, message_id, time.time() + wait)
        if kinds:
            statuses = _disturbed(statuses, kinds, self._callbacks.group_seconds)
            if Kind.CALLBACKS_FIRST in kinds:
                return [News(account, status, message.callback_url) for _, status in statuses]
        starts_at = asyncio.get_running_loop().time() + wait
        for delay, status in statuses:
            self._callbacks.add(starts_at + delay, News(account, status, message.callback_url))
        return []


def json_answer(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=orjson.dumps(document), status=status, headers={"Content-Type": _JSON, **(headers or {})}
    )


def read_json_object(body: bytes) -> Mapping[str, Any] | None:
    """None where it is none."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def cut(request: web.Request) -> web.Response:
    """Closes the connection; aiohttp finds that out when it tries to write the answer, and lets it be."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def pause(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


def _disturbed(statuses: Sequence[Delayed], kinds: set[Kind], group_seconds: float) -> Sequence[Delayed]:
    if Kind.REORDERED_CALLBACKS in kinds:
        delays = sorted(delay for delay, _ in statuses)
        statuses = [(delay, status) for delay, (_, status) in zip(delays, reversed(statuses), strict=True)]
    if Kind.DUPLICATE_CALLBACKS in kinds:
        # So much later that it comes in another callback: one and a half, because one might be rounded down.
        again = [(delay + 1.5 * group_seconds, status) for delay, status in statuses]
        statuses = [either for both in zip(statuses, again, strict=True) for either in both]
    return statuses
