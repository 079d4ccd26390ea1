"""Who may do what: scopes are the one vocabulary, for API keys, users' tokens and the admin alike."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    ORGANIZATION_READ = "organization:read", _("See the organization")
    ORGANIZATION_WRITE = "organization:write", _("Change the organization")
    MEMBERS_READ = "members:read", _("See its members")
    MEMBERS_WRITE = "members:write", _("Add and remove members, change their roles")
    API_KEYS_READ = "api_keys:read", _("See its API keys")
    API_KEYS_WRITE = "api_keys:write", _("Create, rotate and revoke API keys")
    AUDIT_READ = "audit:read", _("Read the audit trail")
    CHANNELS_READ = "channels:read", _("See its channel accounts")
    CHANNELS_WRITE = "channels:write", _("Add, change, pause and resume channel accounts")
    MESSAGES_READ = "messages:read", _("Read its messages and conversations")
    MESSAGES_WRITE = "messages:write", _("Send and cancel messages, replay and discard dead letters")
    TEMPLATES_READ = "templates:read", _("Read its message templates")
    TEMPLATES_WRITE = "templates:write", _("Write, publish and archive message templates")
    FILES_READ = "files:read", _("See and download its files")
    FILES_WRITE = "files:write", _("Upload and delete files")
    WEBHOOKS_READ = "webhooks:read", _("See its webhook endpoints and what they were called with")
    WEBHOOKS_WRITE = "webhooks:write", _("Add, change and remove webhook endpoints, send to them again")
    INVOICES_READ = "invoices:read", _("See its invoices, reminders and reminder policies")
    INVOICES_WRITE = "invoices:write", _("Add, import, change and mark paid its invoices")
    POLICIES_WRITE = "policies:write", _("Write reminder policies and put them live")
    REGISTRATIONS_READ = "registrations:read", _("See its registrations, and the flows that they follow")
    REGISTRATIONS_WRITE = "registrations:write", _("Start, hand back and cancel registrations")
    FLOWS_WRITE = "flows:write", _("Write registration flows and put them live")
    PEOPLE_READ = "people:read", _("Read and export the personal data of people, for a reason")
    PEOPLE_WRITE = "people:write", _("Erase people")

    @property
    def is_writing(self) -> bool:
        return self.value.endswith(":write")


class Role(models.TextChoices):
    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Administrator")
    AGENT = "agent", _("Agent")
    VIEWER = "viewer", _("Viewer")


_VIEWER = frozenset(
    {
        Scope.ORGANIZATION_READ,
        Scope.MEMBERS_READ,
        Scope.CHANNELS_READ,
        Scope.MESSAGES_READ,
        Scope.TEMPLATES_READ,
        Scope.FILES_READ,
        Scope.INVOICES_READ,
        Scope.REGISTRATIONS_READ,
    }
)
_AGENT = _VIEWER | {
    Scope.MESSAGES_WRITE,
    Scope.FILES_WRITE,
    Scope.INVOICES_WRITE,
    Scope.REGISTRATIONS_WRITE,
}
_ADMIN = _AGENT | {
    Scope.ORGANIZATION_WRITE,
    Scope.MEMBERS_WRITE,
    Scope.API_KEYS_READ,
    Scope.API_KEYS_WRITE,
    Scope.AUDIT_READ,
    Scope.CHANNELS_WRITE,
    Scope.TEMPLATES_WRITE,
    Scope.WEBHOOKS_READ,
    Scope.WEBHOOKS_WRITE,
    Scope.POLICIES_WRITE,
    Scope.FLOWS_WRITE,
    Scope.PEOPLE_READ,
    Scope.PEOPLE_WRITE,
}

# By name. (Django makes the list of all values anew each time that it is asked for.)
SCOPES: dict[str, Scope] = {scope.value: scope for scope in Scope}

SCOPES_OF: dict[Role, frozenset[Scope]] = {
    Role.OWNER: frozenset(Scope),
    Role.ADMIN: frozenset(_ADMIN),
    Role.AGENT: frozenset(_AGENT),
    Role.VIEWER: _VIEWER,
}

# From the most powerful; nobody hands out, or takes away, a role above their own.
RANK = [Role.OWNER, Role.ADMIN, Role.AGENT, Role.VIEWER]


def outranks(one: Role, other: Role) -> bool:
    return RANK.index(one) < RANK.index(other)
