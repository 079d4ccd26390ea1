"""Where django-allauth asks how this installation wants it: its adapters, its addresses, its secrets."""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.app_settings import REAUTHENTICATION_TIMEOUT
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest

from apps.accounts.models import User
from apps.core.encryption import keyring


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are invited; nobody lets themselves in."""
        return False

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
