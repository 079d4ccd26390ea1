"""What is counted of messages: each once at every stage it is known to have passed. engine/counted.py counts."""

from apps.channels.metrics import ACCOUNT_CLASS, CHANNEL, ERROR_CLASS
from apps.core.metrics.declared import Counter, Gauge, Timing
from apps.core.metrics.labels import Label

_SCOPE = Label.of("scope", "whose limit it is", ("account", "recipient"))
_MINUTES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)

ACCEPTED = Counter("recado_messages_accepted_total", "Messages written down to be sent.", CHANNEL, ACCOUNT_CLASS)
CLAIMED = Counter(
    "recado_messages_claimed_total", "Messages that a worker took to send, each attempt.", CHANNEL, ACCOUNT_CLASS
)
SENT = Counter("recado_messages_sent_total", "Messages that the provider has taken.", CHANNEL, ACCOUNT_CLASS)
DELIVERED = Counter(
    "recado_messages_delivered_total", "Messages that arrived, as the provider says.", CHANNEL, ACCOUNT_CLASS
)
READ = Counter(
    "recado_messages_read_total", "Messages that were read, as the provider says.", CHANNEL, ACCOUNT_CLASS
)
FAILED = Counter(
    "recado_messages_failed_total", "Messages that failed for good.", CHANNEL, ACCOUNT_CLASS, ERROR_CLASS
)
ATTEMPTS_FAILED = Counter(
    "recado_attempts_failed_total",
    "Attempts that did not succeed, tried again or not.",
    CHANNEL,
    ACCOUNT_CLASS,
    ERROR_CLASS,
)
RECEIVED = Counter("recado_messages_received_total", "Messages that people wrote.", CHANNEL)
DROPPED = Counter(
    "recado_messages_dropped_total",
    "Messages that were not sent, and did not fail.",
    CHANNEL,
    Label.of("reason", "why it was dropped", ("cancelled", "expired")),
)
LIMITER_WAITS = Counter(
    "recado_limiter_waits_total", "How often a limit of ours let nothing go at once.", CHANNEL, _SCOPE
)
LIMITER_WAIT_SECONDS = Counter(
    "recado_limiter_wait_seconds_total", "For how long it said to wait, all together.", CHANNEL, _SCOPE
)
BREAKER_OPENED = Counter(
    "recado_breaker_opened_total", "How often a breaker opened, or opened again after a probe.", CHANNEL
)
OUTCOMES_UNKNOWN = Counter(
    "recado_outcomes_unknown_total", "Attempts of which nobody knows whether they succeeded.", CHANNEL
)
SENT_AGAIN_UNKNOWN = Counter(
    "recado_sent_again_unknown_total",
    "Messages sent again although an attempt before may have succeeded: they may come twice.",
    CHANNEL,
)
PROVIDER_CALLBACKS = Counter(
    "recado_provider_callbacks_total",
    "Calls of providers.",
    CHANNEL,
    Label.of("result", "whether it was taken", ("accepted", "refused")),
)
ACCEPT_TO_SENT = Timing(
    "recado_accept_to_sent_seconds",
    "From when a message was accepted, or was to leave, until the provider had taken it. One that is replayed "
    "counts from when it was first accepted.",
    CHANNEL,
    ACCOUNT_CLASS,
    buckets=_MINUTES,
)
SENT_TO_DELIVERED = Timing(
    "recado_sent_to_delivered_seconds",
    "From when the provider had taken a message until it says that it arrived.",
    CHANNEL,
    buckets=(0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0),
)
PROVIDER_CALL = Timing(
    "recado_provider_call_seconds",
    "How long a provider took to answer, or not to.",
    CHANNEL,
    buckets=(0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0),
)
PUBLISH_LAG = Timing(
    "recado_publish_lag_seconds",
    "From when an event was written until it was on the stream: the oldest of each batch that tells of our doing.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0),
)
DRAINS = Gauge("recado_drains_at_work", "Drains that are sending for an account at this moment.", CHANNEL)
