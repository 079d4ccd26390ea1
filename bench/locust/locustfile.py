"""The load of bench/k6 for those who run Locust: the API, sockets, and what providers call.

docs/load-tests.md says how to run it. It needs nothing of Recado but its address, a key and an account.
"""

import hashlib
import hmac
import itertools
import json
import os
import random
import time
from contextlib import suppress

import gevent
import websocket
from locust import HttpUser, User, constant, constant_throughput, task
from locust.exception import StopUser

URL = os.environ.get("RECADO_URL", "http://127.0.0.1:8000").rstrip("/")
KEY = os.environ.get("RECADO_API_KEY", "")
# Never one of a real provider.
ACCOUNT = os.environ.get("LOAD_ACCOUNT") or os.environ.get("RECADO_ACCOUNT_SMS", "")
# Of the WhatsApp account's credentials; in the demo, SIMULATORS_APP_SECRET of .recado/secrets.env.
APP_SECRET = os.environ.get("LOAD_APP_SECRET", "")
PHONE_NUMBER_ID = os.environ.get("LOAD_PHONE_NUMBER_ID", "100200300400500")
BATCH = int(os.environ.get("LOAD_BATCH", "100"))
# Seconds after which a socket is cut and comes back.
SOCKET_SECONDS = float(os.environ.get("LOAD_SOCKET_SECONDS", "20"))
RUN = os.environ.get("LOAD_RUN") or str(int(time.time()))
MOST_REMEMBERED = 10_000
# What docs/realtime.md says of how a socket ends.
PROMISED = {1000, 1001, 1012, 4408, 4429}

numbers = itertools.count()


def needed(value, name):
    if not value:
        raise StopUser(f"Set {name}: docs/load-tests.md")
    return value


class Api(HttpUser):
    """Messages one by one and in batches, and reading them again."""

    host = URL
    wait_time = constant_throughput(float(os.environ.get("LOAD_PER_USER", "2")))

    def on_start(self):
        needed(ACCOUNT, "LOAD_ACCOUNT")
        self.client.headers["Authorization"] = f"Api-Key {needed(KEY, 'RECADO_API_KEY')}"

    @task(20)
    def one(self):
        self._post("/v1/messages", message())

    @task(1)
    def batch(self):
        answer = self._post("/v1/messages/batch", {"messages": [message() for _ in range(BATCH)]})
        if answer and answer["refused"]:
            self.environment.events.request.fire(
                request_type="BATCH",
                name="refused",
                response_time=0,
                response_length=0,
                context={},
                exception=ValueError(f"{answer['refused'][0]}"),
            )

    @task(4)
    def read(self):
        with self.client.get(
            "/v1/messages",
            params={"reference": "load-test", "limit": 20},
            name="/v1/messages",
            catch_response=True,
        ) as answer:
            judge(answer, 200)
            first = next(iter(answer.json()["data"]), None) if answer.status_code == 200 else None
        if first:
            message_id = first["id"]
            with self.client.get(
                f"/v1/messages/{message_id}/events", name="/v1/messages/{id}/events", catch_response=True
            ) as answer:
                judge(answer, 200)

    def _post(self, path, body):
        headers = {"Idempotency-Key": f"load-{RUN}-{next(numbers)}"}
        with self.client.post(path, json=body, headers=headers, catch_response=True) as answer:
            judge(answer, 202)
            return answer.json() if answer.status_code == 202 else None


class Callbacks(HttpUser):
    """What a provider calls: people write on WhatsApp, signed as Meta signs."""

    host = URL
    wait_time = constant_throughput(float(os.environ.get("LOAD_PER_USER", "2")))

    def on_start(self):
        needed(APP_SECRET, "LOAD_APP_SECRET")

    @task(18)
    def written(self):
        self._call(callback(), APP_SECRET, 200, "written")

    @task(1)
    def twice(self):
        body = callback()
        self._call(body, APP_SECRET, 200, "written")
        self._call(body, APP_SECRET, 200, "the same again")

    @task(1)
    def forged(self):
        self._call(callback(), f"not {APP_SECRET}", 403, "forged")

    def _call(self, body, secret, wanted, what):
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        with self.client.post(
            "/v1/hooks/whatsapp_cloud",
            data=body,
            headers=headers,
            name=f"/v1/hooks/whatsapp_cloud ({what})",
            catch_response=True,
        ) as answer:
            judge(answer, wanted)


class Sockets(User):
    """Watches the organization, is cut, comes back where it was. Events are whatever happens meanwhile."""

    host = URL
    wait_time = constant(0)

    def on_start(self):
        needed(KEY, "RECADO_API_KEY")
        self.offset = None
        self.seen = {}
        gevent.sleep(random.uniform(0, 2))

    @task
    def follow(self):
        began = time.monotonic()
        try:
            socket = websocket.create_connection(
                f"{self.host.replace('http', 'ws', 1)}/ws/status",
                header=[f"Authorization: Api-Key {KEY}"],
                timeout=10,
            )
            self._expect(socket, "connected")
            wanted = {"action": "subscribe", "scope": "organization"}
            socket.send(json.dumps(wanted if self.offset is None else wanted | {"since": self.offset}))
            subscribed = self._expect(socket, "subscribed")
        except (OSError, ValueError, KeyError, websocket.WebSocketException) as problem:
            self._tell("subscribe", began, problem)
            gevent.sleep(random.uniform(0, 5))
            return
        is_lost = self.offset is not None and not subscribed["recovered"]
        self._tell("subscribe", began, ValueError("not recovered") if is_lost else None)
        if self.offset is None or is_lost:
            self.offset = subscribed["offset"]
        self._watch(socket, began + random.uniform(0.5, 1.5) * SOCKET_SECONDS)

    def _watch(self, socket, until):
        try:
            while (left := until - time.monotonic()) > 0:
                socket.settimeout(max(0.01, left))
                kind, data = socket.recv_data()
                if kind == websocket.ABNF.OPCODE_CLOSE:
                    code = int.from_bytes(data[:2]) if data else 1005
                    self._tell(f"closed {code}", None, None if code in PROMISED else ValueError("why?"))
                    return
                self._take(json.loads(data))
        except websocket.WebSocketTimeoutException:
            pass
        except (OSError, websocket.WebSocketException) as problem:
            self._tell("broke off", None, problem)
        finally:
            # Never all at once: clients come back after a random wait.
            gevent.sleep(random.uniform(0, 2))
            with suppress(Exception):
                socket.close(timeout=1)

    def _take(self, frame):
        if frame["type"] == "gap":
            self.offset = frame["offset"]
            self._tell("gap", None, ValueError("events were missed"))
        if frame["type"] not in {"status", "message"}:
            return
        self.offset = frame["offset"]
        name = frame.get("event_id") or frame["message_id"]
        self._tell(frame["type"], None, ValueError("came twice") if name in self.seen else None)
        self.seen[name] = True
        if len(self.seen) > MOST_REMEMBERED:
            del self.seen[next(iter(self.seen))]

    @staticmethod
    def _expect(socket, kind):
        frame = json.loads(socket.recv())
        if frame["type"] != kind:
            raise ValueError(f"expected {kind}, and got {frame}")
        return frame

    def _tell(self, name, began, exception):
        self.environment.events.request.fire(
            request_type="WS",
            name=name,
            response_time=0 if began is None else (time.monotonic() - began) * 1000,
            response_length=0,
            context={},
            exception=exception,
        )


def message():
    # Other people each time: one conversation is no faster than its provider.
    number = next(numbers)
    return {
        "account_id": ACCOUNT,
        "to": f"+55119{10_000_000 + number % 9_000_000}",
        "text": f"Load test {number}",
        "reference": "load-test",
    }


def callback():
    number = next(numbers)
    person = f"55119{30_000_000 + number % 2_000}"
    written = {
        "from": person,
        "id": f"wamid.load-{RUN}-{number}",
        "timestamp": str(int(time.time())),
        "type": "text",
        "text": {"body": f"Load test {number}"},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "551130000000", "phone_number_id": PHONE_NUMBER_ID},
        "contacts": [{"wa_id": person, "profile": {"name": f"Load {person}"}}],
        "messages": [written],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def judge(answer, wanted):
    """Whatever is refused is refused in one form, with a code, and with a time to come back where that helps."""
    if answer.status_code == wanted:
        answer.success()
        return
    if not answer.status_code:
        answer.failure(f"no answer: {type(answer.error).__name__}")
        return
    is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    code = answer.json().get("code") if is_problem else "no problem document"
    if answer.status_code in {429, 503} and not answer.headers.get("Retry-After"):
        code = f"{code}, without Retry-After"
    answer.failure(f"{answer.status_code} {code}")
