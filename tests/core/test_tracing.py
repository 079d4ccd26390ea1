"""Off it is nothing; on, it disturbs nobody, whatever the collector does."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.test import Client
from pytest_django import Settings

from apps.core import tracing
from apps.core.tracing import export, sampling
from apps.core.tracing.trace_context import Parent, read
from tests.collector import Collector, run_collector
from tests.timing import quickest


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [record.msg for record in caplog.records if isinstance(record.msg, dict)]


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def collector(settings: Settings) -> Iterator[Collector]:
    with run_collector() as collector:
        settings.OTEL_EXPORTER_OTLP_ENDPOINT = collector.url
        settings.TRACES_SAMPLE_RATIO = 1.0
        tracing.begin("test")
        yield collector
        tracing.end()


def test_traceparent_is_read_as_it_is_written_and_nothing_else_is() -> None:
    assert read(f"00-{TRACE}-{SPAN}-01") == Parent(TRACE, SPAN, is_sampled=True)
    assert read(f"00-{TRACE}-{SPAN}-00") == Parent(TRACE, SPAN, is_sampled=False)
    assert read(f"01-{TRACE}-{SPAN}-01-more") is not None  # of a version to come
    wrong = [None, "", "x", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01", f"00-{TRACE}-{'0' * 16}-01",
             f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-{'x' * 500}"]  # fmt: skip
    assert [read(each) for each in wrong] == [None] * len(wrong)


def test_request_goes_on_with_the_trace_of_its_caller(collector: Collector) -> None:
    sampled = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    assert Client().get("/v1/nowhere/a-secret-word", headers=sampled).status_code == 404
    assert Client().get("/v1/messages", headers={"traceparent": "00-what-is-this"}).status_code == 401
    tracing.end()
    first, second = collector.spans
    assert (first.trace_id, first.parent, first.name) == (TRACE, SPAN, "GET")
    assert (second.name, second.attributes["http.route"]) == ("GET /v1/messages", "/v1/messages")
    assert second.attributes["http.response.status_code"] == 401
    assert second.trace_id != TRACE
    assert b"a-secret-word" not in collector.bodies


def test_callers_who_want_their_trace_kept_are_believed_so_often(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TRACES_SAMPLE_RATIO = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: 1_000_000.0)
    monkeypatch.setattr(sampling, "_second", 0)
    asked = [sampling.is_kept(Parent(TRACE, SPAN, is_sampled=True)) for _ in range(sampling.MOST_ASKED_FOR + 5)]
    assert asked == [True] * sampling.MOST_ASKED_FOR + [False] * 5
    monkeypatch.setattr(time, "monotonic", lambda: 1_000_001.0)
    assert sampling.is_kept(Parent(TRACE, SPAN, is_sampled=True))
    assert not sampling.is_kept(Parent(TRACE, SPAN, is_sampled=False))


def test_ratio_is_kept_to(settings: Settings) -> None:
    settings.TRACES_SAMPLE_RATIO = 0.1
    kept = sum(sampling.is_kept() for _ in range(20_000))
    assert 1_700 < kept < 2_300


def test_lines_of_the_log_name_the_trace(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    logger = structlog.get_logger("apps.test")
    with tracing.root("POST") as span:
        logger.warning("inside")
    logger.warning("outside")
    assert span is not None
    inside, outside = (lines(caplog)[n] for n in (0, 1))
    assert (inside["trace_id"], inside["span_id"]) == (span.trace_id, span.span_id)
    assert not {"trace_id", "span_id"} & outside.keys()


def test_span_that_fails_tells_the_kind_and_not_the_words(collector: Collector) -> None:
    with pytest.raises(ValueError, match="words"), tracing.root("POST"):
        raise ValueError("words of a person")
    tracing.end()
    (span,) = collector.spans
    assert span.is_error
    assert span.attributes["error.type"] == "ValueError"
    assert b"words of" not in collector.bodies


@pytest.fixture(params=["nobody listens", "nobody answers", "it says no"])
def broken(
    request: pytest.FixtureRequest, settings: Settings, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    tracing.end()
    monkeypatch.setattr(export, "MOST_WAITING", 512)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if request.param == "nobody listens":
            silent.close()
        collector.breaks = request.param == "it says no"
        if not collector.breaks:
            settings.OTEL_EXPORTER_OTLP_ENDPOINT = f"http://127.0.0.1:{port}"
        tracing.begin("test")
        yield


def test_collector_that_is_broken_delays_nobody_and_is_mentioned_once(
    broken: None, caplog: pytest.LogCaptureFixture
) -> None:
    def many() -> None:
        for _ in range(1_000):  # twice what fits
            with tracing.root("POST"):
                pass

    assert quickest(many) < 1
    began = time.monotonic()
    tracing.end()
    assert time.monotonic() - began < 2 * export.EXPORT_SECONDS + 1
    assert [line["event"] for line in lines(caplog)] == ["traces_not_exported"]


def test_off_costs_nothing() -> None:
    def many() -> None:
        for _ in range(10_000):
            with tracing.root("POST"), tracing.child("accept"):
                tracing.past("publish", tracing.now(), of=[f"00-{TRACE}-{SPAN}-01"])

    assert not tracing.is_on()
    assert quickest(many) / 10_000 < 20e-6


def test_off_imports_nothing() -> None:
    """Of Sentry, and of what exports spans."""
    look = (
        "import sys, project.asgi, celery_app; from apps.core import tracing; tracing.begin('web');"
        "ours = ('apps.core.tracing.export', 'sentry_sdk');"
        "print([name for name in sys.modules if name.startswith(ours)])"
    )
    said = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True, timeout=120)
    assert said.stdout.splitlines()[-1] == "[]"
