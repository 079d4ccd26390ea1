"""What becomes of a message, and the one table of what may follow what."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    QUEUED = "queued", _("queued")
    SENDING = "sending", _("sending")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    READ = "read", _("read")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")
    # What a person wrote to us: it begins and ends so.
    RECEIVED = "received", _("received")


class Direction(models.TextChoices):
    OUTBOUND = "outbound", _("to the person")
    INBOUND = "inbound", _("from the person")


class Category(models.TextChoices):
    """What a message is for. Organizations name others of their own."""

    # What was ordered or asked for. Not to be switched off but by leaving altogether.
    TRANSACTIONAL = "transactional", _("orders and answers")
    BILLING = "billing", _("bills")
    MARKETING = "marketing", _("offers")
    # What Recado itself must tell, such as that somebody gets no more messages. Applications cannot use it.
    SERVICE = "service", _("service")


class EventKind(models.TextChoices):
    """A message's history: its statuses, and what happened between two of them."""

    QUEUED = "queued", _("queued")
    SENDING = "sending", _("sending")
    RETRYING = "retrying", _("will be tried again")
    HELD = "held", _("waits for a limit")
    UNKNOWN = "unknown", _("outcome unknown")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    READ = "read", _("read")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")
    REPLAYED = "replayed", _("replayed")
    RECEIVED = "received", _("received")
    # A route took it on to somebody else: what became of it there.
    FORWARDED = "forwarded", _("forwarded")
    # Another account was tried, by a message of its own.
    FELL_BACK = "fell_back", _("tried another way")
    # What a person sent was fetched, or could not be.
    MEDIA = "media", _("file")


# Never sent, as far as we know. A receipt knows better: proof that the provider had the message corrects each.
NOT_SENT = frozenset({Status.QUEUED, Status.SENDING, Status.FAILED, Status.CANCELLED, Status.EXPIRED})

MAY_FOLLOW: dict[Status, frozenset[Status]] = {
    # Only a replay leads back: it is a new attempt.
    Status.QUEUED: frozenset({Status.FAILED}),
    Status.SENDING: frozenset({Status.QUEUED}),
    Status.SENT: NOT_SENT,
    Status.DELIVERED: NOT_SENT | {Status.SENT},
    Status.READ: NOT_SENT | {Status.SENT, Status.DELIVERED},
    Status.FAILED: frozenset({Status.QUEUED, Status.SENDING, Status.SENT}),
    Status.CANCELLED: frozenset({Status.QUEUED, Status.SENDING}),
    Status.EXPIRED: frozenset({Status.QUEUED, Status.SENDING}),
    Status.RECEIVED: frozenset(),
}


def before(status: Status) -> list[str]:
    """From where a message may come to this status, for a statement to name."""
    return sorted(MAY_FOLLOW[status])


class Priority(models.IntegerChoices):
    LOW = 0, _("low")
    NORMAL = 1, _("normal")
    HIGH = 2, _("high")
