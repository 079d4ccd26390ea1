"""Operators at their browsers, and what they read there."""

from typing import Any

from django.test import Client

from apps.accounts.models import User


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def list_of(kind: str) -> str:
    return f"/admin/messaging/{kind}/"


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    content: str = answer.content.decode()
    return content


def rows(client: Client, kind: str, query: str = "") -> list[str]:
    answer = client.get(f"{list_of(kind)}?{query}")
    assert answer.status_code == 200
    return [str(row.pk) for row in answer.context["cl"].result_list]
