"""Begin to read a file of invoices, and find the imports that nobody reads on."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from apps.accounts import audit
from apps.accounts.principal import Principal
from apps.billing.models import ImportState, InvoiceImport
from apps.core import clock, errands
from apps.core.api.problems import field_error
from apps.files import files, uploads
from apps.files.media_types import HEAD_BYTES
from apps.files.models import File, UploadWay
from apps.files.stores import store

RUN = "billing.import_invoices"
LARGEST_BYTES = 50 * 1024 * 1024
UNFINISHED = [ImportState.WAITING, ImportState.RUNNING]
UNRUNG = timedelta(minutes=1)
AT_ONCE = 200


def keep(principal: Principal, upload: UploadedFile[Any]) -> File:
    """A small file that came with a form. Not within a transaction: the store is written to."""
    kept = uploads.begin(principal.organization, UploadWay.STREAMED, name=upload.name or "", size=upload.size)
    content = upload.read()
    store().put(kept.key, content)
    digest = hashlib.sha256(content).hexdigest()
    file = uploads.become_file(kept, size=len(content), sha256=digest, head=content[:HEAD_BYTES])
    if file is None:
        raise uploads.UploadEnded(_("This upload was aborted."))
    return file


@transaction.atomic
def start(principal: Principal, file_id: UUID) -> InvoiceImport:
    """A worker reads it, as soon as one has time."""
    file = files.use(principal.organization, [file_id]).get(file_id)
    if file is None:
        raise field_error("file_id", "unknown_file", _("There is no such file."))
    if file.size > LARGEST_BYTES:
        detail = _("A file of invoices has at most %(most)d bytes. Split it.") % {"most": LARGEST_BYTES}
        raise field_error("file_id", "file_too_large", detail)
    now = clock.now()
    started = InvoiceImport.across_organizations.create(
        organization=principal.organization, file=file, created_at=now, changed_at=now
    )
    changes = {"file": (None, file.name)}
    audit.record(
        principal.actor, "invoice_import.started", started, organization=principal.organization, changes=changes
    )
    errands.start_on_commit(RUN, started.id)
    return started


def ring_forgotten() -> None:
    """Those that no worker was told of, or whose worker died: by the clock."""
    now = clock.now()
    waiting = InvoiceImport.across_organizations.filter(
        Q(leased_until=None) | Q(leased_until__lt=now), state__in=UNFINISHED, changed_at__lt=now - UNRUNG
    )
    for import_id in waiting.order_by("changed_at").values_list("pk", flat=True)[:AT_ONCE]:
        errands.start(RUN, import_id)
