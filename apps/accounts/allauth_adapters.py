"""Where django-allauth asks how this installation wants it: its adapters, its addresses, its secrets."""

import time
from typing import Any
from urllib.parse import urlsplit

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.app_settings import REAUTHENTICATION_TIMEOUT
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.account.signals import password_changed, password_reset, password_set
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from apps.accounts import audit
from apps.accounts.models import User
from apps.accounts.principal import actor_of
from apps.accounts.sessions import close_sessions_of
from apps.core.encryption import keyring

logger = structlog.get_logger(__name__)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited; nobody lets themselves in."""
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Failed attempts are counted by account alone: allauth adds the Host, which the client chooses."""
        return str(credentials.get("email", "")).strip().lower()

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Links in mail lead to this installation, whatever Host the request for them named."""
        path = urlsplit(super().get_reset_password_from_key_url(key)).path
        return f"{settings.PUBLIC_URL}{path}"

    def is_safe_url(self, url: str) -> bool:
        try:
            return bool(super().is_safe_url(url))
        except ValueError:  # no URL at all, such as http://[
            return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        try:
            super().send_mail(template_prefix, email, context)
        except UnicodeError:  # a domain that cannot exist
            logger.warning("mail_not_sent", reason="the address has no valid domain")

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Whoever logged in a moment ago is not asked for the same password again."""
        records = get_authentication_records(context.request, context.request.user)
        is_fresh = bool(records) and time.time() - records[-1]["at"] < REAUTHENTICATION_TIMEOUT
        return not is_fresh and bool(super().is_reauthentication_required(app=app, **kwargs))


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        return keyring().encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return keyring().decrypt(encrypted_text)


@receiver(post_save, sender=User)
def forget_other_addresses(instance: User, **_kwargs: Any) -> None:
    """allauth keeps addresses of its own and would go on opening the account for an address it no longer has."""
    EmailAddress.objects.filter(user=instance).exclude(email=instance.email).delete()


@receiver(post_save, sender=User)
def end_sessions_of_the_past(instance: User, **_kwargs: Any) -> None:
    """A new password, and an account that was closed, put out whoever is in. (Django does so for browsers.)"""
    if getattr(instance, "_password", None) is not None or not instance.is_active:
        close_sessions_of(instance)


@receiver(authenticator_added)
def note_second_factor(user: User, **_kwargs: Any) -> None:
    """Whoever got in without it is put out."""
    close_sessions_of(user)
    audit.record(actor_of(user), "user.second_factor_added", user, organization=None)


@receiver(authenticator_removed)
def note_second_factor_gone(user: User, **_kwargs: Any) -> None:
    audit.record(actor_of(user), "user.second_factor_removed", user, organization=None)


@receiver([password_changed, password_set, password_reset])
def note_password(user: User, **_kwargs: Any) -> None:
    audit.record(actor_of(user), "user.password_changed", user, organization=None)


ENCRYPTED_MEMBERS = ("secret", "seed")


@transaction.atomic
def rotate_second_factors(size: int) -> int:
    """One batch of them: they lie inside JSON of allauth's table, where no field of ours is."""
    ring = keyring()
    stale = Q()
    for name in ENCRYPTED_MEMBERS:
        stale |= Q(data__has_key=name) & ~Q(**{f"data__{name}__startswith": ring.current_prefix})
    batch = list(Authenticator.objects.filter(stale).select_for_update().order_by("pk")[:size])
    for authenticator in batch:
        data: dict[str, Any] = authenticator.data
        authenticator.data = {
            name: ring.renew(value) if name in ENCRYPTED_MEMBERS else value for name, value in data.items()
        }
        authenticator.save(update_fields=["data"])
    return len(batch)
