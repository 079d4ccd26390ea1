"""All simulated providers, and whom they call back: what they post is handed over as by the web process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any
from uuid import UUID

import httpx
from multidict import CIMultiDict

from apps.channels import outbound
from apps.channels.callback import Callback
from apps.channels.models import ChannelAccount
from apps.messaging.engine.store import Stored, store
from tests.messaging.callbacks import work_on_callbacks
from tests.messaging.provider import run_provider


@dataclass(frozen=True)
class Person:
    """Who writes, and how the simulated provider calls whom they write to."""

    provider: str
    account: str
    sender: str


@dataclass
class Simulated:
    url: str
    # Where they call us.
    public_url: str
    posts: SimpleQueue[tuple[str, Mapping[str, str], bytes]] = field(default_factory=SimpleQueue)

    def hold(self, content: bytes, media_type: str, name: str = "") -> str:
        """Somebody has a file, which they may send from now on."""
        headers = {"Content-Type": media_type}
        answer = self._post(f"/control/media?name={name}", content=content, headers=headers)
        return str(answer["media"])

    def lose(self, media: str) -> None:
        httpx.delete(f"{self.url}/control/media/{media}", trust_env=False).raise_for_status()

    def say(self, person: Person, **said: Any) -> None:
        """And what it calls us with is taken in."""
        named = {"provider": person.provider, "account": person.account, "from": person.sender}
        self._post("/control/say", json=named | said)
        path, headers, body = self.posts.get(timeout=10)
        connector, _, account = path.removeprefix("/v1/hooks/").partition("/")
        callback = Callback(self.public_url + path, CIMultiDict(headers), body)
        assert store(connector, callback, UUID(account) if account else None) is Stored.YES
        work_on_callbacks()

    def tell(self, account: ChannelAccount) -> None:
        """It is told where to call us, where it has to be."""
        if account.connector == "sms":
            sid, token = account.credential_values["account_sid"], account.credential_values["auth_token"]
            url = f"/twilio/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers/PN1.json"
            self._post(url, data={"SmsUrl": account.callback_url}, auth=(sid, token))
        else:
            assert outbound.connect(account).error is None

    def _post(self, path: str, **request: Any) -> Any:
        with httpx.Client(trust_env=False, timeout=30) as client:
            return client.post(self.url + path, **request).raise_for_status().json()


@contextmanager
def run_simulated(folder: Path) -> Iterator[Simulated]:
    class Receiver(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            simulated.posts.put((self.path, dict(self.headers), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.daemon_threads = True
        public_url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with run_provider(f"{public_url}/v1/hooks", folder) as provider:
            simulated = Simulated(provider.url, public_url)
            yield simulated
        server.shutdown()
