"""The API describes itself truly, and nothing that fits the description, or does not, makes it fail."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cast import Api, House, with_key
from tests.server import Server

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
]
METHODS = {"get", "post", "put", "patch", "delete"}


def document(api: Api) -> dict[str, Any]:
    schema: dict[str, Any] = api.get("/v1/schema").json()
    return schema


def operations(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]


def test_schema_is_openapi_3_1() -> None:
    assert document(Api())["openapi"].startswith("3.1")


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    found = operations(document(Api()))
    assert len(found) >= 15
    for name, operation in found:
        assert operation.get("description"), f"{name} has no description"
        assert "application/problem+json" in operation["responses"]["default"]["content"], name
    names = [operation["operationId"] for _, operation in found]
    assert len(set(names)) == len(names)


def test_creating_operations_offer_the_idempotency_key() -> None:
    schema = document(Api())
    parameters = schema["paths"]["/v1/members"]["post"]["parameters"]
    assert "Idempotency-Key" in [parameter["name"] for parameter in parameters]


def test_documentation_page_needs_nothing_from_elsewhere() -> None:
    page = Api().get("/v1/docs").content.decode()
    assert "swagger-ui" in page
    assert "http://" not in page
    assert "https://" not in page


@pytest.mark.django_db(transaction=True)
@pytest.mark.long
def test_no_generated_request_makes_the_api_fail(server: Server, aurora: House, tmp_path: Path) -> None:
    """Valid, invalid and hostile requests for every operation, over real HTTP; the same ones in every run."""
    credential = with_key(aurora.organization).credential
    ran = subprocess.run(
        [
            Path(sys.executable).parent / "schemathesis", "run", f"{server.url}/v1/schema",
            "--header", f"Authorization: {credential}", "--checks", ",".join(CHECKS), "--mode", "all",
            "--phases", "examples,coverage,fuzzing", "--max-examples", "3", "--seed", "1",
            "--generation-deterministic", "--continue-on-failure", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    tried = re.search(r"(\d+) generated", ran.stdout)
    assert tried
    assert int(tried[1]) > 500
