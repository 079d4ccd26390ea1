"""What is declared, how it is counted, and who may see it."""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver
from pytest_django import Settings

from apps.core.metrics import declared, shared
from apps.core.metrics.declared import Counter, Timing, every, sample_names
from apps.core.metrics.labels import ROUTE, Label
from apps.core.metrics.requests import _readable
from apps.messaging import metrics as messaging_metrics
from local import describe_metrics
from tests.cast import Api
from tests.counting import counting, series

# Of the whole installation, for each process that counts everything; buckets among them.
MOST_SERIES = 60_000
TOKEN = "a-token-for-tests-of-32-characters"


@pytest.fixture
def _own_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared, "DECLARED", {})


def test_no_label_can_take_any_number_of_values() -> None:
    ids = {"account", "organization", "message", "conversation", "user", "contact", "id", "address", "instance"}
    for metric in every():
        for label in metric.labels:
            assert label.name not in ids
            assert label.values is not None or label.most > 0, f"{metric.name}: {label.name} is unbounded"
    # Methods and statuses of a route are few; not every product of them exists.
    assert sum(prod(label.most for label in metric.labels) * _each(metric) for metric in every()) < MOST_SERIES


def _each(metric: declared.Metric[Any]) -> int:
    return len(metric.buckets) + 3 if isinstance(metric, Timing) else 1


def test_all_routes_find_room() -> None:
    routes = {_readable(route) for route in _routes(get_resolver())}
    assert 400 < len(routes) < ROUTE.most


def _routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = f"{before}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern, route)
        else:
            yield route


def test_all_names_are_known() -> None:
    names = sample_names()
    assert {
        "recado_messages_sent_total",
        "recado_accept_to_sent_seconds_bucket",
        "recado_sockets",
        "recado_backlog",
    } <= names
    assert {name.partition("{")[0] for name in series()} <= names


@pytest.mark.usefixtures("_own_list")
def test_word_that_is_on_no_list_is_counted_as_other() -> None:
    metric = Counter("recado_tests_words_total", "…", Label.of("word", "…", ("yes", "no")))
    try:
        for word in ("yes", "perhaps", "who knows"):
            metric.add(word)
        assert series()["recado_tests_words_total{word=other}"] == 2
        assert series()["recado_tests_words_total{word=yes}"] == 1
    finally:
        metric.forget()


@pytest.mark.usefixtures("_own_list")
def test_label_without_a_list_has_a_bound() -> None:
    metric = Counter("recado_tests_bound_total", "…", Label("route", "…", None, 3))
    try:
        for n in range(10):
            metric.add(f"/{n}")
        found = {name: n for name, n in series().items() if "tests_bound" in name}
        assert len(found) == 4
        assert found["recado_tests_bound_total{route=other}"] == 7
    finally:
        metric.forget()


@pytest.mark.usefixtures("_own_list")
def test_many_values_at_once_fill_the_same_buckets_as_one_after_the_other() -> None:
    both = [Timing(f"recado_tests_{name}_seconds", "…", buckets=(0.1, 1.0)) for name in ("one", "many")]
    values = [0.05, 0.1, 0.5, 1.0, 7.0]
    try:
        for value in values:
            both[0].build().observe(value)
        both[1].add(seconds=values)
        one, many = (
            [sample.value for family in metric.build().collect() for sample in family.samples] for metric in both
        )
        assert one == many == [2, 4, 5, 5, 8.65]
    finally:
        for metric in both:
            metric.forget()


def test_page_tells_what_is_declared() -> None:
    written = describe_metrics.PAGE.read_text()
    assert f"{describe_metrics.BEGINS}\n{describe_metrics.tables()}\n{describe_metrics.ENDS}" in written


def test_metric_is_declared_once_and_named_as_the_others_are() -> None:
    for name in ("recado_http_requests_total", "http_requests_total", "recado_http_requests"):
        with pytest.raises(ValueError, match=name):
            Counter(name, "…")


@pytest.mark.django_db
def test_requests_are_counted_by_the_template_of_their_address(owner: Api) -> None:
    with counting() as changed:
        for n in range(20):
            owner.get(f"/v1/messages/0199f3a2-7c1e-7d3b-9a54-2f6c8e1b4d{n:02}")
            Client().get(f"/nowhere/{n}")
        Client().get("/healthz")
        owner.get("/v1/messages")
    assert changed == {
        "recado_http_requests_total{route=/v1/messages/<uuid:message_id>,method=GET,status=4xx}": 20,
        "recado_http_requests_total{route=unmatched,method=GET,status=4xx}": 20,
        "recado_http_requests_total{route=/v1/messages,method=GET,status=2xx}": 1,
        "recado_http_request_seconds_count{route=/v1/messages/<uuid:message_id>}": 20,
        "recado_http_request_seconds_count{route=unmatched}": 20,
        "recado_http_request_seconds_count{route=/v1/messages}": 1,
    }


def test_metrics_are_shown_to_whoever_has_the_token(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN
    for header in ("", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", "Bearer ", "Bearer é"):
        assert client.get("/metrics", headers={"Authorization": header}).status_code == 404
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    body = answer.content.decode()
    assert 'recado_build_info{version="unknown"} 1.0' in body
    assert "process_resident_memory_bytes" in body
    assert client.post("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 404


def test_there_are_no_metrics_without_a_token(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    for header in ("", "Bearer ", "Bearer"):
        assert client.get("/metrics", headers={"Authorization": header}).status_code == 404


_CHILDREN = """
import os, signal, sys
from django.conf import settings
settings.configure(INSTALLED_APPS=[], RELEASE="7")
from apps.core.metrics import exposed, shared
from apps.core.metrics.declared import Counter, Gauge, Timing
from apps.core.metrics.labels import Label
done = Counter("recado_done_total", "…", Label.of("what", "…", ["a"]))
busy = Gauge("recado_busy", "…")
took = Timing("recado_took_seconds", "…", buckets=(1.0,))
shared.begin()

def child(place, ends):
    if pid := os.fork():
        os.waitpid(pid, 0)
        return
    shared.take_place(place)
    done.add("a", by=2)
    busy.move(by=1)
    took.add(seconds=[0.5, 2.0])
    ends()

for n in range(30):
    child(n % 2, lambda: os.kill(os.getpid(), signal.SIGKILL))
print(exposed.text().decode())
print("FILES", len(list(shared.folder().glob("*.db"))), shared.folder())
"""


def test_what_children_counted_outlives_them_and_their_files_do_not_pile_up(tmp_path: Path) -> None:
    environment = {"PATH": "", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-W", "error", "-c", _CHILDREN]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 0, said.stderr
    assert 'recado_done_total{what="a"} 60.0' in said.stdout
    assert 'recado_took_seconds_bucket{le="1.0"} 30.0' in said.stdout
    assert "recado_took_seconds_count 60.0" in said.stdout
    # Of the two that died last.
    assert "recado_busy 2.0" in said.stdout
    assert 'recado_build_info{version="7"} 1.0' in said.stdout
    # Counters, histograms and gauges of two places; and the version, which the parent tells.
    assert "FILES 7 " in said.stdout
    assert list(tmp_path.iterdir()) == []


def test_number_that_cannot_be_written_down_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise FileNotFoundError("gone")

    monkeypatch.setattr(messaging_metrics.SENT, "of", fail)
    messaging_metrics.SENT.add("sms", "usual", by=3)


def test_what_a_killed_worker_left_behind_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, made, alive = (tmp_path / f"recado-metrics-{name}" for name in ("dead", "being-made", "alive"))
    for folder in (dead, made, alive):
        folder.mkdir()
        (folder / "counter_0.db").write_bytes(b"")
    (made / "lock").touch()
    (dead / "lock").touch()
    os.utime(dead / "lock", (0, 0))
    with (alive / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        shared._remove_left_behind()
    assert {folder.name for folder in tmp_path.iterdir()} == {made.name, alive.name}
