"""The operators' side: one file a kind of thing."""

from apps.accounts.admin import api_key, audit_event, membership, organization, user

__all__ = ["api_key", "audit_event", "membership", "organization", "user"]
