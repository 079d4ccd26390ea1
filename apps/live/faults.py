"""What can be made to go wrong at the simulated providers, in words. The kinds are the simulators' own."""

from django.utils.translation import gettext as _


def faults() -> list[tuple[str, str, str]]:
    """The kind, its name, and what will be seen."""
    return [
        ("slow", _("Slow answers"), _("Messages stay in “sending” for longer; others are not held up.")),
        ("server_error", _("Server errors"), _("Failures are tried again, and in a row they open the breaker.")),
        ("rate_limited", _("Rate limit"), _("The whole account waits, and no attempt is spent.")),
        ("pair_rate_limited", _("Rate limit for one person"), _("That person's messages wait, the others leave.")),
        ("cut_before", _("Connection cut before sending"), _("Nothing was sent; it is tried again.")),
        (
            "cut_after",
            _("Connection cut after sending"),
            _("Nobody knows whether it was sent, until the provider's receipt tells."),
        ),
        ("blocked", _("Person cannot be reached"), _("The message fails at once and becomes a dead letter.")),
        (
            "opted_out",
            _("Person opted out"),
            _("The message fails, and nothing more is accepted for that address, also afterwards."),
        ),
        (
            "invalid_token",
            _("Credentials refused"),
            _("Recado pauses the account. Resume it in the administration when you have mended this."),
        ),
        ("callbacks_first", _("Receipts before the answer"), _("Statuses move forward all the same.")),
        ("duplicate_callbacks", _("Receipts come twice"), _("Each counts once.")),
        ("reordered_callbacks", _("Receipts out of order"), _("No tick is taken back.")),
        (
            "undeliverable",
            _("Message does not arrive"),
            _("The provider takes it, and later says that it failed."),
        ),
        ("no_callbacks", _("No receipts"), _("Messages stay at “sent”.")),
    ]
