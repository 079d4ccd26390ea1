"""Where personal data lies, and that nobody reads it there."""

from datetime import date
from io import StringIO
from typing import Any
from uuid import uuid5

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.core.encryption import UnreadableSecret, generate_key
from apps.core.ids import new_id
from apps.registration.kinds import Kind
from apps.registration.vault.digests import SEARCHABLE, digest
from apps.registration.vault.models import Access, Applied, Person, PersonField
from tests.cast import House
from tests.emptying import empty_tables
from tests.registration.vault.told import ANA, EMAIL, NAME, PHONE, TAX_ID, find, known_values, read, write

MODELS = (Person, PersonField, Access, Applied)


def asked(statement: str, *given: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, given)
        return [row[0] for row in cursor.fetchall()]


def everything_in_the_vault() -> str:
    tables = asked("SELECT tablename FROM pg_tables WHERE schemaname = 'vault'")
    return "\n".join(row for table in tables for row in asked(f'SELECT t::text FROM vault."{table}" t'))


@pytest.mark.django_db
def test_tables_lie_in_a_schema_of_their_own() -> None:
    tables = asked("SELECT tablename FROM pg_tables WHERE schemaname = 'vault' ORDER BY tablename")
    assert tables == ["access", "applied", "field", "person"]
    assert [model._meta.db_table.split('"."')[0] for model in MODELS] == ["vault"] * 4
    indexes = set(asked("SELECT indexname FROM pg_indexes WHERE schemaname = 'vault'"))
    wanted = {index.name for model in MODELS for index in (*model._meta.indexes, *model._meta.constraints)}
    assert wanted - {"vault_access_reason"} <= indexes


@pytest.mark.django_db
def test_nothing_in_the_schema_refers_to_anything_outside_or_the_other_way() -> None:
    crossing = asked(
        "SELECT conname FROM pg_constraint JOIN pg_class here ON here.oid = conrelid"
        " JOIN pg_class there ON there.oid = confrelid WHERE here.relnamespace <> there.relnamespace"
    )
    assert crossing == []
    own = asked("SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = 'vault.field'::regclass")
    assert len(own) == 1


@pytest.mark.django_db
def test_no_value_is_readable_in_the_tables(aurora: House) -> None:
    values = ANA | {
        "address": (Kind.POSTAL_ADDRESS, '{"city":"São Paulo","street":"Rua Augusta"}'),
        "born": (Kind.BIRTH_DATE, date(1990, 5, 17).isoformat()),
        "allergies": (Kind.FREE, "camarão"),
    }
    person_id = write(aurora, values, once=new_id())
    read(aurora, person_id)
    find(aurora, Kind.EMAIL, EMAIL)
    kept = everything_in_the_vault()
    assert str(person_id) in kept
    for word in (
        NAME,
        "Beatriz",
        EMAIL,
        "exemplo",
        PHONE,
        "912345601",
        TAX_ID,
        "Augusta",
        "1990-05-17",
        "camarão",
    ):
        assert word not in kept
        assert word.encode().hex() not in kept


@pytest.mark.django_db
def test_what_is_printed_by_accident_shows_no_value(aurora: House) -> None:
    person_id = write(aurora)
    known = read(aurora, person_id)
    rows = [row for model in MODELS for row in model.across_organizations.all()]
    shown = " ".join(f"{each!r} {each!s}" for each in [known, [known], *rows])
    assert str(person_id) in shown
    for word in (NAME, EMAIL, PHONE, TAX_ID):
        assert word not in shown


@pytest.mark.django_db
def test_statements_carry_no_value(aurora: House) -> None:
    """Whoever logs them sees tokens."""
    with CaptureQueriesContext(connection) as queries:
        person_id = write(aurora)
        read(aurora, person_id)
        find(aurora, Kind.TAX_ID, TAX_ID)
    for word in (NAME, EMAIL, PHONE, TAX_ID):
        assert word not in str(queries.captured_queries)


@pytest.mark.django_db
def test_rotation_of_keys_finds_the_vault(aurora: House, settings: Settings) -> None:
    person_id = write(aurora)
    settings.ENCRYPTION_KEYS = {"next": generate_key(), **settings.ENCRYPTION_KEYS}
    out = StringIO()
    call_command("rotate_encryption_keys", "--batch-size", "3", stdout=out)
    assert "vault.PersonField.value" in out.getvalue()
    stored = asked("SELECT value FROM vault.field")
    assert len(stored) == 4
    assert all(token.startswith("next:") for token in stored)
    settings.ENCRYPTION_KEYS = {"next": settings.ENCRYPTION_KEYS["next"]}
    assert known_values(aurora, person_id)["name"] == NAME
    assert find(aurora, Kind.EMAIL, EMAIL) == [person_id], "digests are under a key of their own"


@pytest.mark.django_db
def test_values_are_decrypted_only_when_they_are_read(aurora: House, settings: Settings) -> None:
    contact_id = new_id()
    person_id = write(aurora, contact_id=contact_id)
    settings.ENCRYPTION_KEYS = {"next": generate_key()}
    assert find(aurora, Kind.EMAIL, EMAIL) == [person_id]
    write(aurora, {"name": (Kind.NAME, "Ana Souza")}, contact_id)
    assert known_values(aurora, person_id, fields=["name"]) == {"name": "Ana Souza"}
    with pytest.raises(UnreadableSecret):
        read(aurora, person_id)


@given(kind=st.sampled_from(sorted(SEARCHABLE)), value=st.text(st.characters(codec="utf-8")))
def test_digest_depends_on_organization_kind_value_and_key(kind: Kind, value: str) -> None:
    ours, theirs = new_id(), new_id()
    others = [
        digest(theirs, kind, value),
        digest(ours, kind, value + "0"),
        *(digest(ours, other, value) for other in SEARCHABLE - {kind}),
    ]
    own = digest(ours, kind, value)
    assert own is not None
    assert len(own) == 32
    assert own == digest(ours, kind, value)
    assert own not in others


def test_digest_is_of_no_use_without_the_key(settings: Settings) -> None:
    ours = uuid5(new_id(), "ours")
    own = digest(ours, Kind.EMAIL, EMAIL)
    settings.VAULT_DIGEST_KEY = "another key, of 32 characters or more"
    assert digest(ours, Kind.EMAIL, EMAIL) != own


@pytest.mark.parametrize("kind", [Kind.NAME, Kind.BIRTH_DATE, Kind.POSTAL_ADDRESS, Kind.FREE])
def test_what_is_easily_guessed_has_no_digest(kind: Kind) -> None:
    assert digest(new_id(), kind, "1990-05-17") is None


@pytest.mark.django_db(transaction=True)
def test_vault_is_empty_for_the_next_test(aurora: House) -> None:
    write(aurora, once=new_id())
    empty_tables()
    assert [model.across_organizations.count() for model in MODELS] == [0, 0, 0, 0]
