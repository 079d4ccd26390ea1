"""One client that uploads one file, and says how long that took.

    python -m bench.uploader boto3 FILE        straight to the S3, as its own library does it
    python -m bench.uploader streamed FILE     in one request to the web process
    python -m bench.uploader direct FILE       in parts by signed links, four at a time, until it is ready

Where they are is in the environment: S3_*, BENCH_WEB, BENCH_KEY.
"""

import hashlib
import http.client
import os
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import orjson

AT_ONCE = 4
POLL_SECONDS = 0.2
BOUNDARY = "bench"


def bare(path: Path) -> dict[str, Any]:
    client = boto3.client(
        "s3",
        endpoint_url=os.environ["S3_ENDPOINT_URL"],
        aws_access_key_id=os.environ["S3_ACCESS_KEY"],
        aws_secret_access_key=os.environ["S3_SECRET_KEY"],
        region_name="us-east-1",
    )
    started = time.monotonic()
    with path.open("rb") as file:
        client.upload_fileobj(file, os.environ["S3_BUCKET"], "bench/bare")
    seconds = time.monotonic() - started
    client.delete_object(Bucket=os.environ["S3_BUCKET"], Key="bench/bare")
    return {"seconds": seconds}


def streamed(path: Path) -> dict[str, Any]:
    """By sendfile: what is measured is the server."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    end = f"\r\n--{BOUNDARY}--\r\n".encode()
    length = len(head) + path.stat().st_size + len(end)
    address = urlsplit(os.environ["BENCH_WEB"])
    started = time.monotonic()
    with (
        socket.create_connection((str(address.hostname), int(address.port or 0))) as connection,
        path.open("rb") as file,
    ):
        connection.sendall(
            f"POST /v1/files HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Authorization: Api-Key {os.environ['BENCH_KEY']}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {length}\r\n"
            "Connection: close\r\n\r\n".encode()
            + head
        )
        connection.sendfile(file)
        connection.sendall(end)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        document = _read(answer, 201)
    return {"seconds": time.monotonic() - started, "id": document["id"], "sha256": document["sha256"]}


def direct(path: Path) -> dict[str, Any]:
    started = time.monotonic()
    size = path.stat().st_size
    upload = call("POST", "/v1/uploads", {"name": path.name, "size": size}, 201)
    own = f"/v1/uploads/{upload['id']}"
    count, part_size = upload["part_count"], upload["part_size"]
    whole = hashlib.sha256()
    with ThreadPoolExecutor(AT_ONCE) as threads, ThreadPoolExecutor(1) as hashing:
        hashed = hashing.submit(_hash, path, whole)
        for first in range(1, count + 1, 100):
            numbers = list(range(first, min(count, first + 99) + 1))
            parts = call("POST", f"{own}/parts", {"numbers": numbers}, 200)["data"]
            list(threads.map(lambda part: _put(path, part, part_size), parts))
        hashed.result()
    arrived = time.monotonic() - started
    call("POST", f"{own}/complete", {"sha256": whole.hexdigest()}, 202)
    while (now := call("GET", own, None, 200))["state"] == "verifying":
        time.sleep(POLL_SECONDS)
    if now["state"] != "ready":
        raise SystemExit(f"the upload is {now['state']}: {now['error']}")
    return {
        "seconds": time.monotonic() - started, "arrived": arrived, "id": upload["id"], "sha256": whole.hexdigest(),
    }  # fmt: skip


def _hash(path: Path, whole: Any) -> None:
    with path.open("rb") as file:
        while piece := file.read(1024 * 1024):
            whole.update(piece)


def _put(path: Path, part: dict[str, Any], part_size: int) -> None:
    address = urlsplit(part["url"])
    with (
        socket.create_connection((str(address.hostname), int(address.port or 0))) as connection,
        path.open("rb") as file,
    ):
        connection.sendall(
            f"PUT {address.path}?{address.query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            f"Content-Length: {part['size']}\r\nConnection: close\r\n\r\n".encode()
        )
        connection.sendfile(file, (part["number"] - 1) * part_size, part["size"])
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        if answer.status != 200:
            raise SystemExit(f"a part was refused: {answer.status} {answer.read(300)!r}")


def call(method: str, path: str, body: Any, expected: int) -> Any:
    connection = http.client.HTTPConnection(urlsplit(os.environ["BENCH_WEB"]).netloc, timeout=60)
    headers = {"Authorization": f"Api-Key {os.environ['BENCH_KEY']}", "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else orjson.dumps(body), headers)
    document = _read(connection.getresponse(), expected)
    connection.close()
    return document


def _read(answer: http.client.HTTPResponse, expected: int) -> Any:
    body = answer.read()
    if answer.status != expected:
        raise SystemExit(f"the answer is {answer.status}: {body[:300]!r}")
    return orjson.loads(body) if body else None


if __name__ == "__main__":
    way = {"boto3": bare, "streamed": streamed, "direct": direct}[sys.argv[1]]
    print(orjson.dumps(way(Path(sys.argv[2]))).decode())
