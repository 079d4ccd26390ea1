import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

import pytest

from apps.core import clock
from apps.core.ids import first_id_of, new_id


def test_id_is_a_version_7_uuid_of_this_moment() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_ids_sort_as_they_were_made() -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(made)


def test_ids_of_many_threads_are_all_different() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: new_id(), range(20_000)))
    assert len(set(made)) == len(made)


def test_ids_keep_their_order_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 1_000_000_000)
    second = new_id()
    assert second > first
    assert isinstance(second, UUID)


def test_first_id_of_a_moment_parts_what_was_made_before_from_what_comes_after() -> None:
    before = new_id()
    time.sleep(0.002)
    moment = clock.now()
    time.sleep(0.002)
    assert before < first_id_of(moment) < new_id()
    assert first_id_of(datetime.min.replace(tzinfo=UTC)).int == 0
    assert first_id_of(datetime.max.replace(tzinfo=UTC)) > new_id()
