"""Twilio's Programmable Messaging, as far as sending goes: forms come in, and signed forms go out to the address
that each message named.
"""

import re
import time
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit

from aiohttp import web

from apps.channels.signatures import of_twilio
from apps.channels.simulators.callbacks import Callbacks, News, Post
from apps.channels.simulators.delays import Delays
from apps.channels.simulators.faults import Fault, Faults, Kind
from apps.channels.simulators.provider import Delayed, Message, Provider, Said, cut, json_answer, pause
from apps.channels.simulators.shelf import Held, Shelf, handed_out
from apps.channels.simulators.tally import Tally

_VERSION = "2010-04-01"
_LONGEST_TEXT = 1600
_MOST_ACCOUNTS = 1000
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SOME_NUMBER = "+15005550006"
_UNREACHABLE = "30003"
_SIGNATURE = "simulated"


@dataclass(frozen=True, slots=True)
class TwilioError:
    status: int
    code: int
    message: str

    def answer(self, retry_after: int | None = None) -> web.Response:
        error = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return json_answer(error, self.status, {} if retry_after is None else {"Retry-After": str(retry_after)})


BAD_TOKEN = TwilioError(401, 20003, "Authenticate")
_TOO_MANY = TwilioError(429, 20429, "Too Many Requests")


class Rejected(Exception):
    """The request is no message."""

    def __init__(self, error: TwilioError) -> None:
        self.error = error


@dataclass(frozen=True, slots=True)
class SmsMessage(Message):
    sender: str
    service: str
    media: int


@dataclass(slots=True)
class Account:
    token: str
    number: str = _SOME_NUMBER
    """Whom people write to."""

    sms_url: str = ""
    """Where it is told what people write: as Twilio's console says, or where its last message's statuses go."""


class Accounts:
    """Those who sent something, with what signs their callbacks."""

    def __init__(self) -> None:
        self._known: dict[str, Account] = {}

    def log_in(self, request: web.Request) -> Account | None:
        sid, token = request.match_info["sid"], _token(request)
        if not token:
            return None
        account = self._known.setdefault(sid, Account(token))
        account.token = token
        if len(self._known) > _MOST_ACCOUNTS:
            del self._known[next(iter(self._known))]
        return account

    def find(self, sid: str) -> Account:
        return self._known.get(sid, Account(""))

    def compose(self, news: Sequence[News]) -> Post | None:
        """Each callback tells one thing."""
        (told,) = news
        if not told.url:
            return None
        fields = parse_qsl(told.body.decode(), keep_blank_values=True)
        signature = of_twilio(told.url, fields, self.find(told.account).token)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": signature,
        }
        return Post(told.url, headers, told.body)


class Twilio(Provider[SmsMessage]):
    name = "twilio"
    # It has no limit for a pair: it says then what comes closest.
    errors = {
        Kind.RATE_LIMITED: _TOO_MANY,
        Kind.PAIR_RATE_LIMITED: _TOO_MANY,
        Kind.SERVER_ERROR: TwilioError(500, 20500, "An internal server error has occurred"),
        Kind.BLOCKED: TwilioError(400, 21614, "'To' number is not a valid mobile number"),
        Kind.OPTED_OUT: TwilioError(400, 21610, "Attempt to send to unsubscribed recipient"),
        Kind.INVALID_TOKEN: BAD_TOKEN,
    }

    def __init__(
        self,
        faults: Faults,
        delays: Delays,
        tally: Tally,
        callbacks: Callbacks,
        accounts: Accounts,
        *,
        shelf: Shelf,
    ) -> None:
        super().__init__(faults, delays, tally, callbacks, shelf=shelf)
        self._accounts = accounts

    def routes(self) -> Iterable[web.RouteDef]:
        account = f"/{_VERSION}/Accounts/{{sid}}"
        return [
            web.post(f"{account}/Messages.json", self.send),
            web.post(f"{account}/IncomingPhoneNumbers/{{number}}.json", self.change_number),
            web.get(f"{account}.json", self.show),
            web.get(f"{account}/Media/{{id}}", self.lead_to_media),
            web.get("/media/{id}", self.hand_out),
        ]

    def new_message_id(self, run: str, number: int) -> str:
        return f"SM{run.lower()}{number:016x}"

    def accepted(self, account: str, message: SmsMessage, message_id: str) -> web.Response:
        now = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
        uri = f"/{_VERSION}/Accounts/{account}/Messages/{message_id}"
        created = {
            "sid": message_id,
            "account_sid": account,
            "messaging_service_sid": message.service or None,
            "from": message.sender or None,
            "to": message.to,
            "body": message.text,
            "status": "accepted" if message.service else "queued",
            "direction": "outbound-api",
            "num_segments": "1",
            "num_media": str(message.media),
            "error_code": None,
            "error_message": None,
            "price": None,
            "price_unit": "USD",
            "date_created": now,
            "date_updated": now,
            "date_sent": None,
            "api_version": _VERSION,
            "uri": f"{uri}.json",
            "subresource_uris": {"media": f"{uri}/Media.json"},
        }
        return json_answer(created, 201)

    def statuses(self, account: str, message: SmsMessage, message_id: str, starts_at: float) -> Sequence[Delayed]:
        return [
            (self.delays.sent_after, _status(account, message, message_id, "sent")),
            (self.delays.delivered_after, _status(account, message, message_id, "delivered")),
        ]

    def failure(self, account: str, message: SmsMessage, message_id: str, starts_at: float) -> Sequence[Delayed]:
        undelivered = _status(account, message, message_id, "undelivered", ErrorCode=_UNREACHABLE)
        return [
            (self.delays.sent_after, _status(account, message, message_id, "sent")),
            (self.delays.delivered_after, undelivered),
        ]

    def credential(self, request: web.Request) -> str:
        return _token(request)

    def refusal(self, fault: Fault) -> web.Response:
        error = self.errors[fault.kind]
        return error.answer(fault.retry_after if error is _TOO_MANY else None)

    def inbound(self, said: Said, message_id: str) -> News:
        account = self._accounts.find(said.account)
        form = {
            "MessageSid": message_id,
            "SmsSid": message_id,
            "SmsMessageSid": message_id,
            "AccountSid": said.account,
            "From": f"+{said.sender.removeprefix('+')}",
            "To": account.number,
            "Body": said.text,
            "NumMedia": "1" if said.media_url else "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": _VERSION,
        }
        if said.media_url:
            held = self.shelf.get(said.media)
            media_type = held.media_type if held else f"{said.media_kind or 'image'}/simulated"
            form |= {"MediaUrl0": said.media_url, "MediaContentType0": media_type}
        return News(said.account, urlencode(form).encode(), account.sms_url)

    def reference(self, held: Held, said: Said, origin: str) -> str:
        return f"{origin}/twilio/{_VERSION}/Accounts/{said.account}/Media/{held.id}"

    async def lead_to_media(self, request: web.Request) -> web.Response:
        """Whoever may see it is sent on to where it lies."""
        if self._accounts.log_in(request) is None:
            return BAD_TOKEN.answer()
        held = self.shelf.get(request.match_info["id"])
        if held is None:
            return TwilioError(404, 20404, "The requested resource was not found").answer()
        return web.Response(status=307, headers={"Location": f"/twilio/media/{held.id}?Signature={_SIGNATURE}"})

    async def hand_out(self, request: web.Request) -> web.Response:
        """Signed links are good without credentials, and like an S3 it takes no second way to log in."""
        if "Authorization" in request.headers or request.query.get("Signature") != _SIGNATURE:
            return web.Response(status=400, text="Only one auth mechanism allowed")
        return handed_out(request, self.shelf.get(request.match_info["id"]))

    async def send(self, request: web.Request) -> web.Response:
        body = await self.body_of(request)
        if body is None:
            return cut(request)
        account = self._accounts.log_in(request)
        if account is None:
            return await self.refuse(Kind.INVALID_TOKEN, BAD_TOKEN.answer())
        try:
            message = _read_message(body)
        except Rejected as rejected:
            return await self.refuse("malformed", rejected.error.answer())
        account.number = message.sender or account.number
        if message.callback_url:
            account.sms_url = urlunsplit(urlsplit(message.callback_url)._replace(query=""))
        return await self.take(request, request.match_info["sid"], message)

    async def change_number(self, request: web.Request) -> web.Response:
        """Where the number's owner wants to hear what people write."""
        form = dict(parse_qsl((await request.read()).decode(errors="replace")))
        account = self._accounts.log_in(request)
        await pause(self.delays.latency)
        if account is None:
            return BAD_TOKEN.answer()
        account.sms_url = form.get("SmsUrl", account.sms_url)
        sid = request.match_info["sid"]
        return json_answer({"sid": request.match_info["number"], "account_sid": sid, "sms_url": account.sms_url})

    async def show(self, request: web.Request) -> web.Response:
        if self._accounts.log_in(request) is None:
            await pause(self.delays.latency)
            return BAD_TOKEN.answer()
        sid = request.match_info["sid"]
        facts = {"sid": sid, "friendly_name": f"Simulated account {sid}", "status": "active", "type": "Full"}
        return await self.show_facts(request, sid, facts)


def _read_message(body: bytes) -> SmsMessage:
    """Raises Rejected."""
    form = parse_qs(body.decode(errors="replace"))

    def given(name: str) -> str:
        return form.get(name, [""])[-1]

    to, text, media, callback_url = given("To"), given("Body"), form.get("MediaUrl", []), given("StatusCallback")
    if not to:
        raise Rejected(TwilioError(400, 21604, "A 'To' phone number is required."))
    if not _NUMBER.fullmatch(to):
        raise Rejected(TwilioError(400, 21211, f"The 'To' number {to} is not a valid phone number."))
    if not (given("From") or given("MessagingServiceSid")):
        raise Rejected(TwilioError(400, 21603, "A 'From' phone number is required."))
    if not (text or media):
        raise Rejected(TwilioError(400, 21602, "Message body is required."))
    if len(text) > _LONGEST_TEXT:
        raise Rejected(TwilioError(400, 21617, "The concatenated message body exceeds the 1600 character limit."))
    if callback_url and not _is_url(callback_url):
        raise Rejected(TwilioError(400, 21609, "The 'StatusCallback' URL is not a valid URL."))
    return SmsMessage(
        to,
        _key(callback_url),
        text or " ".join(media),
        given("From"),
        given("MessagingServiceSid"),
        len(media),
        callback_url=callback_url,
    )


def _key(callback_url: str) -> str:
    """Twilio recognizes nothing. Whoever names the message in the address of its statuses can be told apart."""
    named = parse_qs(urlsplit(callback_url).query)
    return named.get("message", [""])[0]


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _status(account: str, message: SmsMessage, message_id: str, word: str, **more: str) -> bytes:
    form: Mapping[str, str] = {
        "MessageSid": message_id,
        "SmsSid": message_id,
        "MessageStatus": word,
        "SmsStatus": word,
        "AccountSid": account,
        "From": message.sender,
        "To": message.to,
        "ApiVersion": _VERSION,
        **more,
    }
    return urlencode(form).encode()


def _token(request: web.Request) -> str:
    """Of whoever logs in as the account itself; empty where it is none."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        sid, _, token = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        return ""
    is_good = scheme.lower() == "basic" and sid == request.match_info["sid"] and not token.startswith("invalid")
    return token if is_good else ""
