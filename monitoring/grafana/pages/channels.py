"""How each provider, and the accounts at it, are doing."""

from monitoring.grafana.panels import (
    ACCOUNT_CLASS,
    CHANNEL,
    NEUTRAL,
    Bars,
    Dashboard,
    Lines,
    Number,
    Row,
    Threshold,
    at_least,
)

_OF = 'channel=~"$channel"'
_NONE_IS_FINE: tuple[Threshold, ...] = ((None, "green"), (1, "red"))
_OF_BOTH = f'{_OF},account_class=~"$account_class"'

_NOW = Row(
    "Accounts",
    (
        *(
            Number(
                title=title,
                says=says,
                unit="short",
                queries=((f'sum(max by (channel) (recado_accounts{{{_OF},state="{state}"}}))', state),),
                thresholds=thresholds,
                graph=False,
                alert=alert,
            )
            for title, state, thresholds, alert, says in (
                ("Active", "active", NEUTRAL, "", "Accounts that send."),
                (
                    "Refused",
                    "refused",
                    _NONE_IS_FINE,
                    "accounts-refused",
                    "The provider does not take their credentials: nothing leaves until a person acts.",
                ),
                ("Paused", "paused", NEUTRAL, "", "Somebody stopped them; what waits, waits."),
                ("Draining", "draining", NEUTRAL, "", "They take nothing new and send what they have."),
            )
        ),
        Number(
            title="Open breakers",
            says="Accounts at which so much failed in a row that they rest for a moment.",
            unit="short",
            queries=((f'sum(channel:recado_breakers:max{{{_OF},state="open"}})', "open"),),
            thresholds=((None, "green"), (1, "orange")),
            alert="breaker-open",
        ),
        Number(
            title="Attempts that succeed",
            says="Within the last hour, of the worst channel chosen.",
            unit="percentunit",
            queries=((f"1 - max(channel:recado_attempts_spoilt:ratio_rate1h{{{_OF}}})", "succeed"),),
            thresholds=at_least(0.95, 0.99),
            decimals=2,
            alert="attempt-budget-burns",
        ),
    ),
)
_OUT = Row(
    "What leaves",
    (
        Lines(
            title="Sent a second",
            says="What the provider has taken.",
            unit="msg/s",
            queries=(
                (
                    f"sum by (channel) (rate(recado_messages_sent_total{{{_OF_BOTH}}}[$__rate_interval]))",
                    "{{channel}}",
                ),
            ),
            stacked=True,
        ),
        Lines(
            title="What arrives, of what was sent",
            says="Delivered over sent. A fall without failures: the provider takes messages and does "
            "not deliver them, or "
            "its receipts do not reach us.",
            unit="percentunit",
            queries=(
                (
                    (
                        f"sum by (channel) (rate(recado_messages_delivered_total{{{_OF_BOTH}}}[30m])) "
                        "/ on (channel) "
                        f"(sum by (channel) (rate(recado_messages_sent_total{{{_OF_BOTH}}}[30m])) > 0)"
                    ),
                    "{{channel}}",
                ),
            ),
            most=1.05,
            alert="webhooks-not-arriving",
        ),
        Lines(
            title="Failed for good",
            says="By why. Each is a dead letter.",
            unit="msg/s",
            queries=(
                (
                    (
                        "sum by (channel, error_class) "
                        f"(rate(recado_messages_failed_total{{{_OF_BOTH}}}[$__rate_interval]))"
                    ),
                    "{{channel}} {{error_class}}",
                ),
            ),
            stacked=True,
            alert="dead-letters-grow",
        ),
        Lines(
            title="Spoilt attempts",
            says="Share that failed for the provider's or our own reasons, over an hour. The line is "
            "the objective.",
            unit="percentunit",
            queries=((f"channel:recado_attempts_spoilt:ratio_rate1h{{{_OF}}}", "{{channel}}"),),
            thresholds=((None, "green"), (0.01, "red")),
            alert="attempt-budget-burns",
        ),
        Lines(
            title="How long the provider takes",
            says="95 % of calls within. Towards OUTBOUND_SECONDS outcomes become unknown.",
            unit="s",
            queries=(
                (
                    (
                        "histogram_quantile(0.95, sum by (channel, le) "
                        f"(rate(recado_provider_call_seconds_bucket{{{_OF}}}[$__rate_interval])))"
                    ),
                    "{{channel}}",
                ),
            ),
            alert="provider-down",
        ),
        Lines(
            title="From sent to delivered",
            says="Half of the messages within. The provider's own pace, and people's phones.",
            unit="s",
            queries=(
                (
                    (
                        "histogram_quantile(0.5, sum by (channel, le) "
                        f"(rate(recado_sent_to_delivered_seconds_bucket{{{_OF}}}[$__rate_interval])))"
                    ),
                    "{{channel}}",
                ),
            ),
        ),
    ),
)
_WAITS = Row(
    "What waits, and for what",
    (
        Lines(
            title="Waiting",
            says="Messages that could leave or are under way.",
            unit="short",
            queries=((f"channel:recado_backlog:max{{{_OF}}}", "{{channel}}"),),
            alert="backlog-old",
        ),
        Lines(
            title="Oldest waiting",
            says="The lines are where the alerts begin.",
            unit="s",
            queries=((f"channel:recado_oldest_waiting_seconds:max{{{_OF}}}", "{{channel}}"),),
            thresholds=((None, "green"), (300, "yellow"), (1800, "red")),
            alert="backlog-old",
        ),
        Lines(
            title="Held back by limits",
            says="How often the account's or the recipient's limit let nothing go. Much of it beside a "
            "backlog: the sender "
            "wants more than the account may send.",
            unit="ops",
            queries=(
                (
                    f"sum by (channel, scope) (rate(recado_limiter_waits_total{{{_OF}}}[$__rate_interval]))",
                    "{{channel}} {{scope}}",
                ),
            ),
        ),
        Lines(
            title="Breakers opened",
            says="An hour. One that opens again and again is a provider that is down, or an account "
            "that is broken.",
            unit="short",
            queries=((f"sum by (channel) (increase(recado_breaker_opened_total{{{_OF}}}[1h]))", "{{channel}}"),),
            alert="breaker-open",
        ),
        Lines(
            title="Unknown outcomes",
            says="An hour. No answer came, so nobody knows; what is sent again may arrive twice.",
            unit="short",
            queries=(
                (
                    f"sum by (channel) (increase(recado_outcomes_unknown_total{{{_OF}}}[1h]))",
                    "{{channel}} unknown",
                ),
                (
                    f"sum by (channel) (increase(recado_sent_again_unknown_total{{{_OF}}}[1h]))",
                    "{{channel}} sent again",
                ),
            ),
            alert="maybe-sent-twice",
        ),
        Bars(
            title="Scheduled",
            says="Accepted for later.",
            unit="short",
            queries=((f"max by (channel) (recado_scheduled{{{_OF}}})", "{{channel}}"),),
            thresholds=((None, "blue"),),
        ),
    ),
)
_IN = Row(
    "What comes in",
    (
        Lines(
            title="Providers call",
            says="Receipts and what people write. refused: a signature does not fit.",
            unit="ops",
            queries=(
                (
                    f"sum by (channel, result) (rate(recado_provider_callbacks_total{{{_OF}}}[$__rate_interval]))",
                    "{{channel}} {{result}}",
                ),
            ),
            alert="provider-callbacks-refused",
        ),
        Lines(
            title="People write",
            says="Messages received a second.",
            unit="msg/s",
            queries=(
                (
                    f"sum by (channel) (rate(recado_messages_received_total{{{_OF}}}[$__rate_interval]))",
                    "{{channel}}",
                ),
            ),
            stacked=True,
        ),
        Lines(
            title="Cancelled and expired",
            says="Messages that were not sent and did not fail. Many expired: they waited longer than "
            "they were worth.",
            unit="msg/s",
            queries=(
                (
                    f"sum by (channel, reason) (rate(recado_messages_dropped_total{{{_OF}}}[$__rate_interval]))",
                    "{{channel}} {{reason}}",
                ),
            ),
        ),
    ),
)

PAGE = Dashboard(
    name="channels",
    title="Recado: channels",
    says="How each provider, and the accounts at it, are doing.",
    rows=(_NOW, _OUT, _WAITS, _IN),
    variables=(CHANNEL, ACCOUNT_CLASS),
)
