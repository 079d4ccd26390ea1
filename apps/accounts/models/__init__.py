"""Organizations, the people in them, and the keys that speak for them."""

from apps.accounts.models.api_key import ApiKey
from apps.accounts.models.audit_event import AuditEvent
from apps.accounts.models.idempotency_record import IdempotencyRecord
from apps.accounts.models.installation_key import InstallationKey
from apps.accounts.models.membership import Membership
from apps.accounts.models.organization import Organization
from apps.accounts.models.session import Session
from apps.accounts.models.user import User

__all__ = [
    "ApiKey",
    "AuditEvent",
    "IdempotencyRecord",
    "InstallationKey",
    "Membership",
    "Organization",
    "Session",
    "User",
]
