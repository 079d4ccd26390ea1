"""How the API describes itself: OpenAPI 3.1, with every error as a problem document."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from apps.core.api.problems import CONTENT_TYPE

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `code` and `pointer` are stable; `title` and `detail` are for people.",
    "required": ["type", "title", "status", "code", "detail", "errors", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("pointer", "code", "detail")},
            },
        },
        "request_id": {"type": "string"},
    },
}

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    location=OpenApiParameter.HEADER,
    description=(
        "Makes a repetition safe: the same key with the same body within a day is carried out once and answered "
        "the same, with `Idempotency-Replayed: true`."
    ),
    pattern=r"^[\x21-\x7e]{1,255}$",
)


class RecadoAutoSchema(AutoSchema):
    """Groups operations by the first word of their path, and tells what our decorators add."""

    def get_tags(self) -> list[str]:
        return [self.path.removeprefix("/v1/").split("/")[0]]

    def get_summary(self) -> str | None:
        """The first sentence of the docstring."""
        return (super().get_description() or "").split(". ")[0].split("\n")[0].removesuffix(".") or None

    def get_description(self) -> str:  # type: ignore[override]
        scope = getattr(self.view, "scopes", {}).get(self.method)
        said = super().get_description() or ""
        return f"{said}\n\nNeeds the scope `{scope}`." if scope else said

    def get_override_parameters(self) -> list[Any]:
        handler = getattr(self.view, self.method.lower(), None)
        return [IDEMPOTENCY_KEY] if getattr(handler, "is_idempotent", False) else []


def describe_problems(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Every operation may fail, and always in the same shape."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    answer = {
        "description": "A problem: what is wrong and what to do about it",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for path in result["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation["responses"]["default"] = answer
    return result
