"""Whether a process of Recado is well: `python /app/project/healthcheck.py http://127.0.0.1:8000/readyz`.

Asked every few seconds in every container, so it loads as little as it can. `grpc://127.0.0.1:50051` asks the gRPC
server by grpc.health.v1.
"""

import sys
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

SECONDS = 4


def main(address: str) -> int:
    parts = urlsplit(address)
    problem = _grpc_problem(parts.netloc) if parts.scheme == "grpc" else _http_problem(parts.netloc, parts.path)
    if problem:
        sys.stderr.write(f"{problem}\n")
    return 1 if problem else 0


def _http_problem(place: str, path: str) -> str:
    connection = HTTPConnection(place, timeout=SECONDS)
    try:
        connection.request("GET", path or "/")
        response = connection.getresponse()
        said = response.read(300).decode(errors="replace")
    except (OSError, HTTPException) as error:
        return f"{place} does not answer: {error}"
    finally:
        connection.close()
    return "" if response.status == 200 else f"{response.status} {said}"


def _grpc_problem(place: str) -> str:
    import grpc  # noqa: PLC0415 - whoever asks over HTTP does without it
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse  # noqa: PLC0415
    from grpc_health.v1.health_pb2_grpc import HealthStub  # noqa: PLC0415

    try:
        with grpc.insecure_channel(place) as channel:
            health: Any = HealthStub(channel)  # its stubs do not know its methods
            status = health.Check(HealthCheckRequest(), timeout=SECONDS).status
    except grpc.RpcError as error:
        return f"{place} does not answer: {error}"
    return "" if status == HealthCheckResponse.SERVING else HealthCheckResponse.ServingStatus.Name(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
