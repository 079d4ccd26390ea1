"""What Django's `check` says about an installation of Recado."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register

from apps.core.encryption import Keyring

SHORTEST_SIGNING_KEY = 32


@register(Tags.security)
def encryption_keys_are_usable(**_kwargs: Any) -> list[CheckMessage]:
    try:
        Keyring.parse(settings.ENCRYPTION_KEYS)
    except ValueError as error:
        return [
            Error(
                f"ENCRYPTION_KEYS is not usable: {error}.",
                hint="name:key words, the current one first. Make a key with: manage.py generate_encryption_key",
                id="recado.E001",
            )
        ]
    return []


@register(Tags.security)
def signing_keys_are_strong(**_kwargs: Any) -> list[CheckMessage]:
    entries = [entry.partition(":") for entry in settings.JWT_SIGNING_KEYS]
    if entries and all(name and len(key) >= SHORTEST_SIGNING_KEY for name, _colon, key in entries):
        return []
    return [
        Error(
            f"JWT_SIGNING_KEYS needs name:key words with keys of {SHORTEST_SIGNING_KEY} characters or more.",
            hint="The first one signs; the others are accepted until they are removed.",
            id="recado.E002",
        )
    ]


@register(Tags.translation)
def translations_are_compiled(**_kwargs: Any) -> list[CheckMessage]:
    missing = [
        source.parent.parent.name
        for folder in settings.LOCALE_PATHS
        for source in Path(folder).glob("*/LC_MESSAGES/django.po")
        if not source.with_suffix(".mo").exists()
    ]
    if not missing:
        return []
    return [
        checks.Warning(
            f"Translations are not compiled: {', '.join(missing)}. People would see English.",
            hint="Run: make environment (or: pybabel compile -D django -d locale)",
            id="recado.W001",
        )
    ]


@register(Tags.security, deploy=True)
def secrets_are_not_examples(**_kwargs: Any) -> list[CheckMessage]:
    """The values that development settings fill in are public."""
    public = "only-for-" in settings.SECRET_KEY or any(
        entry.startswith("dev:") for entry in settings.ENCRYPTION_KEYS
    )
    return [Error("A secret still has its development value.", id="recado.E003")] if public else []
