from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.tenancy import TenantModel
from apps.core.fields import EncryptedTextField
from apps.messaging.models import Contact, Conversation
from apps.registration.models.flow import FlowVersion, RegistrationFlow


class RegistrationState(models.TextChoices):
    CONSENT = "consent", _("asked for consent")
    ASKING = "asking", _("answering questions")
    CONFIRMING = "confirming", _("asked to confirm")
    WITH_PERSON = "with_person", _("with a person")
    COMPLETED = "completed", _("completed")
    DECLINED = "declined", _("consent declined")
    STOPPED = "stopped", _("stopped by the person")
    SILENT = "silent", _("no answer any more")
    CANCELLED = "cancelled", _("cancelled")


RUNNING = (
    RegistrationState.CONSENT, RegistrationState.ASKING, RegistrationState.CONFIRMING,
    RegistrationState.WITH_PERSON,
)  # fmt: skip


class StartedBy(models.TextChoices):
    KEYWORD = "keyword", _("a keyword")
    INTENT = "intent", _("what the person said")
    API = "api", _("an application")
    # The same, by a template: people are told afterwards what they agree to.
    INVITATION = "invitation", _("an invitation")


class Registration(TenantModel):
    """One conversation about somebody's data, from its start to its end. What was said is in its turns."""

    flow = models.ForeignKey(RegistrationFlow, on_delete=models.CASCADE, related_name="+", db_index=False)
    version = models.ForeignKey(FlowVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(_("language"), max_length=10)
    state = models.CharField(_("state"), max_length=11, choices=RegistrationState)
    # The key of the question that is open, `consent` or `summary`; or where it ended.
    step = models.CharField(_("step"), max_length=40, blank=True)
    is_update = models.BooleanField(_("corrects what is known"), default=False)
    started_by = models.CharField(_("started by"), max_length=10, choices=StartedBy)
    # What was known when it began, and what was confirmed until it is applied: {"key": "value"}, or nothing.
    opening = EncryptedTextField(blank=True, default="", editable=False)
    confirmed = EncryptedTextField(blank=True, default="", editable=False)
    turns = models.PositiveIntegerField(_("messages heard"), default=0)
    # When to ask once more, or to close.
    look_at = models.DateTimeField(null=True, editable=False)
    reminded_at = models.DateTimeField(_("asked again"), null=True)
    started_at = models.DateTimeField(_("started"))
    changed_at = models.DateTimeField(_("changed"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    # When the vault had what was confirmed.
    applied_at = models.DateTimeField(_("written to the vault"), null=True)
    # When to try once more to tell the organization's own API, where that could not be accepted.
    tell_at = models.DateTimeField(null=True, editable=False)
    person_id = models.UUIDField(_("person"), null=True, editable=False)
    # When what the person wrote was made unreadable.
    redacted_at = models.DateTimeField(_("redacted"), null=True)

    class Meta:
        db_table = "registration"
        verbose_name = _("registration")
        verbose_name_plural = _("registrations")
        constraints = [
            # One at a time; and the look for the one that goes on.
            models.UniqueConstraint(
                fields=["conversation"], condition=models.Q(ended_at__isnull=True), name="registration_running"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=RegistrationState.values), name="registration_state"
            ),
        ]
        indexes = [
            # The list of an organization's registrations, newest first.
            models.Index(fields=["organization", "-id"], name="registration_list"),
            # The funnel of a flow.
            models.Index(fields=["flow", "started_at"], name="registration_flow_funnel"),
            # Those that were silent for long enough.
            models.Index(
                fields=["look_at"], condition=models.Q(look_at__isnull=False), name="registration_silent"
            ),
            # What was confirmed and is not in the vault yet.
            models.Index(
                fields=["changed_at"],
                condition=models.Q(state="completed", applied_at__isnull=True),
                name="registration_unapplied",
            ),
            # What the organization's own API is still to be told.
            models.Index(
                fields=["tell_at"], condition=models.Q(tell_at__isnull=False), name="registration_untold"
            ),
            # Those whose messages are to be redacted.
            models.Index(
                fields=["ended_at"],
                condition=models.Q(ended_at__isnull=False, redacted_at__isnull=True),
                name="registration_unredacted",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_running(self) -> bool:
        return self.ended_at is None


class Turn(TenantModel):
    """What a message came to: enough to think the conversation over again, should Redis forget it."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="heard", db_index=False)
    number = models.PositiveIntegerField()
    # Empty where it was no message, such as a person of the team who hands back.
    message_id = models.UUIDField(null=True)
    # Of apps.registration.conversation.heard; it goes when the messages themselves are redacted.
    heard = EncryptedTextField(editable=False)
    at = models.DateTimeField()

    class Meta:
        db_table = "registration_turn"
        constraints = [
            # Also serves thinking it over.
            models.UniqueConstraint(fields=["registration", "number"], name="registration_turn_number"),
            # No message is heard twice.
            models.UniqueConstraint(fields=["message_id"], name="registration_turn_message"),
        ]

    def __str__(self) -> str:
        return f"{self.registration_id} {self.number}"
