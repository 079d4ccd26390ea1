"""The page as a person meets it, and what is written down of what they choose."""

import re
from typing import Any

from django.test import Client

from apps.messaging.consent.links import token_of
from apps.messaging.models import ConsentEvent, Contact

ANA = "+5511912345601"
QUIET = {"quiet_from": "", "quiet_until": "", "time_zone": "America/Sao_Paulo"}


def path_of(contact: Contact, more: str = "", category: str = "") -> str:
    return f"/p/{token_of(contact.pk, category)}{more}"


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    content: str = answer.content.decode()
    return content


def events(contact: Contact) -> list[tuple[str, bool, str]]:
    found = ConsentEvent.across_organizations.filter(contact=contact).order_by("id")
    return list(found.values_list("subject", "is_given", "source"))


def ticked(page: str, name: str) -> dict[str, bool]:
    boxes = re.findall(rf'<input[^>]* name="{name}" value="([^"]+)"( checked)?>', page)
    return {value: bool(checked) for value, checked in boxes}


def has_left(contact: Contact) -> bool:
    return Contact.across_organizations.get(pk=contact.pk).left_at is not None


def save(contact: Contact, **said: Any) -> Any:
    return Client().post(path_of(contact), QUIET | said)
