"""Why a reminder was not sent: a word for programs, a sentence for people."""

from django.utils.translation import gettext_lazy as _

from apps.messaging.consent.refusal import REASONS as REFUSALS

REASONS = {
    "merged": _("A later reminder of the same invoice was sent instead."),
    "late": _("Its day had gone by, and the policy sends nothing late."),
    "no_channel": _("The customer has no address for any channel of the policy."),
    "account_draining": _("The policy's channel accounts take no new messages: they are draining."),
    "paid": _("The invoice was paid."),
    "cancelled": _("The invoice was cancelled."),
    "disputed": _("The customer disputes the invoice."),
    "outside_window": _(
        "Over this channel the customer can be written to freely only for a while after they wrote. Later it "
        "takes a template that the provider approved."
    ),
    "not_paid": _("The payment was taken back."),
    "changed": _("The invoice was changed: a new reminder is planned."),
    "policy_stopped": _("The policy was stopped."),
    "policy_changed": _("The policy was changed."),
    "quiet": _("The policy allows no hour for this channel."),
}


def sentence(reason: str) -> str:
    return str(REASONS.get(reason) or REFUSALS.get(reason) or reason)
