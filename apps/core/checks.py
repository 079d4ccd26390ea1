"""What Django's `check` says about an installation of Recado."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register


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
    public = any("only-for-" in secret for secret in (settings.SECRET_KEY, settings.VAULT_DIGEST_KEY)) or any(
        entry.startswith("dev:") for entry in settings.ENCRYPTION_KEYS
    )
    return [Error("A secret still has its development value.", id="recado.E001")] if public else []
