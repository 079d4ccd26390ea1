"""Recognize a person by password and second factor, for programs; the pages are django-allauth's own."""

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit  # the public one cannot take an attempt back
from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.api.problems import Problem, TooManyRequests

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
    attempt = ratelimit.consume(
        request, app="allauth.account", action="login_failed", key=f"mfa-auth-user-{user.pk}"
    )
    if not attempt:
        raise TooManyAttempts(wait=LOCKED_SECONDS)
    if not any(factor.wrap().validate_code(code) for factor in factors if factor.type in TYPED_FACTORS):
        raise BadSecondFactor
    attempt.rollback()  # this one was no failure; those before it stay counted
