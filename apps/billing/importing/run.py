"""Read a file of invoices to its end: in batches, by one worker at a time, from wherever the last one stopped."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import batched, islice
from pathlib import Path
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.accounts.principal import Principal
from apps.billing import invoices
from apps.billing.importing import reading
from apps.billing.importing.row import Row, Unreadable
from apps.billing.imports import LARGEST_BYTES, UNFINISHED
from apps.billing.models import ImportState, InvoiceImport
from apps.billing.new_invoice import Mistake, NewInvoice, RefusedInvoice
from apps.core import clock
from apps.files.stores import store
from apps.files.stores.store import NoSuchObject

logger = structlog.get_logger(__name__)

BATCH_ROWS = 500
MOST_ERRORS = 1000
# Renewed with each batch.
LEASE = timedelta(minutes=2)
SKIPPED_AT_ONCE = 20_000


class _LeaseLost(Exception):
    """Another worker goes on with it."""


def run(import_id: UUID) -> None:
    """Whatever ends this, the rows up to here are saved and counted, both or neither."""
    claimed = _claim(import_id)
    if claimed is None:
        return
    try:
        with _fetched(claimed) as path:
            _read(claimed, path)
    except Unreadable as why:
        _end(claimed, ImportState.REFUSED, why.detail)
    except _LeaseLost:
        logger.info("import_lease_lost", import_id=str(import_id))
    except BaseException:
        _release(claimed)
        raise


def _claim(import_id: UUID) -> InvoiceImport | None:
    now = clock.now()
    waiting = InvoiceImport.across_organizations.filter(
        Q(leased_until=None) | Q(leased_until__lt=now), pk=import_id, state__in=UNFINISHED
    )
    if not waiting.update(state=ImportState.RUNNING, leased_until=now + LEASE, changed_at=now):
        return None  # somebody else is at it, or it has ended
    found = InvoiceImport.across_organizations.select_related("organization", "file").get(pk=import_id)
    return found if found.leased_until == now + LEASE else None


@contextmanager
def _fetched(claimed: InvoiceImport) -> Iterator[Path]:
    """The file on this machine's disk, for as long as it is read."""
    if claimed.file is None:
        raise Unreadable(_("The file was deleted."))
    with tempfile.NamedTemporaryFile(prefix="import-") as copy:
        size = 0
        try:
            for piece in store().read(claimed.file.key):
                size += len(piece)
                if size > LARGEST_BYTES:
                    raise Unreadable(_("A file of invoices has at most %(most)d bytes.") % {"most": LARGEST_BYTES})
                copy.write(piece)
        except NoSuchObject as error:
            raise Unreadable(_("The file was deleted.")) from error
        copy.flush()
        yield Path(copy.name)


def _read(claimed: InvoiceImport, path: Path) -> None:
    total = reading.count_rows(path)
    _renew(claimed, total_rows=total)
    rows = reading.rows(path)
    for skipped in range(0, claimed.done_rows, SKIPPED_AT_ONCE):
        for _row in islice(rows, min(SKIPPED_AT_ONCE, claimed.done_rows - skipped)):
            pass
        _renew(claimed)
    for batch in batched(rows, BATCH_ROWS):
        _save(claimed, batch)
    _end(claimed, ImportState.DONE)


@transaction.atomic
def _save(claimed: InvoiceImport, rows: Sequence[Row]) -> None:
    """The invoices and the counters together: a row is never read twice, and never left out."""
    current = _held(claimed)
    read = {row.number: row.wanted for row in rows if row.wanted is not None}
    wanted = {number: each for number, each in read.items() if isinstance(each, NewInvoice)}
    answers = invoices.save_many(Principal.of_system(claimed.organization), list(wanted.values()))
    wrong: dict[int, list[Mistake]] = {number: each for number, each in read.items() if isinstance(each, list)}
    for number, answer in zip(wanted, answers, strict=True):
        if isinstance(answer, RefusedInvoice):
            wrong[number] = answer.mistakes
        elif answer.outcome == "created":
            current.created_rows += 1
        elif answer.outcome == "changed":
            current.changed_rows += 1
        else:
            current.unchanged_rows += 1
    current.refused_rows += len(wrong)
    current.done_rows += len(rows)
    if current.total_rows is not None:
        current.total_rows = max(current.total_rows, current.done_rows)
    room = MOST_ERRORS - len(current.errors)
    new = [
        {"row": number, "field": each.field, "code": each.code, "detail": each.detail}
        for number in sorted(wrong)
        for each in wrong[number]
    ]
    current.errors += new[:room]
    current.changed_at = now = clock.now()
    current.leased_until = now + LEASE
    current.save(
        update_fields=[
            "created_rows", "changed_rows", "unchanged_rows", "refused_rows", "done_rows", "total_rows", "errors",
            "changed_at", "leased_until",
        ]
    )  # fmt: skip
    claimed.done_rows, claimed.leased_until = current.done_rows, current.leased_until


def _held(claimed: InvoiceImport) -> InvoiceImport:
    """Its row, locked, if it is still ours and where we believe it to be."""
    rows = InvoiceImport.across_organizations.filter(
        pk=claimed.pk, state=ImportState.RUNNING, leased_until=claimed.leased_until, done_rows=claimed.done_rows
    )
    current = rows.select_for_update(no_key=True).first()
    if current is None:
        raise _LeaseLost
    return current


def _renew(claimed: InvoiceImport, **values: int | None) -> None:
    now = clock.now()
    _change(claimed, leased_until=now + LEASE, changed_at=now, **values)
    claimed.leased_until = now + LEASE


def _end(claimed: InvoiceImport, state: ImportState, detail: str = "") -> None:
    values: dict[str, object] = {"total_rows": claimed.done_rows} if state is ImportState.DONE else {}
    try:
        _change(
            claimed, state=state, error_detail=detail[:300], leased_until=None, changed_at=clock.now(), **values
        )
    except _LeaseLost:
        return
    logger.info("import_ended", import_id=str(claimed.pk), state=state, rows=claimed.done_rows)


def _release(claimed: InvoiceImport) -> None:
    """For the next worker, as soon as somebody rings."""
    try:
        _change(claimed, leased_until=None)
    except _LeaseLost:
        return


def _change(claimed: InvoiceImport, **values: object) -> None:
    rows = InvoiceImport.across_organizations.filter(pk=claimed.pk, leased_until=claimed.leased_until)
    if not rows.update(**values):
        raise _LeaseLost
