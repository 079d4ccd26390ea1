"""What operators and strangers read in the log: who and what, never a secret."""

import json
from typing import Any

import pytest

from apps.accounts.roles import Role
from tests.cast import PASSWORD, House, add_member, with_key
from tests.server import Server

pytestmark = pytest.mark.django_db(transaction=True)


def lines_about(server: Server, request_id: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [event for event in events if event.get("request_id") == request_id]


def test_request_is_logged_with_its_ids(server: Server, aurora: House) -> None:
    key = with_key(aurora.organization).credential
    with server.client(key) as client:
        answer = client.get("/v1/organization")
        me = client.get("/v1/me").json()
    (line,) = lines_about(server, answer.headers["X-Request-Id"])
    assert line["request"] == "GET /v1/organization"
    assert line["code"] == 200
    assert line["organization_id"] == str(aurora.organization.id)
    assert (line["actor_kind"], line["actor_id"]) == ("api_key", me["id"])


def test_no_secret_of_a_request_reaches_the_log(server: Server, aurora: House) -> None:
    key = with_key(aurora.organization).credential
    add_member(aurora.organization, "zeca@aurora.example", Role.AGENT)
    credentials = {"email": "zeca@aurora.example", "password": PASSWORD}
    with server.client(key) as client:
        created = client.post("/v1/api-keys", json={"name": "Nova", "scopes": ["members:read"]}).json()["key"]
        client.get(f"/v1/me?access_token={created}&token=abc123secret")
        tokens = client.post("/v1/auth/token", json=credentials).json()
        client.post("/v1/auth/refresh", json={"refresh": tokens["refresh"]})
        client.post("/v1/auth/token", json=credentials | {"password": "errada-errada"})
        client.get("/v1/me", headers={"Authorization": f"Bearer {tokens['access']}x"})
    log = server.log.read_text()
    secrets = [
        key.split()[1],
        created,
        "abc123secret",
        tokens["access"],
        tokens["refresh"],
        PASSWORD,
        "errada-errada",
    ]
    assert "/v1/auth/token" in log
    assert [secret for secret in secrets if secret in log] == []


def test_every_line_of_the_application_is_json(server: Server) -> None:
    with server.client() as client:
        client.get("/v1/nowhere")
        client.get("/admin/")
    text = server.log.read_text().splitlines()
    assert [line for line in text if not line.startswith("{")] == []
