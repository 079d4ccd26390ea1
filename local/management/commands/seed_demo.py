"""Give a new demo an organization, people and an API key; leave an old one as it is."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from apps.accounts import api_keys
from apps.accounts.models import ApiKey, Membership, Organization, User
from apps.accounts.principal import Principal
from apps.accounts.roles import Role, Scope
from local.demo_bills import seed_bills
from local.demo_registration import seed_registration
from local.demo_story import accounts_at, seed_accounts, seed_inbox, seed_templates
from local.secrets_file import read_env, write_env

PASSWORD = "recado-demo"  # noqa: S105 - of a demo that listens on loopback only
ADMIN = ("admin@recado.example", "Rui Administrador")
ORGANIZATION = ("Padaria Aurora", "padaria-aurora")
PEOPLE = (
    ("ana@aurora.example", "Ana Ribeiro", Role.OWNER),
    ("bruno@aurora.example", "Bruno Tavares", Role.AGENT),
    ("clara@aurora.example", "Clara Nunes", Role.VIEWER),
)


class Command(BaseCommand):
    help = "Creates the demo's organization, people and API key, once, and writes them to a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--env-file", type=Path, required=True)
        parser.add_argument("--url", required=True, help="where the web process answers")
        parser.add_argument("--grpc", default="", help="where the gRPC server does")
        parser.add_argument("--simulators", default="http://127.0.0.1:8090", help="where the providers are played")
        parser.add_argument("--smtp", default="127.0.0.1:8025", help="where they take mails")

    def handle(
        self, *_args: Any, env_file: Path, url: str, grpc: str, simulators: str, smtp: str, **_options: Any
    ) -> None:
        app_secret = os.environ.get("SIMULATORS_APP_SECRET", "demo")
        with transaction.atomic():
            organization = seed_organization()
            channel_accounts = seed_accounts(organization, accounts_at(simulators, smtp, app_secret))
            seed_templates(organization)
            seed_inbox(organization, channel_accounts)
            seed_bills(organization, channel_accounts)
            seed_registration(organization, channel_accounts, simulators)
            _, key = seed_key(organization, read_env(env_file).get("RECADO_API_KEY", ""))
        write_env(
            env_file,
            {
                "RECADO_URL": url,
                "RECADO_GRPC": grpc,
                "RECADO_SIMULATORS": simulators,
                "RECADO_EMAIL": PEOPLE[0][0],
                "RECADO_ADMIN_EMAIL": ADMIN[0],
                "RECADO_PASSWORD": PASSWORD,
                "RECADO_ORGANIZATION": organization.name,
                "RECADO_ORGANIZATION_ID": str(organization.id),
                "RECADO_API_KEY": key,
                **{
                    f"RECADO_ACCOUNT_{name.upper()}": str(account.id) for name, account in channel_accounts.items()
                },
            },
        )


def seed_organization() -> Organization:
    name, slug = ORGANIZATION
    organization, _ = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
    seed_person(*ADMIN, is_superuser=True)
    for email, person_name, role in PEOPLE:
        person = seed_person(email, person_name)
        Membership.across_organizations.get_or_create(
            organization=organization, user=person, defaults={"role": role, "name": person_name}
        )
    return organization


def seed_person(email: str, name: str, *, is_superuser: bool = False) -> User:
    person = User.objects.filter(email=email).first()
    return person or User.objects.create_user(email, PASSWORD, name=name, is_superuser=is_superuser)


def seed_key(organization: Organization, known: str) -> tuple[ApiKey, str]:
    """The text of a key is nowhere but in the demo's file; if that was lost, another key is made."""
    key = api_keys.recognize(known)
    if key is not None and key.organization_id == organization.id:
        return key, known
    return api_keys.issue(Principal.of_system(organization), name="Demo", scopes=Scope.values)
