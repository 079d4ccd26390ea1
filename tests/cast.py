"""The people and organizations that every test knows.

Padaria Aurora is the organization a test is about; Livraria Boreal is the stranger who must see none of it.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from django.contrib.auth.hashers import make_password
from django.test import Client

from apps.accounts import api_keys, sessions
from apps.accounts.models import Membership, Organization, User
from apps.accounts.principal import Principal
from apps.accounts.roles import Role, Scope
from apps.channels import accounts
from apps.channels.models import ChannelAccount, ReplyWindow

PASSWORD = "pão-de-queijo-quente"


@dataclass(frozen=True)
class House:
    """An organization with one member of each role."""

    organization: Organization
    owner: Membership
    admin: Membership
    agent: Membership
    viewer: Membership

    def principal(self, role: str = "owner") -> Principal:
        membership: Membership = getattr(self, role)
        return Principal.of_membership(membership)


def open_house(name: str, slug: str) -> House:
    """In three statements: nearly every test opens two."""
    organization = Organization.objects.create(name=name, slug=slug)
    users = [User(email=f"{role.value}@{slug}.example", password=_hashed_password()) for role in Role]
    members = [
        Membership(organization=organization, user=user, role=role) for role, user in zip(Role, users, strict=True)
    ]
    User.objects.bulk_create(users)
    Membership.across_organizations.bulk_create(members)
    return House(organization, **{member.role: member for member in members})


@cache
def _hashed_password() -> str:
    return make_password(PASSWORD)


def add_member(organization: Organization, email: str, role: Role) -> Membership:
    user = User.objects.filter(email=email).first() or User.objects.create_user(email, PASSWORD)
    return Membership.across_organizations.create(organization=organization, user=user, role=role)


CREDENTIALS: dict[str, dict[str, str]] = {
    "whatsapp_cloud": {
        "phone_number_id": "106540352242922",
        "access_token": "EAAG-whatsapp-token-of-the-house",
        "app_secret": "whatsapp-app-secret-of-the-house",
        "verify_token": "whatsapp-verify-token-of-the-house",
    },
    "instagram": {
        "instagram_id": "17841400000000001",
        "access_token": "IGAA-instagram-token-of-the-house",
        "app_secret": "instagram-app-secret-of-the-house",
        "verify_token": "instagram-verify-token-of-the-house",
    },
    "telegram": {
        "bot_token": "7100200300:telegram-token-of-the-house",
        "secret_token": "telegram-secret-token-of-the-house",
    },
    "sms": {
        "account_sid": "AC0123456789abcdef0123456789abcdef",
        "auth_token": "twilio-auth-token-of-the-house",
        "sender": "+15005550006",
    },
    "evolution": {
        "server_url": "https://provider.example/v1",
        "instance": "padaria-aurora",
        "api_key": "evolution-api-key-of-the-house",
        "webhook_secret": "evolution-webhook-secret-of-the-house",
        "jwt_key": "evolution-jwt-key-that-the-house-chose",
    },
    "email": {
        "server": "smtp.provider.example:587",
        "security": "starttls",
        "username": "padaria",
        "password": "smtp-password-of-the-house",
        "from_address": "pedidos@aurora.example",
        "from_name": "Padaria Aurora",
        "reply_to": "balcao@aurora.example",
    },
    "webhook": {"signing_secret": "whsec_c2lnbmluZy1zZWNyZXQtb2YtdGhlLWhvdXNlIQ=="},
}


def add_channel_account(house: House, connector: str = "whatsapp_cloud", **values: Any) -> ChannelAccount:
    principal = Principal.of_system(house.organization)
    given = {
        "name": f"{connector} of {house.organization.slug}",
        "credentials": CREDENTIALS[connector],
        # When people wrote is for tests about that.
        "reply_window": ReplyWindow.LEFT_TO_PROVIDER,
    } | values
    return accounts.add(principal, connector=connector, **given)


class Api:
    """A caller of the REST API."""

    def __init__(self, credential: str | None = None) -> None:
        self._client = Client(raise_request_exception=False)
        self.credential = credential or ""
        self._headers = {"Authorization": credential} if credential else {}

    def get(self, path: str, **headers: str) -> Any:
        return self._client.get(path, headers=self._headers | headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.send("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self._client.delete(path, headers=self._headers | headers)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.generic(
            method,
            path,
            body if isinstance(body, bytes) else _json(body),
            content_type=named.pop("Content-Type", "application/json"),
            headers=self._headers | named,
        )


def _json(body: Any) -> bytes:
    return b"" if body is None else orjson.dumps(body)


def as_member(membership: Membership) -> Api:
    return Api(f"Bearer {sessions.open_session(membership).access}")


def with_key(organization: Organization, *scopes: Scope) -> Api:
    _, text = api_keys.issue(Principal.of_system(organization), name="Test", scopes=scopes or Scope.values)
    return Api(f"Api-Key {text}")
