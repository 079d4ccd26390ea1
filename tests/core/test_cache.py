import pytest

from apps.core.cache import ForgivingRedisCache


@pytest.fixture
def cut_off() -> ForgivingRedisCache:
    return ForgivingRedisCache("redis://127.0.0.1:1/0", {})


def test_count_of_attempts_goes_on_without_redis(cut_off: ForgivingRedisCache) -> None:
    assert cut_off.add("attempts", 1)
    assert not cut_off.add("attempts", 1)
    assert cut_off.incr("attempts") == 2
    assert cut_off.get("attempts") == 2


def test_everything_a_cache_is_asked_works_without_redis(cut_off: ForgivingRedisCache) -> None:
    cut_off.set("a", 1)
    cut_off.set_many({"b": 2})
    assert cut_off.get_many(["a", "b"]) == {"a": 1, "b": 2}
    assert cut_off.has_key("a")
    assert cut_off.touch("a")
    assert cut_off.delete("a")
    cut_off.delete_many(["b"])
    assert cut_off.get("b") is None
