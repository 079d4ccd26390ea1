"""Make, recognize and revoke the keys of those who run the installation, which open /v1/installation/ only."""

import hmac
import secrets
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts import audit
from apps.accounts.api_keys import (
    PREFIX_ALPHABET,
    PREFIX_CHARACTERS,
    SECRET_BYTES,
    USE_NOTED_EVERY,
    digest_of,
)
from apps.accounts.models import InstallationKey, User
from apps.accounts.principal import actor_of
from apps.core import clock
from apps.core.api.problems import Problem

MARK = "ri"


class NotForSuperusers(Problem):
    status_code = 403
    default_code = "not_a_superuser"
    default_detail = _("Only who runs the installation makes and revokes its keys.")


@transaction.atomic
def issue(user: User, *, name: str, expires_at: datetime | None = None) -> tuple[InstallationKey, str]:
    """The new key, and the text of it that is shown this once."""
    _check(user)
    prefix = f"{MARK}_" + "".join(secrets.choice(PREFIX_ALPHABET) for _ in range(PREFIX_CHARACTERS))
    text = f"{prefix}_{secrets.token_urlsafe(SECRET_BYTES)}"
    key = InstallationKey.objects.create(
        name=name, prefix=prefix, digest=digest_of(text), made_by=user, expires_at=expires_at
    )
    changes = {"expires_at": (None, expires_at)} if expires_at else {}
    audit.record(actor_of(user), "installation_key.created", key, organization=None, changes=changes)
    return key, text


def recognize(text: str) -> InstallationKey | None:
    """The live key behind this text, while whoever made it still runs the installation."""
    mark, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    if mark != MARK or len(prefix) != PREFIX_CHARACTERS or not secret:
        return None
    key = InstallationKey.objects.select_related("made_by").filter(prefix=f"{mark}_{prefix}").first()
    if key is None or not hmac.compare_digest(bytes(key.digest), digest_of(text)) or not is_live(key):
        return None
    _note_use(key)
    return key


def is_live(key: InstallationKey) -> bool:
    is_over = key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= clock.now())
    return not is_over and key.made_by is not None and key.made_by.is_active and key.made_by.is_superuser


@transaction.atomic
def revoke(user: User, key: InstallationKey) -> None:
    """From the next request on. Revoking twice keeps the first time."""
    _check(user)
    now = clock.now()
    if InstallationKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        key.revoked_at = now
        audit.record(actor_of(user), "installation_key.revoked", key, organization=None)


def _check(user: User) -> None:
    if not (user.is_active and user.is_superuser):
        raise NotForSuperusers


def _note_use(key: InstallationKey) -> None:
    now = clock.now()
    stale = now - USE_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at < stale:
        # Of requests that arrive together only one writes.
        outdated = Q(last_used_at=None) | Q(last_used_at__lt=stale)
        InstallationKey.objects.filter(outdated, pk=key.pk).update(last_used_at=now)
