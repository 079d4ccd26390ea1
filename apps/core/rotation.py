"""Re-encrypt what is stored under old keys, in small batches that can stop anywhere and go on later."""

from collections.abc import Callable, Iterator

from django.apps import apps
from django.db import connection, models, transaction

from apps.core.encryption import keyring
from apps.core.fields import EncryptedTextField

# Takes a batch size, re-encrypts up to so many values and says how many it did; 0 means done.
RotateBatch = Callable[[int], int]

_elsewhere: dict[str, RotateBatch] = {}


def register(name: str, rotate_batch: RotateBatch) -> None:
    """For secrets that lie in no EncryptedTextField, say in another package's tables."""
    _elsewhere[name] = rotate_batch


def places() -> Iterator[tuple[str, RotateBatch]]:
    """Every place that holds encrypted values, by the name to show."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedTextField):
                yield f"{model._meta.label}.{field.name}", _field_rotation(model, field)
    yield from _elsewhere.items()


def _field_rotation(model: type[models.Model], field: EncryptedTextField) -> RotateBatch:
    """Raw SQL, because the field itself would decrypt, and encrypt again each time it is compared."""
    quote = connection.ops.quote_name
    table, column, key = quote(model._meta.db_table), quote(field.column or ""), quote(model._meta.pk.column or "")
    # A row that somebody is writing is waited for: skipping it would end with "none left" too early.
    select = (
        f"SELECT {key}, {column} FROM {table} WHERE {column} NOT LIKE %s "  # noqa: S608 - names of our own models
        f"ORDER BY {key} LIMIT %s FOR UPDATE"
    )
    update = f"UPDATE {table} SET {column} = %s WHERE {key} = %s"  # noqa: S608

    def rotate_batch(size: int) -> int:
        ring = keyring()
        pattern = ring.current_prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(select, [pattern, size])
            rows = cursor.fetchall()
            cursor.executemany(update, [(ring.renew(stored), row_id) for row_id, stored in rows])
        return len(rows)

    return rotate_batch
