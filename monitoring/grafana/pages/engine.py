"""From accepted to sent and to the receipt: where messages wait inside Recado."""

from monitoring.grafana.panels import CHANNEL, NEUTRAL, Bars, Dashboard, Lines, Number, Row, at_most

_OF = 'channel=~"$channel"'

_NOW = Row(
    "What waits",
    (
        Number(
            title="Backlog",
            says="Messages that could leave or are under way.",
            unit="short",
            queries=((f"sum(channel:recado_backlog:max{{{_OF}}})", "waiting"),),
            thresholds=NEUTRAL,
            alert="backlog-old",
        ),
        Number(
            title="Scheduled",
            says="Accepted for later; no concern until then.",
            unit="short",
            queries=((f"sum(max by (channel) (recado_scheduled{{{_OF}}}))", "scheduled"),),
            thresholds=NEUTRAL,
        ),
        Number(
            title="Reports of providers",
            says="Receipts and what people wrote, not yet worked on. Growing: more workers for the queue events.",
            unit="short",
            queries=(("max(recado_provider_callbacks_waiting)", "waiting"),),
            thresholds=at_most(100, 500),
            alert="provider-callbacks-wait",
        ),
        Number(
            title="Receipts without a message",
            says="They should find theirs within seconds.",
            unit="short",
            queries=(("max(recado_receipts_unmatched)", "unmatched"),),
            thresholds=at_most(50, 100),
            alert="receipts-unmatched-grow",
        ),
        Number(
            title="Calls to applications",
            says="Webhook deliveries that are due or will be tried again.",
            unit="short",
            queries=(("max(recado_webhook_deliveries_waiting)", "waiting"),),
            thresholds=at_most(500, 1000),
            alert="webhook-deliveries-wait",
        ),
        Number(
            title="Not on the stream",
            says="Age of the oldest event that nobody could have seen live.",
            unit="s",
            queries=(("max(recado_stream_lag_seconds)", "lag"),),
            thresholds=at_most(5, 15),
            alert="stream-lags",
        ),
    ),
)
_STAGES = Row(
    "From stage to stage",
    (
        Lines(
            title="Stages a second",
            says="claimed above sent: attempts fail. accepted above claimed: a backlog grows.",
            unit="msg/s",
            width=12,
            height=8,
            queries=tuple(
                (f"sum(rate(recado_messages_{stage}_total{{{_OF}}}[$__rate_interval]))", stage)
                for stage in ("accepted", "claimed", "sent", "delivered", "failed", "dropped")
            ),
        ),
        Lines(
            title="Accepted to sent, by account class",
            says="95 % within. Slow accounts wait for their own limit.",
            unit="s",
            width=12,
            height=8,
            queries=(
                (
                    (
                        "histogram_quantile(0.95, sum by (account_class, le) "
                        f"(rate(recado_accept_to_sent_seconds_bucket{{{_OF}}}[$__rate_interval])))"
                    ),
                    "{{account_class}}",
                ),
            ),
            alert="latency-budget-burns",
        ),
        Lines(
            title="Drains at work",
            says="Each sends for one account. Always as many as there are worker processes: add workers.",
            unit="short",
            queries=((f"sum by (channel) (recado_drains_at_work{{{_OF}}})", "{{channel}}"),),
            stacked=True,
        ),
        Lines(
            title="Seconds of waiting that limits asked for",
            says="Each second. Not a fault: it is what the accounts' limits are for.",
            unit="s",
            queries=(
                (
                    (
                        "sum by (channel, scope) "
                        f"(rate(recado_limiter_wait_seconds_total{{{_OF}}}[$__rate_interval]))"
                    ),
                    "{{channel}} {{scope}}",
                ),
            ),
        ),
        Bars(
            title="Open dead letters by why",
            says="account_rejected: mend the account, then try them all again. recipient_rejected: discard.",
            unit="short",
            queries=(
                (f"sum by (error_class) (channel:recado_dead_letters_open:max{{{_OF}}})", "{{error_class}}"),
            ),
            thresholds=((None, "blue"), (100, "orange")),
            alert="dead-letters-grow",
        ),
    ),
)
_BESIDE = Row(
    "Beside messages",
    (
        Lines(
            title="Calls to applications",
            says="By how they ended. One broken endpoint holds no other up.",
            unit="ops",
            queries=(("sum by (result) (rate(recado_webhook_calls_total[$__rate_interval]))", "{{result}}"),),
            stacked=True,
            alert="webhooks-fail",
        ),
        Lines(
            title="Beat: silent for",
            says="Its shortest task runs every two seconds.",
            unit="s",
            queries=(("max(recado_beat_silent_seconds)", "beat"),),
            thresholds=((None, "green"), (120, "red")),
            alert="beat-silent",
        ),
        Lines(
            title="Processor time, by process",
            says="Cores in use. A process near one core is at its limit: Python has one.",
            unit="short",
            queries=(
                (
                    'sum by (process) (rate(process_cpu_seconds_total{job="recado"}[$__rate_interval]))',
                    "{{process}}",
                ),
            ),
            stacked=True,
        ),
        Lines(
            title="Memory, by process",
            says="The largest of each. Growing for days is a leak: restart it, and write an issue.",
            unit="bytes",
            width=12,
            queries=(('max by (process) (process_resident_memory_bytes{job="recado"})', "{{process}}"),),
        ),
        Lines(
            title="Open files and sockets, by process",
            says="Near the limit a process can open no more connections.",
            unit="short",
            width=12,
            queries=(('max by (process) (process_open_fds{job="recado"})', "{{process}}"),),
        ),
    ),
)

PAGE = Dashboard(
    name="engine",
    title="Recado: engine",
    says="From accepted to sent and to the receipt: where messages wait inside Recado.",
    rows=(_NOW, _STAGES, _BESIDE),
    variables=(CHANNEL,),
)
