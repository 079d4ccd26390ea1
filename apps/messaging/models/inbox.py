"""What members hang on conversations."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Membership
from apps.accounts.tenancy import TenantModel
from apps.messaging.models.conversation import Conversation


class Label(TenantModel):
    name = models.CharField(_("name"), max_length=40)
    # As #rrggbb.
    color = models.CharField(_("color"), max_length=7, default="#64748b")

    class Meta:
        db_table = "label"
        verbose_name = _("label")
        verbose_name_plural = _("labels")
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"],
                name="label_name",
                violation_error_message=_("Another label has this name."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ConversationLabel(TenantModel):
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="+", db_index=False)
    label = models.ForeignKey(Label, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        db_table = "conversation_label"
        constraints = [
            # Also serves the labels of a conversation.
            models.UniqueConstraint(fields=["conversation", "label"], name="conversation_label_once"),
        ]
        indexes = [
            # The conversations with a label, newest first.
            models.Index(fields=["label", "-conversation"], name="conversation_label_list"),
        ]

    def __str__(self) -> str:
        return f"{self.label_id} {self.conversation_id}"


class ConversationNote(TenantModel):
    """What members tell each other about a conversation. The person never sees it."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="notes", db_index=False)
    author = models.ForeignKey(
        Membership,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("author"),
        db_index=False,
    )
    text = models.TextField(_("text"), max_length=4000)
    created_at = models.DateTimeField(_("written"), auto_now_add=True)

    class Meta:
        db_table = "conversation_note"
        verbose_name = _("note")
        verbose_name_plural = _("notes")
        indexes = [
            # The notes of a conversation, newest first.
            models.Index(fields=["conversation", "-id"], name="conversation_note_list"),
        ]

    def __str__(self) -> str:
        return self.text[:40]
