"""Is it well? What waits, how late is it, what fails?"""

from monitoring.grafana.panels import NEUTRAL, Bars, Dashboard, Lines, Number, Row, at_least, at_most

_HEALTH = Row(
    "Is it well?",
    (
        Number(
            title="Alerts",
            says="Alerts that fire now, without the one that always does. Any: open them in "
            "Alertmanager, each leads to "
            "its page of the runbook.",
            unit="short",
            queries=(
                ('sum(ALERTS{alertstate="firing",severity="critical"}) or vector(0)', "critical"),
                ('sum(ALERTS{alertstate="firing",severity="warning"}) or vector(0)', "warning"),
            ),
            thresholds=((None, "green"), (1, "red")),
            graph=False,
        ),
        Number(
            title="Workers alive",
            says="Workers that said within 15 seconds that they live. None: nothing leaves.",
            unit="short",
            queries=(("max(recado_workers_alive)", "workers"),),
            thresholds=((None, "red"), (1, "green")),
            alert="no-workers",
        ),
        Number(
            title="Beat",
            says="Since its tasks last ran. Beyond two minutes reminders, quotas and cleaning stand still.",
            unit="s",
            queries=(("max(recado_beat_silent_seconds)", "silent for"),),
            thresholds=at_most(30, 120),
            alert="beat-silent",
        ),
        Number(
            title="Oldest waiting",
            says="For how long the first message waits that could leave, of the worst channel.",
            unit="s",
            queries=(("max(channel:recado_oldest_waiting_seconds:max)", "waits"),),
            thresholds=at_most(60, 300),
            alert="backlog-old",
        ),
        Number(
            title="Attempts that succeed",
            says="Of the last hour, those not spoilt by the provider or by us. The objective is 99 %.",
            unit="percentunit",
            queries=(
                (
                    (
                        "1 - (sum(channel:recado_attempts_spoilt:ratio_rate1h * channel:recado_attempts:rate1h)"
                        " or vector(0)) / sum(channel:recado_attempts:rate1h)"
                    ),
                    "succeed",
                ),
            ),
            thresholds=at_least(0.95, 0.99),
            decimals=2,
            alert="attempt-budget-burns",
        ),
        Number(
            title="On time",
            says="Of the last hour's messages of accounts that are not slow by choice: at the provider "
            "within a minute. "
            "The objective is 95 %.",
            unit="percentunit",
            queries=(
                (
                    (
                        'sum(rate(recado_accept_to_sent_seconds_bucket{account_class!="slow",le="60.0"}[1h]))'
                        ' / sum(rate(recado_accept_to_sent_seconds_count{account_class!="slow"}[1h]))'
                    ),
                    "on time",
                ),
            ),
            thresholds=at_least(0.9, 0.95),
            decimals=2,
            alert="latency-budget-burns",
        ),
    ),
)
_FLOW = Row(
    "Messages",
    (
        Lines(
            title="Messages a second",
            says="Accepted and sent should be the same line. Where accepted stays above, a backlog grows.",
            unit="msg/s",
            width=12,
            height=8,
            queries=(
                ("sum(rate(recado_messages_accepted_total[$__rate_interval]))", "accepted"),
                ("sum(rate(recado_messages_sent_total[$__rate_interval]))", "sent"),
                ("sum(rate(recado_messages_delivered_total[$__rate_interval]))", "delivered"),
                ("sum(rate(recado_messages_read_total[$__rate_interval]))", "read"),
                ("sum(rate(recado_messages_received_total[$__rate_interval]))", "received"),
            ),
        ),
        Lines(
            title="From accepted to sent",
            says="How long messages take until the provider has them. A bulk sender at the account's "
            "limit raises it too.",
            unit="s",
            width=12,
            height=8,
            queries=tuple(
                (
                    (
                        f"histogram_quantile({share}, "
                        "sum by (le) (rate(recado_accept_to_sent_seconds_bucket[$__rate_interval])))"
                    ),
                    name,
                )
                for share, name in ((0.5, "half within"), (0.95, "95 % within"), (0.99, "99 % within"))
            ),
            alert="latency-budget-burns",
        ),
        Lines(
            title="What waits, by channel",
            says="Messages that could leave or are under way. Growing without an end: too few workers, "
            "a limit, or a "
            "provider that is down.",
            unit="short",
            queries=(("channel:recado_backlog:max", "{{channel}}"),),
            stacked=True,
            alert="backlog-old",
        ),
        Lines(
            title="Attempts that fail",
            says="By why. transient and outcome_unknown are the provider's or our own; the others are "
            "the sender's to mend.",
            unit="msg/s",
            queries=(
                (
                    "sum by (error_class) (rate(recado_attempts_failed_total[$__rate_interval]))",
                    "{{error_class}}",
                ),
            ),
            stacked=True,
            alert="attempt-budget-burns",
        ),
        Bars(
            title="Open dead letters",
            says="Failed for good, and nobody has dealt with them. Admin → Dead letters shows them by cause.",
            unit="short",
            queries=(("sum by (channel) (channel:recado_dead_letters_open:max)", "{{channel}}"),),
            thresholds=((None, "blue"), (100, "orange")),
            alert="dead-letters-grow",
        ),
    ),
)
_WEB = Row(
    "API and admin",
    (
        Lines(
            title="Requests a second",
            says="By how they were answered. 5xx are ours; many 4xx are one program that does something wrong.",
            unit="reqps",
            queries=(("sum by (status) (rate(recado_http_requests_total[$__rate_interval]))", "{{status}}"),),
            stacked=True,
            alert="web-errors",
        ),
        Lines(
            title="How long requests take",
            says="Without those that carry files. Look at PostgreSQL first when it rises.",
            unit="s",
            queries=tuple(
                (
                    (
                        f"histogram_quantile({share}, sum by (le) (rate("
                        'recado_http_request_seconds_bucket{route!~".*(files|uploads).*"}[$__rate_interval])))'
                    ),
                    name,
                )
                for share, name in ((0.5, "half within"), (0.95, "95 % within"))
            ),
            thresholds=((None, "green"), (1, "red")),
            alert="api-slow",
        ),
        Lines(
            title="Slowest routes",
            says="The five whose slowest twentieth takes longest.",
            unit="s",
            queries=(
                (
                    (
                        "topk(5, histogram_quantile(0.95, sum by (route, le) "
                        "(rate(recado_http_request_seconds_bucket[$__rate_interval]))))"
                    ),
                    "{{route}}",
                ),
            ),
            alert="api-slow",
        ),
    ),
)
_REST = Row(
    "Files, expiry and versions",
    (
        Number(
            title="Keys that expire",
            says="API keys and installation keys that end within seven days. Rotate them.",
            unit="short",
            queries=(("sum(max by (kind) (recado_keys_expiring))", "keys"),),
            thresholds=((None, "green"), (1, "yellow")),
            alert="keys-expire",
        ),
        Number(
            title="Certificate",
            says="Until the first of ours expires.",
            unit="s",
            queries=(
                (
                    "min(probe_ssl_earliest_cert_expiry or recado_certificate_expiry_timestamp_seconds) - time()",
                    "left",
                ),
            ),
            thresholds=at_least(2 * 86400, 14 * 86400),
            graph=False,
            alert="certificate-expires",
        ),
        Number(
            title="Last backup",
            says="Its age. Backups are made and verified once a day.",
            unit="s",
            queries=(('time() - max(kube_cronjob_status_last_successful_time{cronjob="backup"})', "ago"),),
            thresholds=at_most(25 * 3600, 26 * 3600),
            graph=False,
            alert="backup-too-old",
        ),
        Number(
            title="Processes that do not answer",
            says="Targets that Prometheus cannot read.",
            unit="short",
            queries=(("sum(up == bool 0)", "gone"),),
            thresholds=((None, "green"), (1, "red")),
            alert="target-down",
        ),
        Number(
            title="Versions at work",
            says="More than one only while a new one is rolled out.",
            unit="short",
            queries=(("count(count by (version) (recado_build_info))", "versions"),),
            thresholds=((None, "green"), (2, "yellow")),
            graph=False,
        ),
        Number(
            title="Uploads under way",
            says="Bodies that web is receiving now.",
            unit="short",
            queries=(("sum(recado_uploads_under_way)", "uploads"),),
            thresholds=NEUTRAL,
        ),
        Lines(
            title="Uploads",
            says="By how they ended. broken: whoever sent it broke off, or the storage did.",
            unit="ops",
            width=12,
            queries=(("sum by (result) (rate(recado_uploads_total[$__rate_interval]))", "{{result}}"),),
        ),
        Lines(
            title="Bytes stored a second",
            says="Of files that arrived whole.",
            unit="Bps",
            width=12,
            queries=(("sum(rate(recado_upload_bytes_total[$__rate_interval]))", "stored"),),
        ),
    ),
)

PAGE = Dashboard(
    name="overview",
    title="Recado: overview",
    says="Is it well? What waits, how late is it, what fails?",
    rows=(_HEALTH, _FLOW, _WEB, _REST),
)
