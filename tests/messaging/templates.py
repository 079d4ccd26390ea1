"""Templates for tests: a reminder in two languages, and whatever a test makes of it."""

from typing import Any

from apps.messaging.models import TemplateText, TemplateVersion
from apps.messaging.wording import versions
from apps.messaging.wording.variables import Variable, VariableType
from tests.cast import House

VARIABLES = (
    Variable("name", VariableType.TEXT, "Ana"),
    Variable("total", VariableType.MONEY, "149.90 BRL"),
    Variable("due_on", VariableType.DATE, "2026-03-01"),
    Variable("note", VariableType.TEXT, "Obrigado!", is_required=False),
)
GIVEN = {"name": "Bia", "total": "1149.90 BRL", "due_on": "2026-04-05"}


def in_english(**values: Any) -> TemplateText:
    body = "Hello {{ name }}, {{ total }} is due on {{ due_on|date('long') }}. {{ note }}"
    return TemplateText(**{"language": "en", "subject": "Your bill, {{ name }}", "body": body} | values)


def in_portuguese(**values: Any) -> TemplateText:
    body = "Olá {{ name }}, {{ total }} vence em {{ due_on|date('long') }}. {{ note }}"
    return TemplateText(**{"language": "pt-BR", "subject": "Sua conta", "body": body} | values)


def written(house: House, *texts: TemplateText, name: str = "bill_due", **values: Any) -> TemplateVersion:
    """A draft."""
    given = {"variables": VARIABLES, "texts": texts or (in_english(), in_portuguese())} | values
    return versions.create(house.principal(), name=name, **given)


def published(house: House, *texts: TemplateText, name: str = "bill_due", **values: Any) -> TemplateVersion:
    return versions.publish(house.principal(), written(house, *texts, name=name, **values))
