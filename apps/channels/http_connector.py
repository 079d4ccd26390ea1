"""Providers that take a message as one HTTP request and answer with their id of it."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import orjson

from apps.channels.callback import is_storable_id
from apps.channels.connector import Connector, Outbound
from apps.channels.errors import AccountRejected, Heard, OutcomeUnknown, SendFailed, Transient
from apps.channels.hiding import without
from apps.core.guarded_http import (
    Answer,
    GuardedClient,
    NeverWritten,
    PerhapsWritten,
    StreamedBody,
    TargetRefused,
)

_HARMLESS = frozenset({"accept", "content-type"})


@dataclass(frozen=True, slots=True)
class Request:
    url: str = field(repr=False)  # some providers want their secret in it
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    method: str = "POST"
    # Instead of the body, and for longer than other requests.
    upload: StreamedBody | None = field(default=None, repr=False)
    upload_seconds: float | None = None


class HttpConnector(Connector):
    @abstractmethod
    def build_request(self, outbound: Outbound) -> Request: ...

    @abstractmethod
    def build_check(self, credentials: Mapping[str, str]) -> Request:
        """A request that changes nothing and succeeds only with good credentials."""

    @abstractmethod
    def read_answer(self, answer: Answer) -> str:
        """The provider's id of the message, out of an answer that says yes. Raises ValueError if there is none."""

    @abstractmethod
    def classify(self, answer: Answer) -> SendFailed:
        """Why the provider said no."""

    async def send(self, client: GuardedClient, outbound: Outbound) -> str:
        answer = await self.ask(client, self.build_request(outbound), outbound.credentials)
        try:
            provider_id = self.read_answer(answer)
        except ValueError as error:
            raise OutcomeUnknown("unreadable", "The provider agreed in words that cannot be read.") from error
        if not is_storable_id(provider_id):
            raise OutcomeUnknown("unreadable", "The provider agreed, with an id that is none.")
        return provider_id

    def shown_request(self, outbound: Outbound) -> str:
        request = self.build_request(outbound)
        head = [
            f"{request.method} {request.url}",
            *(f"{name}: {value}" for name, value in request.headers.items()),
        ]
        body = request.body.decode(errors="replace")
        if request.headers.get("Content-Type", "").startswith("application/json"):
            body = orjson.dumps(orjson.loads(request.body), option=orjson.OPT_INDENT_2).decode()
        return "\n".join(head) + (f"\n\n{body}" if body else "")

    async def check(self, client: GuardedClient, credentials: Mapping[str, str]) -> None:
        try:
            await self.ask(client, self.build_check(credentials), credentials)
        except OutcomeUnknown as unknown:  # nothing was to be sent: it simply did not answer
            raise Transient(unknown.code, unknown.detail) from unknown

    async def ask(self, client: GuardedClient, request: Request, credentials: Mapping[str, str]) -> Answer:
        """An answer that says yes. Raises what errors.py says."""
        try:
            answer = await client.request(
                request.method,
                request.url,
                headers=request.headers,
                body=request.upload or request.body,
                seconds=request.upload_seconds,
            )
        except NeverWritten as error:
            raise Transient("unreachable", str(error)) from error
        except PerhapsWritten as error:
            raise OutcomeUnknown("no_answer", str(error)) from error
        except TargetRefused as error:
            raise self.target_refused(error) from error
        if 200 <= answer.status < 300:
            return answer
        if 300 <= answer.status < 400:
            # No provider of ours redirects: something else stands at its address, and knows nothing of messages.
            raise Transient(str(answer.status), "The provider's address answers with a redirect.")
        shown = self._without_secrets(answer, credentials, request.headers)
        failure = self.classify(shown)
        failure.heard = Heard.of(shown.status, shown.body)
        raise failure

    def target_refused(self, error: TargetRefused) -> SendFailed:
        """Our own network rules forbid the provider's address: that is for a person to mend."""
        return AccountRejected("target_refused", error.reason)

    def _without_secrets(
        self, answer: Answer, credentials: Mapping[str, str], headers: Mapping[str, str]
    ) -> Answer:
        """Providers quote the token that they refuse; their words are kept and shown.

        What is made of secrets is in the request's headers: those are hidden with them.
        """
        secrets = {credentials.get(each.name, "") for each in self.credentials if each.is_secret}
        secrets |= {value for name, value in headers.items() if name.lower() not in _HARMLESS}
        return replace(answer, body=without(answer.body, secrets))


def retry_after(answer: Answer) -> float | None:
    """Seconds, as the header says; the form with a date is not used by any provider of ours."""
    text = answer.headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 6 else None
