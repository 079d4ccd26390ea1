from django.db import models

from apps.accounts.models import Organization
from apps.accounts.tenancy import TenantModel
from apps.channels.models import ChannelAccount
from apps.messaging.models.conversation import Conversation
from apps.messaging.models.message import Message
from apps.messaging.statuses import Priority


class DeliveryState(models.TextChoices):
    # Accepted for later; takes its place in the conversation when it is due.
    SCHEDULED = "scheduled"
    WAITING = "waiting"
    # Under a lease, at the provider.
    SENDING = "sending"
    # Perhaps sent; waits for a receipt that tells.
    UNKNOWN = "unknown"


class Delivery(TenantModel):
    """The ready table: one narrow row for each message that is still to be sent, gone when it is.

    The columns that lead to other tables have no constraint in the database: they are copied from the message,
    in the statement that inserts it, and the row lives for seconds.
    """

    id = None  # type: ignore[assignment]
    message = models.OneToOneField(
        Message, primary_key=True, on_delete=models.CASCADE, related_name="delivery", db_constraint=False
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    account = models.ForeignKey(
        ChannelAccount, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    # The place in the conversation's queue, drawn while its row is locked.
    position = models.BigIntegerField(
        db_default=models.Func(models.Value("delivery_position"), function="nextval")
    )
    # Nothing of its conversation goes before it. Only such a row may be claimed.
    is_head = models.BooleanField()
    state = models.CharField(max_length=10, choices=DeliveryState)
    priority = models.SmallIntegerField(choices=Priority)
    # When something has to happen to this row: waiting, it may be claimed; sending, its lease ends; unknown, no
    # receipt is waited for any longer; scheduled, it joins its conversation.
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempt = models.SmallIntegerField(default=0)
    lease = models.UUIDField(null=True)
    # The message's, so that nobody looks there for what most have not.
    trace = models.CharField(max_length=55, null=True, editable=False)  # noqa: DJ001

    class Meta:
        db_table = "delivery"
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=DeliveryState.values), name="delivery_state"),
            models.CheckConstraint(
                condition=models.Q(state="sending", lease__isnull=False)
                | (~models.Q(state="sending") & models.Q(lease__isnull=True)),
                name="delivery_lease",
            ),
        ]
        indexes = [
            # The claim: what an account may send now, each priority in the order in which it fell due.
            models.Index(
                fields=["account", "priority", "due_at"],
                condition=models.Q(state="waiting", is_head=True),
                name="delivery_claim",
            ),
            # Who is first in a conversation, and who is next.
            models.Index(fields=["conversation", "position"], name="delivery_conversation"),
            # The sweep: leases that ended, outcomes that stayed unknown, schedules that fell due.
            models.Index(fields=["due_at"], condition=~models.Q(state="waiting"), name="delivery_timers"),
            # The sweep: what waited too long.
            models.Index(fields=["expires_at"], name="delivery_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.state} {self.message_id}"
