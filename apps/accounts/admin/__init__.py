"""The operators' side: one file a kind of thing."""

from apps.accounts.admin import api_key, audit_event, installation_key, membership, organization, standing, user

__all__ = ["api_key", "audit_event", "installation_key", "membership", "organization", "standing", "user"]
