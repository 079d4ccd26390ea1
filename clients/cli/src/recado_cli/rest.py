"""The REST API, by what Python brings along."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from recado_cli import __version__
from recado_cli.addresses import Addresses, is_loopback
from recado_cli.failures import Exit, Failed, NotLoggedIn, Unreachable

SECONDS = 30
AGENT = f"recado-cli/{__version__}"


class Problem(Failed):
    """The server refused, and said why."""

    def __init__(self, status: int, said: Mapping[str, Any], retry_after: str | None = None) -> None:
        self.status = status
        self.code = str(said.get("code") or "")
        self.said = said
        super().__init__(_in_words(status, said, retry_after))
        self.may_pass = status_may_pass(status) or self.code == "idempotency_in_flight"
        self.wait = float(retry_after) if retry_after and retry_after.isdigit() else 0.0
        if status == 401:
            self.exit_code = Exit.NOT_LOGGED_IN


class Rest:
    def __init__(self, addresses: Addresses) -> None:
        self._url = addresses.url
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if is_loopback(urlsplit(self._url).hostname or ""):
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def get(self, path: str, authorization: str, **query: object) -> Any:
        asked = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", f"{path}?{urlencode(asked)}" if asked else path, authorization)

    def post(self, path: str, authorization: str = "", body: object = None, **headers: str) -> Any:
        return self._call("POST", path, authorization, body, headers)

    def _call(
        self,
        method: str,
        path: str,
        authorization: str,
        body: object = None,
        more_headers: Mapping[str, str] | None = None,
    ) -> Any:
        headers = {"User-Agent": AGENT, "Accept": "application/json", **(more_headers or {})}
        if authorization:
            headers["Authorization"] = authorization
        data = None
        if method != "GET":
            data = b"" if body is None else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self._url}{path}", data, headers, method=method)  # noqa: S310 - checked
        try:
            with self._opener.open(request, timeout=SECONDS) as answer:
                return read_json(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                said = _said(error)
            raise problem_of(error.code, said, error.headers.get("Retry-After")) from error
        except (OSError, HTTPException) as error:
            raise unreachable(self._url, error) from error


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the credentials to wherever it points."""

    def redirect_request(self, *_arguments: Any) -> None:
        return None


def problem_of(status: int, said: bytes, retry_after: str | None = None) -> Failed:
    if 300 <= status < 400:
        return Failed(f"The server answers with a redirect ({status}). Log in with the address it really has.")
    try:
        document = read_json(said)
    except Failed:
        document = {}
    return Problem(status, document if isinstance(document, dict) else {}, retry_after)


def unreachable(url: str, error: Exception) -> Failed:
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLError):
        failed = Unreachable(
            f"{url} cannot be trusted: {reason}. Is the address right, and the certificate known here?"
        )
        failed.may_pass = not isinstance(reason, ssl.SSLCertVerificationError)
        return failed
    return Unreachable(f"{url} cannot be reached ({reason or type(error).__name__}). Is the address right?")


def status_may_pass(status: int) -> bool:
    """All but 507: room is made by people."""
    return status in {408, 429} or (status >= 500 and status != 507)


def read_json(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise Failed("What answers there does not speak like Recado. Is the address right?") from error


def not_logged_in(profile: str) -> NotLoggedIn:
    again = "recado login" if profile == "default" else f"recado --profile {profile} login"
    return NotLoggedIn(f"You are not logged in. Run: {again}")


def _said(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read()
    except (OSError, HTTPException):
        return b""


def _in_words(status: int, said: Mapping[str, Any], retry_after: str | None) -> str:
    words = str(said.get("detail") or f"The server answered {status}.")
    errors = said.get("errors")
    for each in errors if isinstance(errors, list) else ():
        words += f"\n  {str(each.get('pointer', '')).lstrip('/') or 'the request'}: {each.get('detail', '')}"
    if retry_after:
        words += f"\n  Try again in {retry_after} s."
    if status >= 500 and said.get("request_id"):
        words += f"\n  request_id {said['request_id']}"
    return words
