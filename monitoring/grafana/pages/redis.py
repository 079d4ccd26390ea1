"""Redis or Valkey, as redis_exporter sees it."""

from monitoring.grafana.panels import NEUTRAL, Colour, Dashboard, Lines, Number, Row, at_most

_YES_NO: tuple[tuple[str, str, Colour], ...] = (("0", "No", "red"), ("1", "Yes", "green"))

_NOW = Row(
    "Is it well?",
    (
        Number(
            title="Answers",
            says="Without it messages still leave, more slowly; nobody sees them live.",
            unit="short",
            queries=(("min(redis_up)", "up"),),
            thresholds=((None, "red"), (1, "green")),
            words=_YES_NO,
            graph=False,
            alert="redis-down",
        ),
        Number(
            title="Memory in use",
            says="Of maxmemory. No number: no limit is set, and the machine's memory is the limit.",
            unit="percentunit",
            queries=(("max(redis_memory_used_bytes / (redis_memory_max_bytes > 0))", "in use"),),
            thresholds=at_most(0.7, 0.85),
            alert="redis-memory-near-full",
        ),
        Number(
            title="Keys thrown away",
            says="Within an hour. Must be none: maxmemory-policy is noeviction.",
            unit="short",
            queries=(("sum(increase(redis_evicted_keys_total[1h]))", "evicted"),),
            thresholds=((None, "green"), (1, "red")),
            alert="redis-evicts",
        ),
        Number(
            title="Writes its log",
            says="The append-only file. If it cannot, Redis refuses to write.",
            unit="short",
            queries=(("min(redis_aof_last_write_status)", "aof"),),
            thresholds=((None, "red"), (1, "green")),
            words=_YES_NO,
            graph=False,
            alert="redis-aof-fails",
        ),
        Number(
            title="Clients",
            says="Connections. Turned away at maxclients.",
            unit="short",
            queries=(("sum(redis_connected_clients)", "clients"),),
            thresholds=NEUTRAL,
            alert="redis-rejects-connections",
        ),
        Number(
            title="Up for",
            says="Short: it was restarted, and what was not on disk is gone. PostgreSQL knows what is due.",
            unit="s",
            queries=(("min(redis_uptime_in_seconds)", "up"),),
            thresholds=NEUTRAL,
            graph=False,
            alert="redis-lost",
        ),
    ),
)
_TIME = Row(
    "Over time",
    (
        Lines(
            title="Memory",
            says="Streams of events and queues. A queue that nobody empties shows here.",
            unit="bytes",
            queries=(
                ("sum by (instance) (redis_memory_used_bytes)", "{{instance}} used"),
                ("sum by (instance) (redis_memory_max_bytes)", "{{instance}} limit"),
            ),
            alert="redis-memory-near-full",
        ),
        Lines(
            title="Commands a second",
            says="All together.",
            unit="ops",
            queries=(
                ("sum by (instance) (rate(redis_commands_processed_total[$__rate_interval]))", "{{instance}}"),
            ),
        ),
        Lines(
            title="Where its time goes",
            says="The ten commands that take most of it. Redis has one thread: near one it is at its limit.",
            unit="percentunit",
            queries=(
                (
                    "topk(10, sum by (cmd) (rate(redis_commands_duration_seconds_total[$__rate_interval])))",
                    "{{cmd}}",
                ),
            ),
            stacked=True,
        ),
        Lines(
            title="Keys",
            says="By database.",
            unit="short",
            queries=(("max by (db) (redis_db_keys) > 0", "{{db}}"),),
        ),
        Lines(
            title="Network",
            says="Bytes a second.",
            unit="Bps",
            queries=(
                ("sum(rate(redis_net_input_bytes_total[$__rate_interval]))", "in"),
                ("sum(rate(redis_net_output_bytes_total[$__rate_interval]))", "out"),
            ),
        ),
        Lines(
            title="Clients that wait",
            says="Workers wait for tasks and hubs for events like that: it is no fault.",
            unit="short",
            queries=(
                ("sum(redis_connected_clients)", "connected"),
                ("sum(redis_blocked_clients)", "waiting"),
            ),
        ),
    ),
)

PAGE = Dashboard(
    name="redis",
    title="Recado: Redis",
    says="Queues, limits, breakers and live statuses.",
    rows=(_NOW, _TIME),
)
