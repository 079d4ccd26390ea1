"""Recognize a person by password and second factor, and where django-allauth asks how we want it."""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter, get_adapter
from allauth.account.app_settings import REAUTHENTICATION_TIMEOUT
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.models import EmailAddress
from allauth.core import context, ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.api.problems import Problem, TooManyRequests
from apps.core.encryption import keyring

# Second factors that a program can hand over; a security key needs a browser.
TYPED_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
LOCKED_SECONDS = 300


class BadCredentials(Problem):
    status_code = 401
    default_code = "bad_credentials"
    default_detail = _("E-mail and password do not match.")


class SecondFactorRequired(Problem):
    status_code = 401
    default_code = "mfa_required"
    default_detail = _("This account is protected by a second factor. Send its current code as `code`.")


class BadSecondFactor(Problem):
    status_code = 401
    default_code = "bad_mfa_code"
    default_detail = _("The code is wrong, or was used before.")


class TooManyAttempts(TooManyRequests):
    default_code = "too_many_attempts"
    default_detail = _("Too many failed attempts. Wait before trying again.")


def recognize_person(request: HttpRequest, *, email: str, password: str, code: str) -> User:
    """The same door as the log-in page: one count of failed attempts for both, kept by allauth."""
    try:
        user = get_adapter(request).authenticate(request, email=email, password=password)
    except ValidationError as error:
        raise TooManyAttempts(wait=LOCKED_SECONDS) from error
    if not isinstance(user, User) or not user.is_active:
        raise BadCredentials
    factors = Authenticator.objects.filter(user=user)
    if factors:
        _check_second_factor(request, user, list(factors), code)
    return user


def _check_second_factor(request: HttpRequest, user: User, factors: list[Authenticator], code: str) -> None:
    if not code:
        raise SecondFactorRequired
    # allauth's own pages count under the same key.
    if not ratelimit.consume(request, action="login_failed", key=f"mfa-auth-user-{user.pk}"):
        raise TooManyAttempts(wait=LOCKED_SECONDS)
    if not any(factor.wrap().validate_code(code) for factor in factors if factor.type in TYPED_FACTORS):
        raise BadSecondFactor
    ratelimit.clear(request, action="login_failed", key=f"mfa-auth-user-{user.pk}")


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
