"""Is the provider stub fast enough not to be what is measured, and is its delay real?"""

import socket
import time
from statistics import median

from bench.figure import CannotMeasure
from bench.nginx import LATENCY_SECONDS, Provider
from local.ports import HOST

_BODY = b'{"messaging_product":"whatsapp","to":"5511900000001","type":"text","text":{"body":"Hello"}}'
_REQUEST = (
    b"POST /v23.0/100200300/messages HTTP/1.1\r\nHost: stub\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer token\r\nContent-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)
# Many in one write, so that the client costs next to nothing.
_AT_ONCE = 50


def check(provider: Provider) -> str:
    answers = _answers_per_second(provider.at_once, 20_000)
    delay = _delay(provider.delayed)
    if not LATENCY_SECONDS <= delay < 1.2 * LATENCY_SECONDS:
        raise CannotMeasure(f"the provider's delay is {delay * 1000:.1f} ms instead of 50")
    return f"the provider stub answers {answers:,.0f}/s on one connection, or after {delay * 1000:.1f} ms"


def _answers_per_second(port: int, count: int) -> float:
    with socket.create_connection((HOST, port)) as stub:
        stub.sendall(_REQUEST)
        length = len(stub.recv(65536))
        started = time.monotonic()
        for _ in range(count // _AT_ONCE):
            stub.sendall(_REQUEST * _AT_ONCE)
            missing = length * _AT_ONCE
            while missing:
                missing -= len(stub.recv(missing))
        return count / (time.monotonic() - started)


def _delay(port: int) -> float:
    taken = []
    with socket.create_connection((HOST, port)) as stub:
        for _ in range(9):
            started = time.monotonic()
            stub.sendall(_REQUEST)
            while not stub.recv(65536).endswith(b"0\r\n\r\n"):
                pass
            taken.append(time.monotonic() - started)
    return median(taken)
