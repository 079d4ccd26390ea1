"""The control API in a browser: the web process's own pages may use it, nobody else's."""

from typing import Any

import pytest

from apps.channels.simulators.control import _origins_of
from tests.channels.simulators.stage import Stage


async def ask(stage: Stage, origin: str, method: str = "GET", path: str = "/control/faults", **more: Any) -> Any:
    headers = {"Origin": origin, **more.pop("headers", {})}
    async with stage.session.request(method, stage.url + path, headers=headers, **more) as answer:
        await answer.read()
        return answer


def home(stage: Stage) -> str:
    return stage.receiver.url.removesuffix("/hooks")


@pytest.mark.parametrize("path", ["faults", "tally", "received", "delays", "nothing"])
async def test_own_page_may_read_every_answer(stage: Stage, path: str) -> None:
    answer = await ask(stage, home(stage), path=f"/control/{path}")
    assert answer.headers["Access-Control-Allow-Origin"] == home(stage)
    assert answer.headers["Vary"] == "Origin"


async def test_own_page_may_order_faults_and_learns_what_was_wrong_with_them(stage: Stage) -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}
    answer = await ask(stage, home(stage), "OPTIONS", headers=asked)
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == home(stage)
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert "DELETE" in answer.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type"
    refused = await ask(stage, home(stage), "PUT", json=[{"kind": "nonsense"}])
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (400, home(stage))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "*"])
async def test_other_pages_may_not(stage: Stage, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        assert "Access-Control-Allow-Origin" not in (await ask(stage, origin, method)).headers


async def test_providers_themselves_are_open_to_no_page(stage: Stage) -> None:
    answer = await ask(stage, home(stage), path="/whatsapp/v23.0/100")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    ("url", "origins"),
    [
        ("http://127.0.0.1:8000/v1/hooks", {"http://127.0.0.1:8000", "http://localhost:8000"}),
        ("http://localhost/v1/hooks", {"http://127.0.0.1", "http://localhost"}),
        ("https://recado.example:443/v1/hooks", {"https://recado.example"}),
        ("http://recado.example:443/v1/hooks", {"http://recado.example:443"}),
    ],
)
def test_origin_is_written_as_browsers_write_it(url: str, origins: set[str]) -> None:
    assert _origins_of(url) == origins
