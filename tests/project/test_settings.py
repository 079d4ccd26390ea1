import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "project.settings.production",
    "SECRET_KEY": "Zq8-" + "kX3vT9mLpW2rY7sB" * 4,
    "ENCRYPTION_KEYS": f"k1:{Fernet.generate_key().decode()}",
    "JWT_SIGNING_KEYS": "k1:" + "c2lnbmluZy1rZXk" * 4,
    "VAULT_DIGEST_KEY": "ZGlnZXN0LWtleQ" * 4,
    "ALLOWED_HOSTS": "recado.example",
    "PUBLIC_URL": "https://recado.example",
    "DATABASE_URL": "postgres://recado:secret@db/recado",
    "REDIS_URL": "redis://redis/0",
    "MAIL_URL": "smtps://user:password@mail.example",
}


def manage(*arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    wanted = {**PRODUCTION, **changes}
    environment = {
        "PATH": os.environ["PATH"],
        **{name: value for name, value in wanted.items() if value is not None},
    }
    command = [sys.executable, "-W", "error", "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_production_passes_every_deployment_check() -> None:
    ran = manage("check", "--deploy", "--fail-level", "WARNING")
    assert ran.returncode == 0, ran.stderr
    assert "no issues (0 silenced)" in ran.stdout


def test_production_names_every_missing_variable_at_once() -> None:
    ran = manage("check", **dict.fromkeys(set(PRODUCTION) - {"DJANGO_SETTINGS_MODULE"}))
    assert ran.returncode != 0
    for name in set(PRODUCTION) - {"DJANGO_SETTINGS_MODULE"}:
        assert f"{name} is missing" in ran.stderr


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"PUBLIC_URL": "http://recado.example"}, "PUBLIC_URL cannot be read"),
        ({"BROKER_URL": "kafka://broker"}, "BROKER_URL cannot be read"),
        ({"ENCRYPTION_KEYS": "k1:short"}, "ENCRYPTION_KEYS cannot be read"),
        ({"JWT_SIGNING_KEYS": "k1:short"}, "JWT_SIGNING_KEYS cannot be read"),
        ({"FLOWER_URL": "http://flower:5555"}, "FLOWER_BASIC_AUTH is missing"),
        ({"FLOWER_URL": "http://flower:5555", "FLOWER_BASIC_AUTH": "a:b"}, "FLOWER_BASIC_AUTH cannot be read"),
        ({"VAULT_DIGEST_KEY": "short"}, "VAULT_DIGEST_KEY cannot be read"),
        ({"SECRET_KEY": "x"}, "SECRET_KEY cannot be read"),
        ({"SECRET_KEY": "only-for-development-" + "x" * 40}, "recado.E001"),
        ({"VAULT_DIGEST_KEY": "only-for-development-" + "x" * 40}, "recado.E001"),
    ],
)
def test_production_refuses_what_is_unsafe(changes: dict[str, str], complaint: str) -> None:
    ran = manage("check", "--deploy", "--fail-level", "WARNING", **changes)
    assert ran.returncode != 0
    assert complaint in ran.stderr
