import pytest

from apps.core.redis import RedisError, redis_client
from apps.core.scripts import Question, ask_all


def question(body: str, *arguments: int) -> Question[int]:
    return Question(redis_client().register_script(body), ["key"], arguments, int)


def test_scripts_are_asked_in_one_round_trip_also_of_a_server_that_has_not_seen_them() -> None:
    redis_client().script_flush()
    asked = [question("return redis.call('INCRBY', KEYS[1], ARGV[1])", n) for n in (1, 2)]
    assert ask_all(redis_client(), *asked) == [1, 3]
    assert ask_all(redis_client(), *asked) == [4, 6]


def test_failure_of_one_is_a_failure() -> None:
    with pytest.raises(RedisError):
        ask_all(redis_client(), question("return 1"), question("return redis.call('LPUSH', KEYS[1])"))
