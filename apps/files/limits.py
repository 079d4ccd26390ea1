"""How much an organization may bring, and keep."""

from uuid import UUID

from django.conf import settings
from django.db import connection
from django.db.models import BigIntegerField, Count, F, Sum
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext as _

from apps.accounts.models import Organization
from apps.core.api.problems import Problem, TooManyRequests
from apps.core.ids import new_id
from apps.files.models import StoragePolicy, Upload
from apps.files.models.upload import UNFINISHED

# Uploads that an organization may have under way at once, whichever way they come.
MOST_UNDER_WAY = 100


class FileTooLarge(Problem):
    status_code = 413
    default_code = "file_too_large"


class StorageQuotaReached(Problem):
    status_code = 413
    default_code = "storage_quota_reached"


class TooManyUploads(TooManyRequests):
    default_code = "too_many_uploads"


def locked_policy(organization_id: UUID) -> StoragePolicy:
    """Within a transaction; whoever else wants to store something for this organization waits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO storage_policy (id, organization_id, stored_bytes) VALUES (%s, %s, 0)"
            " ON CONFLICT (organization_id) DO NOTHING",
            [new_id(), organization_id],
        )
    return StoragePolicy.across_organizations.select_for_update().get(organization=organization_id)


def check(organization: Organization, size: int | None) -> None:
    """Whether an upload of so many bytes may begin. Within a transaction."""
    policy = locked_policy(organization.id)
    check_size(policy, size or 0)
    under_way = Upload.objects.for_organization(organization).filter(state__in=UNFINISHED)
    expected = Greatest(Coalesce(F("size"), 0), F("received"), output_field=BigIntegerField())
    found = under_way.aggregate(
        count=Count("id"), expected=Coalesce(Sum(expected), 0, output_field=BigIntegerField())
    )
    if found["count"] >= MOST_UNDER_WAY:
        detail = _("%(most)d uploads are under way already. Complete or abort some.") % {"most": MOST_UNDER_WAY}
        raise TooManyUploads(detail, wait=60)
    check_quota(policy, (size or 0) + found["expected"])


def largest(policy: StoragePolicy) -> int:
    return min(policy.largest_bytes or settings.FILES_LARGEST_BYTES, settings.FILES_LARGEST_BYTES)


def check_size(policy: StoragePolicy, size: int) -> None:
    if size > largest(policy):
        raise FileTooLarge(_("A file has at most %(most)d bytes here.") % {"most": largest(policy)})


def check_quota(policy: StoragePolicy, size: int) -> None:
    if policy.most_bytes is not None and policy.stored_bytes + size > policy.most_bytes:
        detail = _("Your organization may store %(most)d bytes, and %(stored)d are taken. Delete some files.")
        raise StorageQuotaReached(detail % {"most": policy.most_bytes, "stored": policy.stored_bytes})


def largest_for(organization: Organization) -> int:
    policy = StoragePolicy.objects.for_organization(organization).first()
    return largest(policy) if policy else settings.FILES_LARGEST_BYTES


def count(organization_id: UUID, by: int) -> None:
    """Of bytes that were stored or removed, in the transaction that writes it down."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO storage_policy AS policy (id, organization_id, stored_bytes)"
            " VALUES (%(id)s, %(of)s, %(by)s)"
            " ON CONFLICT (organization_id) DO UPDATE SET stored_bytes = policy.stored_bytes + %(by)s",
            {"id": new_id(), "of": organization_id, "by": by},
        )
