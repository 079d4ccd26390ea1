import pytest
from pytest_django import Settings

from tests.cast import Api, House, with_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def narrow(settings: Settings) -> None:
    settings.API_RATE_PER_SECOND = 1
    settings.API_BURST = 3


def test_every_answer_tells_what_is_left(narrow: None, owner: Api) -> None:
    answers = [owner.get("/v1/me") for _ in range(2)]
    assert [answer["RateLimit-Limit"] for answer in answers] == ["3", "3"]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1"]
    assert 0 < int(answers[0]["RateLimit-Reset"]) <= int(answers[1]["RateLimit-Reset"])


def test_caller_who_asks_too_fast_is_told_when_to_come_back(narrow: None, owner: Api) -> None:
    answers = [owner.get("/v1/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["code"] == "too_many_requests"
    assert int(answers[-1]["Retry-After"]) == 1
    assert answers[-1]["RateLimit-Remaining"] == "0"


def test_callers_do_not_use_up_each_others_limit(narrow: None, aurora: House, owner: Api) -> None:
    for _ in range(4):
        owner.get("/v1/me")
    assert with_key(aurora.organization).get("/v1/me").status_code == 200


def test_unknown_caller_is_counted_by_where_they_come_from(narrow: None, aurora: House) -> None:
    body = {"refresh": "x"}
    assert [Api().post("/v1/auth/refresh", body).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_without_redis_callers_are_served(settings: Settings, owner: Api) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = owner.get("/v1/me")
    assert answer.status_code == 200
    assert "RateLimit-Limit" not in answer
