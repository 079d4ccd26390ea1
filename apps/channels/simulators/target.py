"""Somebody's own address for webhooks: it takes what is signed as Standard Webhooks want it, and nothing else."""

import base64
import hashlib
import hmac
import time
from collections.abc import Iterable, Sequence

from aiohttp import web

from apps.channels.simulators.callbacks import Callbacks, News
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Fault, Faults, Kind
from apps.channels.simulators.provider import Delayed, Message, Provider, Said, cut, read_json_object
from apps.channels.simulators.shelf import Shelf
from apps.channels.simulators.tally import Tally
from apps.core import standard_webhooks

# Beyond it, a webhook is not believed to be from now.
_LATE_SECONDS = 300
_STATUSES = {
    Kind.RATE_LIMITED: 429,
    Kind.PAIR_RATE_LIMITED: 429,
    Kind.SERVER_ERROR: 500,
    Kind.BLOCKED: 404,
    Kind.OPTED_OUT: 410,
    Kind.INVALID_TOKEN: 401,
}


def secret_of(app_secret: str) -> str:
    """What all targets expect to be signed with; whoever started the simulators can tell it."""
    return standard_webhooks.PREFIX + base64.b64encode(hashlib.sha256(app_secret.encode()).digest()).decode()


class Target(Provider[Message]):
    name = "target"

    def __init__(
        self, faults: Faults, delays: Delays, tally: Tally, callbacks: Callbacks, secret: str, *, shelf: Shelf
    ) -> None:
        super().__init__(faults, delays, tally, callbacks, shelf=shelf)
        self._secret = secret

    def routes(self) -> Iterable[web.RouteDef]:
        return [web.post("/{name}", self.receive)]

    async def receive(self, request: web.Request) -> web.Response:
        body = await self.body_of(request)
        if body is None:
            return cut(request)
        if not self._is_signed(request, body):
            return await self.refuse("unsigned", web.Response(status=401, text="This is not signed."))
        match read_json_object(body):
            case {"data": {"text": str(text)}}:
                message = Message(str(request.url), request.headers["webhook-id"], text)
                return await self.take(request, request.match_info["name"], message)
        return await self.refuse("malformed", web.Response(status=400, text="This is no message."))

    def new_message_id(self, run: str, number: int) -> str:
        return f"{run}{number}"

    def accepted(self, account: str, message: Message, message_id: str) -> web.Response:
        return web.Response(status=204)

    def refusal(self, fault: Fault) -> web.Response:
        status = _STATUSES[fault.kind]
        headers = {"Retry-After": str(fault.retry_after)} if status == 429 else {}
        return web.Response(status=status, text=fault.kind, headers=headers)

    # A target tells nothing afterwards, and nobody writes through it.

    def statuses(self, account: str, message: Message, message_id: str, starts_at: float) -> Sequence[Delayed]:
        return []

    def failure(self, account: str, message: Message, message_id: str, starts_at: float) -> Sequence[Delayed]:
        return []

    def inbound(self, said: Said, message_id: str) -> News:
        return News(said.account, b"")

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        message_id = request.headers.get("webhook-id", "")
        sent_at = request.headers.get("webhook-timestamp", "")
        if not (message_id and sent_at.isascii() and sent_at.isdigit()):
            return False
        if abs(time.time() - int(sent_at)) > _LATE_SECONDS:
            return False
        expected = standard_webhooks.headers([self._secret], message_id, int(sent_at), body)["webhook-signature"]
        given = request.headers.get("webhook-signature", "").split(" ")
        return any(hmac.compare_digest(expected.encode(), each.encode()) for each in given)
