"""What installation.py reads of the whole installation when somebody asks: the same from every web process.

Adding these up over processes would count everything twice; the largest of them is the answer.
"""

from apps.channels.metrics import CHANNEL, ERROR_CLASS
from apps.core.breaker import STATUSES
from apps.core.metrics.declared import Reading
from apps.core.metrics.labels import Label
from apps.realtime import metrics as _realtime  # noqa: F401 - no application of Django's: nobody else would find it

ACCOUNT_STATES = ("active", "paused", "refused", "draining")
# Nothing leaves there until somebody lets it.
STOPPED = frozenset({"paused", "refused"})
KINDS_OF_KEYS = ("api_key", "installation_key")

BACKLOG = Reading("recado_backlog", "Messages that wait to be sent, those under way among them.", CHANNEL)
SCHEDULED = Reading("recado_scheduled", "Messages that were accepted for later.", CHANNEL)
OLDEST_WAITING = Reading(
    "recado_oldest_waiting_seconds", "For how long the first message waits that could leave.", CHANNEL
)
DEAD_LETTERS = Reading(
    "recado_dead_letters_open", "Messages that failed for good, with which nobody has dealt.", CHANNEL, ERROR_CLASS
)
ACCOUNTS = Reading(
    "recado_accounts",
    "Channel accounts.",
    CHANNEL,
    Label.of(
        "state",
        "`refused` where the provider does not take its credentials, `draining` where it takes no new messages",
        ACCOUNT_STATES,
    ),
)
BREAKERS = Reading(
    "recado_breakers",
    "Circuit breakers of accounts. Of the 500 accounts with most waiting Redis is asked; others count as closed.",
    CHANNEL,
    Label.of("state", "how it stands", STATUSES),
)
RECEIPTS_UNMATCHED = Reading(
    "recado_receipts_unmatched", "Receipts whose message is not known yet; counted up to 10,000."
)
CALLBACKS_WAITING = Reading(
    "recado_provider_callbacks_waiting", "Calls of providers that nobody has worked on; counted up to 10,000."
)
WEBHOOKS_WAITING = Reading(
    "recado_webhook_deliveries_waiting", "Calls to applications that are still to be made; counted up to 10,000."
)
STREAM_LAG = Reading(
    "recado_stream_lag_seconds",
    "Age of the oldest committed event that is not on the stream, of those that tell of our doing; 0 when none.",
)
WORKERS_ALIVE = Reading("recado_workers_alive", "Workers that have said within 15 seconds that they live.")
BEAT_SILENT = Reading(
    "recado_beat_silent_seconds", "Since what beat starts every five seconds has run; +Inf where it never has."
)
KEYS_EXPIRING = Reading(
    "recado_keys_expiring",
    "Keys that expire within seven days.",
    Label.of("kind", "whose key it is", KINDS_OF_KEYS),
)
READ_FAILED = Reading(
    "recado_installation_read_failed",
    "1 where PostgreSQL or Redis did not tell all of these; then some are missing.",
)
