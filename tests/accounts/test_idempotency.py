from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from apps.accounts import expiry, idempotency
from apps.accounts.models import ApiKey, IdempotencyRecord
from apps.accounts.roles import Scope
from tests.cast import Api, House, as_member, with_key
from tests.server import Server

pytestmark = pytest.mark.django_db
BODY = {"name": "Loja", "scopes": ["members:read"]}


def create(api: Api, key: str = "k-1", body: Any = BODY, path: str = "/v1/api-keys") -> Any:
    return api.post(path, body, Idempotency_Key=key)


def keys_named(name: str) -> int:
    return ApiKey.across_organizations.filter(name=name).count()


def test_repeated_request_creates_once_and_is_answered_the_same(owner: Api) -> None:
    first, second = create(owner), create(owner)
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert second["Content-Type"] == "application/json"
    assert keys_named("Loja") == 1


def test_same_content_in_other_spelling_is_the_same_request(owner: Api) -> None:
    first = create(owner, body=b'{"name":"Loja","scopes":["members:read"]}')
    second = create(owner, body=b' { "scopes": ["members:read"],\n "name": "Loja" }')
    assert first.content == second.content


def test_key_with_another_body_is_refused(owner: Api) -> None:
    create(owner)
    answer = create(owner, body=BODY | {"name": "Outra"})
    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency_key_reused"
    assert keys_named("Outra") == 0


def test_key_at_another_address_is_refused(owner: Api) -> None:
    create(owner)
    answer = create(owner, body={"email": "x@aurora.example", "role": "viewer"}, path="/v1/members")
    assert answer.status_code == 422


def test_key_of_another_organization_is_another_key(aurora: House, boreal: House) -> None:
    create(as_member(aurora.owner))
    answer = create(as_member(boreal.owner))
    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer


def test_answer_is_shown_to_nobody_but_who_asked(aurora: House) -> None:
    """It may hold a key that may more than whoever repeats the request."""
    strong = with_key(aurora.organization)
    weak = with_key(aurora.organization, Scope.API_KEYS_WRITE)
    secret = create(strong).json()["key"]
    answer = create(weak)
    assert answer.status_code == 422
    assert secret not in answer.content.decode()


def test_replayed_answer_is_stored_by_nobody_on_the_way(owner: Api) -> None:
    create(owner)
    assert create(owner)["Cache-Control"] == "no-store"


def test_body_nested_too_deep_is_a_problem(owner: Api) -> None:
    body = b'{"name": ' + b"[" * 500 + b"]" * 500 + b"}"
    assert create(owner, body=body).status_code == 400


def test_failed_request_may_be_repeated_with_the_same_key(owner: Api) -> None:
    assert create(owner, body={"name": ""}).status_code == 400
    assert create(owner).status_code == 201


def test_request_that_fails_on_our_side_leaves_nothing_behind(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "_keep", fail)
        assert create(owner).status_code == 500
    assert keys_named("Loja") == 0
    assert create(owner).status_code == 201
    assert keys_named("Loja") == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 256, "tab\there"])
def test_unusable_key_is_refused(owner: Api, key: str) -> None:
    assert create(owner, key=key).json()["code"] == "bad_idempotency_key"


def test_kept_answer_is_encrypted_at_rest(owner: Api) -> None:
    secret = create(owner).json()["key"]
    assert IdempotencyRecord.across_organizations.get().body.find(secret) > 0
    raw = IdempotencyRecord.across_organizations.extra(select={"raw": "body"}).values("raw").get()
    assert secret not in raw["raw"]


def test_key_is_free_again_after_a_day(owner: Api, settings: Settings) -> None:
    create(owner)
    IdempotencyRecord.across_organizations.update(created_at=idempotency._oldest_valid() - timedelta(seconds=1))
    assert "Idempotency-Replayed" not in create(owner)
    assert keys_named("Loja") == 2
    assert create(owner)["Idempotency-Replayed"] == "true"


def test_expired_answers_are_removed(owner: Api) -> None:
    create(owner, "old")
    IdempotencyRecord.across_organizations.update(created_at=idempotency._oldest_valid() - timedelta(seconds=1))
    create(owner, "new")
    assert expiry.remove_expired()["idempotency_records"] == 1
    assert IdempotencyRecord.across_organizations.get().key == "new"


def test_request_that_lost_the_race_is_answered_like_the_winner(
    owner: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our look and our record somebody else committed the same: theirs counts, ours never was."""
    winner = create(owner)
    look = idempotency._look
    looks = iter([(True, None)])
    monkeypatch.setattr(idempotency, "_look", lambda asked: next(looks, None) or look(asked))
    late = create(owner)
    assert late.content == winner.content
    assert keys_named("Loja") == 1


@pytest.mark.django_db(transaction=True)
def test_fifty_equal_requests_at_once_create_once(server: Server, aurora: House) -> None:
    credential = with_key(aurora.organization).credential

    def ask(_number: int) -> Any:
        with server.client(credential) as client:
            return client.post("/v1/api-keys", json=BODY, headers={"Idempotency-Key": "storm"})

    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(ask, range(50)))
    assert keys_named("Loja") == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    created = {answer.content for answer in answers if answer.status_code == 201}
    assert len(created) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency_in_flight"
            assert answer.headers["Retry-After"] == "1"
    assert ask(0).headers["Idempotency-Replayed"] == "true"
