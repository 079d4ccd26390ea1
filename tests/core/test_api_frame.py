"""What every endpoint of the API does alike: bad input, problems, pages, languages, health."""

import time
from typing import Any

import pytest
from django.db import connection
from django.db.utils import OperationalError
from pytest_django import Settings

from apps.accounts.models import ApiKey
from apps.core.api.pagination import NewestFirst
from tests.cast import Api, House

pytestmark = pytest.mark.django_db


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["request_id"] == answer["X-Request-Id"]
    assert "Traceback" not in answer.content.decode()
    return body


@pytest.mark.parametrize(
    "body",
    [b"{", b"[1,", b'{"name": NaN}', b'{"a": "\\ud800"}', b"[" * 100_000, b"\xff\xfe", b'{"a": 1e99999}x'],
    ids=["cut off", "half a list", "not a number", "lone surrogate", "deep", "not utf-8", "trailing"],
)
def test_malformed_json_is_a_problem(owner: Api, body: bytes) -> None:
    assert_problem(owner.post("/v1/api-keys", body), 400, "malformed_json")


@pytest.mark.parametrize("body", [[], "text", 7, None, True], ids=str)
def test_body_that_is_no_object_is_a_problem(owner: Api, body: Any) -> None:
    assert_problem(owner.post("/v1/api-keys", body if body is not None else b"null"), 400, "invalid")


def test_every_wrong_field_is_named(owner: Api) -> None:
    answer = owner.post("/v1/api-keys", {"name": "", "scopes": ["x:y"], "expires_at": "soon", "colour": "red"})
    errors = {error["pointer"]: error["code"] for error in assert_problem(answer, 400, "invalid")["errors"]}
    assert errors == {"/colour": "unknown_field"}
    answer = owner.post("/v1/api-keys", {"name": "", "scopes": ["x:y"], "expires_at": "soon"})
    errors = {error["pointer"]: error["code"] for error in assert_problem(answer, 400, "invalid")["errors"]}
    assert errors == {"/name": "blank", "/scopes/0": "invalid_choice", "/expires_at": "invalid"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": 0, "scopes": ["members:read"]}, "/name"),
        ({"name": True, "scopes": ["members:read"]}, "/name"),
        ({"name": "x", "scopes": "members:read"}, "/scopes"),
        ({"name": "x", "scopes": {"0": "members:read"}}, "/scopes"),
        ({"name": "x", "scopes": ["members:read", 7]}, "/scopes/1"),
        ({"name": "x", "scopes": ["members:read"], "expires_at": 1}, "/expires_at"),
    ],
)
def test_value_of_the_wrong_type_is_named_not_guessed_at(owner: Api, body: Any, pointer: str) -> None:
    (error,) = assert_problem(owner.post("/v1/api-keys", body), 400, "invalid")["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "wrong_type")


def test_list_that_is_too_long_costs_no_more_than_its_length(owner: Api) -> None:
    for item in (0, ""):
        started = time.perf_counter()
        answer = owner.post("/v1/api-keys", {"name": "x", "scopes": [item] * 200_000})
        (error,) = assert_problem(answer, 400, "invalid")["errors"]
        assert (error["pointer"], error["code"]) == ("/scopes", "max_length")
        assert time.perf_counter() - started < 1


@pytest.mark.parametrize("path", ["/accounts/login/", "/v1/me"])
def test_cookie_with_a_null_character_is_no_session(db: None, path: str) -> None:
    assert Api().get(path, Cookie='sessionid="abcdefgh\\000xyz"').status_code in {200, 401}


def test_address_of_the_caller_that_is_none_is_not_recorded(owner: Api) -> None:
    body = {"name": "x", "scopes": ["members:read"]}
    client = owner._client
    answer = client.post(
        "/v1/api-keys", body, content_type="application/json", headers=owner._headers, REMOTE_ADDR="foo"
    )
    assert answer.status_code == 201


def test_next_page_that_is_no_address_is_ignored() -> None:
    assert Api().get("/accounts/login/?next=http://[").status_code == 200


def test_database_that_is_away_is_a_passing_problem(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any) -> None:
        raise OperationalError("connection to db.internal:5432 refused")

    monkeypatch.setattr(NewestFirst, "paginate_queryset", refuse)
    answer = owner.get("/v1/members")
    assert_problem(answer, 503, "unavailable")
    assert int(answer["Retry-After"]) > 0
    assert "db.internal" not in answer.content.decode()


def test_probes_answer_to_any_host_name() -> None:
    for path in ("/healthz", "/readyz"):
        assert Api().get(path, Host="10.1.2.3:8000").status_code == 200


def test_null_character_is_refused_before_the_database_meets_it(owner: Api) -> None:
    answer = owner.post("/v1/api-keys", {"name": "a\x00b", "scopes": ["members:read"]})
    (error,) = assert_problem(answer, 400, "invalid")["errors"]
    assert error["pointer"] == "/name"


def test_body_that_is_not_json_is_a_problem(owner: Api) -> None:
    answer = owner.post("/v1/api-keys", b"name=x", Content_Type="application/x-www-form-urlencoded")
    assert_problem(answer, 415, "unsupported_media_type")


def test_wrong_method_is_a_problem(owner: Api) -> None:
    assert_problem(owner.delete("/v1/organization"), 405, "method_not_allowed")


def test_unknown_address_is_a_problem(owner: Api) -> None:
    assert_problem(owner.get("/v1/nowhere"), 404, "not_found")
    assert_problem(owner.get("/v1/members/not-a-uuid"), 404, "not_found")


def test_request_for_a_host_that_is_not_ours_is_a_problem(owner: Api) -> None:
    assert_problem(owner.get("/v1/me", Host="evil.example"), 400, "bad_request")


def test_failure_outside_of_any_view_is_a_problem_too(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr("django.contrib.sessions.backends.base.SessionBase.__init__", fail)
    answer = owner.get("/v1/me")
    assert_problem(answer, 500, "server_error")
    assert "swordfish" not in answer.content.decode()


def test_browser_gets_pages_instead_of_problems() -> None:
    for path, status in (("/nowhere", 404), ("/%00", 404)):
        answer = Api().get(path)
        assert answer.status_code == status
        assert answer["Content-Type"].startswith("text/html")
    assert Api().get("/admin/", Host="evil.example")["Content-Type"].startswith("text/html")


def test_failure_on_our_side_tells_no_details(owner: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(NewestFirst, "paginate_queryset", fail)
    answer = owner.get("/v1/members")
    assert_problem(answer, 500, "server_error")
    assert "swordfish" not in answer.content.decode()


def test_problem_speaks_the_language_of_the_caller(owner: Api) -> None:
    english = owner.get("/v1/members/00000000-0000-0000-0000-000000000000").json()
    portuguese = owner.post("/v1/api-keys", b"{", Accept_Language="pt-BR").json()
    assert english["detail"] == "Not found."
    assert portuguese["detail"].startswith("O corpo não é um JSON válido")
    assert portuguese["code"] == "malformed_json"


def make_keys(house: House, count: int) -> list[str]:
    keys = [
        ApiKey(organization=house.organization, name=f"k{number}", prefix=f"p{number}", digest=b"", scopes=[])
        for number in range(count)
    ]
    ApiKey.across_organizations.bulk_create(keys)
    return [str(key.id) for key in reversed(keys)]


def test_pages_go_through_everything_once_and_back(aurora: House, owner: Api) -> None:
    expected = make_keys(aurora, 25)
    seen: list[str] = []
    url = "/v1/api-keys?limit=10"
    pages = []
    while url:
        page = owner.get(url).json()
        pages.append([row["id"] for row in page["data"]])
        seen += pages[-1]
        last, url = page, page["next"]
    assert seen == expected
    assert owner.get(last["previous"]).json()["data"][0]["id"] == pages[1][0]


def test_page_is_not_shifted_by_what_arrives_meanwhile(aurora: House, owner: Api) -> None:
    make_keys(aurora, 10)
    first = owner.get("/v1/api-keys?limit=5").json()
    ApiKey.across_organizations.create(
        organization=aurora.organization, name="new", prefix="n", digest=b"", scopes=[]
    )
    second = owner.get(first["next"]).json()
    assert not {row["id"] for row in first["data"]} & {row["id"] for row in second["data"]}
    assert [row["name"] for row in owner.get(second["previous"]).json()["data"]] == ["k9", "k8", "k7", "k6", "k5"]


@pytest.mark.parametrize("cursor", ["x", "b3g", "é", "bw==", "%00", "a" * 5000])
def test_cursor_that_is_not_ours_is_a_problem(owner: Api, cursor: str) -> None:
    (error,) = assert_problem(owner.get(f"/v1/members?cursor={cursor}"), 400, "invalid")["errors"]
    assert error["code"] == "invalid_cursor"


@pytest.mark.parametrize("limit", ["0", "-1", "201", "x", "", "9999999999", "１"])
def test_page_size_has_bounds(owner: Api, limit: str) -> None:
    (error,) = assert_problem(owner.get(f"/v1/members?limit={limit}"), 400, "invalid")["errors"]
    assert error["code"] == "invalid_limit"


def test_foreign_website_may_call_the_api_only_if_it_is_listed(owner: Api, settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    allowed = owner.get("/v1/me", Origin="https://app.example")
    refused = owner.get("/v1/me", Origin="https://evil.example")
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example"
    assert "Access-Control-Allow-Origin" not in refused


def test_healthz_answers_without_touching_anything(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert Api().get("/healthz").json() == {"status": "ok"}


def test_readyz_says_that_all_works() -> None:
    answer = Api().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["checks"] == {"database": "ok", "migrations": "ok", "redis": "ok"}


def test_readyz_takes_the_process_out_of_service_without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any) -> None:
        raise OperationalError("connection to db.internal:5432 refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = Api().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "down"
    assert "db.internal" not in answer.content.decode()


def test_readyz_takes_the_process_out_of_service_until_migrations_ran() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'accounts'")
    answer = Api().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["migrations"] == "pending"


def test_readyz_keeps_serving_without_redis(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = Api().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["redis"] == "down"
