"""The demo's own secrets: made once, kept in its folder, readable by its owner only."""

import secrets
import shlex
from pathlib import Path

from cryptography.fernet import Fernet


def load_or_create(path: Path) -> dict[str, str]:
    """What is kept stays as it is; what a newer version needs besides is added."""
    kept = read_env(path)
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEYS": f"demo:{Fernet.generate_key().decode()}",
        "JWT_SIGNING_KEYS": f"demo:{secrets.token_urlsafe(48)}",
        "VAULT_DIGEST_KEY": secrets.token_urlsafe(48),
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "REDIS_PASSWORD": secrets.token_urlsafe(24),
        "S3_SECRET_KEY": secrets.token_hex(24),
        "SIMULATORS_APP_SECRET": secrets.token_hex(16),
        "FLOWER_BASIC_AUTH": f"recado:{secrets.token_urlsafe(24)}",
        "METRICS_TOKEN": secrets.token_urlsafe(24),
    }
    if made.keys() - kept.keys():
        kept = made | kept
        write_env(path, kept)
    return kept


def write_env(path: Path, values: dict[str, str]) -> None:
    """Whole or not at all: a file cut off half-way would cost the demo its data."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))
    draft.replace(path)


def read_env(path: Path) -> dict[str, str]:
    """What a shell would read from it."""
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.partition("=")[::2] for line in lines if "=" in line)
    return {name: " ".join(shlex.split(value)) for name, value in pairs}
