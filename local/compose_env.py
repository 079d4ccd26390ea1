"""Writes the .env that docker-compose.yml reads: every secret made up, and readable by its owner only.

Standard library only, and syntax that older Pythons read, like bootstrap.py: a machine that runs containers needs
nothing else of ours.
"""

import argparse
import base64
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
# The demo's addresses: browsers find this machine behind them, containers find each other.
DEMO_URL = "http://recado.localhost:8000"
DEMO_FILES_URL = "http://files.localhost:9000"
SIMULATORS = "http://simulators:8090"


def main(arguments: Sequence[str]) -> None:
    given = _parser().parse_args(arguments)
    if not given.demo and not (given.url and given.files_url and given.mail_url):
        sys.exit("Say --url, --files-url and --mail-url, or --demo. --help explains them.")
    values = secret_values()
    values.update(demo_values() if given.demo else real_values(given))
    profiles = ["demo"] if given.demo else []
    if given.observability:
        profiles.append("observability")
        values["OTEL_EXPORTER_OTLP_ENDPOINT"] = "http://jaeger:4318"
        values["JAEGER_URL"] = "http://127.0.0.1:16686"
    values["COMPOSE_PROFILES"] = ",".join(profiles)
    write(given.file, values)
    print(f"Wrote {given.file}. Keep a copy where the machine's loss does not reach it:")
    print("without ENCRYPTION_KEYS and VAULT_DIGEST_KEY no backup is of use.")


def secret_values() -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "ENCRYPTION_KEYS": "k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "JWT_SIGNING_KEYS": "k1:" + secrets.token_urlsafe(48),
        "VAULT_DIGEST_KEY": secrets.token_urlsafe(48),
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "REDIS_PASSWORD": secrets.token_hex(24),
        "MINIO_ROOT_PASSWORD": secrets.token_hex(24),
        "S3_SECRET_KEY": secrets.token_hex(20),
        "FLOWER_BASIC_AUTH": "recado:" + secrets.token_urlsafe(32),
        "METRICS_TOKEN": secrets.token_urlsafe(32),
        "GRAFANA_ADMIN_PASSWORD": secrets.token_urlsafe(18),
    }


def real_values(given: argparse.Namespace) -> dict[str, str]:
    return {
        "PUBLIC_URL": given.url.rstrip("/"),
        "ALLOWED_HOSTS": urlsplit(given.url).hostname,
        "S3_PUBLIC_URL": given.files_url.rstrip("/"),
        "MAIL_URL": given.mail_url,
    }


def demo_values() -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "project.settings.demo",
        "PUBLIC_URL": DEMO_URL,
        "ALLOWED_HOSTS": "recado.localhost,localhost,127.0.0.1,web",
        "S3_PUBLIC_URL": DEMO_FILES_URL,
        "MAIL_URL": "smtp://mailpit:1025",
        "ADMIN_REQUIRES_MFA": "false",
        "REGISTRATION_POSTAL_CODES": "local",
        # Providers are containers beside us: where Docker takes its networks from.
        "OUTBOUND_ALLOWED_NETWORKS": "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16",
        "WHATSAPP_CLOUD_URL": SIMULATORS + "/whatsapp/v23.0",
        "INSTAGRAM_URL": SIMULATORS + "/instagram/v23.0",
        "TELEGRAM_URL": SIMULATORS + "/telegram",
        "TWILIO_URL": SIMULATORS + "/twilio",
        "SIMULATORS_APP_SECRET": secrets.token_hex(16),
        # For the browser.
        "SIMULATORS_URL": "http://127.0.0.1:8090",
    }


def write(path: Path, values: dict[str, str]) -> None:
    """Never over another: its secrets would be lost, and what they encrypt with them."""
    for name, value in values.items():
        if not set("'\n\\").isdisjoint(value):
            sys.exit(f"{name} must not contain quotes, backslashes or line ends.")
    try:
        opened = os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        sys.exit(f"{path} is there already, and stays as it is. Move it away to have another made.")
    with os.fdopen(opened, "w") as file:
        for name, value in values.items():
            file.write(f"{name}='{value}'\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make compose-env", description=__doc__)
    parser.add_argument("--url", help="the address people use, https://recado.example")
    parser.add_argument(
        "--files-url", help="where browsers and providers reach MinIO, https://files.recado.example"
    )
    parser.add_argument(
        "--mail-url", help="smtp+starttls://user:password@host:587, for password resets and notices"
    )
    parser.add_argument("--demo", action="store_true", help="simulated providers and made-up people instead")
    parser.add_argument("--observability", action="store_true", help="Prometheus, Grafana, Jaeger and traces too")
    parser.add_argument("--file", type=Path, default=ROOT / ".env")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
