from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from apps.accounts.models import IdempotencyRecord
from apps.core import rotation
from apps.core.encryption import generate_key, keyring
from tests.cast import House

pytestmark = pytest.mark.django_db
PLACE = "accounts.IdempotencyRecord.body"


def keep(house: House, count: int) -> None:
    for number in range(count):
        IdempotencyRecord.across_organizations.create(
            organization=house.organization,
            key=f"key-{number}",
            fingerprint=b"",
            status=201,
            body=f"texto {number}",
        )


def stored_bodies() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM idempotency_record ORDER BY key")
        return [row[0] for row in cursor.fetchall()]


def test_body_is_unreadable_in_the_database(aurora: House) -> None:
    keep(aurora, 1)
    assert "texto" not in stored_bodies()[0]
    assert IdempotencyRecord.across_organizations.get().body == "texto 0"


def test_encrypted_field_refuses_a_filter_that_would_find_nothing(aurora: House) -> None:
    with pytest.raises(TypeError, match="encrypted"):
        IdempotencyRecord.across_organizations.filter(body="texto 0")


def test_rotation_brings_every_secret_under_the_new_key(aurora: House, settings: Settings) -> None:
    keep(aurora, 5)
    settings.ENCRYPTION_KEYS = {"next": generate_key(), **settings.ENCRYPTION_KEYS}
    call_command("rotate_encryption_keys", "--batch-size", "2", stdout=StringIO())
    assert all(body.startswith("next:") for body in stored_bodies())
    settings.ENCRYPTION_KEYS = {"next": settings.ENCRYPTION_KEYS["next"]}
    assert IdempotencyRecord.across_organizations.order_by("key").first().body == "texto 0"  # type: ignore[union-attr]


def test_interrupted_rotation_goes_on_where_it_stopped(aurora: House, settings: Settings) -> None:
    keep(aurora, 5)
    settings.ENCRYPTION_KEYS = {"next": generate_key(), **settings.ENCRYPTION_KEYS}
    rotate_batch = dict(rotation.places())[PLACE]
    assert rotate_batch(2) == 2  # and here it is killed
    assert sum(body.startswith("next:") for body in stored_bodies()) == 2
    assert [rotate_batch(2), rotate_batch(2), rotate_batch(2)] == [2, 1, 0]


def test_rotation_reaches_second_factors(aurora: House, settings: Settings) -> None:
    factor = Authenticator.objects.create(
        user=aurora.owner.user, type=Authenticator.Type.TOTP, data={"secret": keyring().encrypt("BASE32")}
    )
    settings.ENCRYPTION_KEYS = {"next": generate_key(), **settings.ENCRYPTION_KEYS}
    call_command("rotate_encryption_keys", stdout=StringIO())
    factor.refresh_from_db()
    data: dict[str, Any] = factor.data
    assert data["secret"].startswith("next:")
    assert keyring().decrypt(data["secret"]) == "BASE32"


def test_rotation_says_which_place_it_cannot_read(aurora: House, settings: Settings) -> None:
    keep(aurora, 1)
    settings.ENCRYPTION_KEYS = {"next": generate_key()}
    with pytest.raises(CommandError, match=PLACE):
        call_command("rotate_encryption_keys", stdout=StringIO())
