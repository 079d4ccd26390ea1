"""What applications can be told of, in the names that they subscribe by."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.messaging.statuses import EventKind


class EventType(models.TextChoices):
    """Each is `message.` and a kind of event. The steps in between are nothing to call anybody for."""

    QUEUED = f"message.{EventKind.QUEUED}", _("accepted")
    SENT = f"message.{EventKind.SENT}", _("sent")
    DELIVERED = f"message.{EventKind.DELIVERED}", _("delivered")
    READ = f"message.{EventKind.READ}", _("read")
    FAILED = f"message.{EventKind.FAILED}", _("failed")
    CANCELLED = f"message.{EventKind.CANCELLED}", _("cancelled")
    EXPIRED = f"message.{EventKind.EXPIRED}", _("expired")
    RECEIVED = f"message.{EventKind.RECEIVED}", _("received from a person")
    FORWARDED = f"message.{EventKind.FORWARDED}", _("forwarded")
    FELL_BACK = f"message.{EventKind.FELL_BACK}", _("tried another way")


# Sent on demand, to whichever endpoint is asked for it. Nobody subscribes to it.
TEST_PING = "test.ping"
