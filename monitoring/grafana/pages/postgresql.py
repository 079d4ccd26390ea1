"""PostgreSQL, as postgres_exporter sees it."""

from monitoring.grafana.panels import NEUTRAL, Bars, Dashboard, Lines, Number, Row, Variable, at_least, at_most

_DATABASE = Variable("database", "Database", "label_values(pg_database_size_bytes, datname)")
_OF = 'datname=~"$database"'
_CLIENTS = f'{_OF},backend_type="client backend"'

_NOW = Row(
    "Is it well?",
    (
        Number(
            title="Answers",
            says="Whether the exporter reaches it.",
            unit="short",
            queries=(("min(pg_up)", "up"),),
            thresholds=((None, "red"), (1, "green")),
            words=(("0", "No", "red"), ("1", "Yes", "green")),
            graph=False,
            alert="postgres-down",
        ),
        Number(
            title="Connections in use",
            says="Of max_connections.",
            unit="percentunit",
            queries=(
                (
                    (
                        "max(sum by (instance) (pg_stat_database_numbackends) / on (instance) "
                        "max by (instance) (pg_settings_max_connections))"
                    ),
                    "in use",
                ),
            ),
            thresholds=at_most(0.7, 0.85),
            alert="postgres-connections-near-limit",
        ),
        Number(
            title="Longest transaction",
            says="While it lasts nothing dead can be vacuumed, and claims get slower.",
            unit="s",
            queries=(
                (
                    f'max(pg_stat_activity_max_tx_duration{{{_CLIENTS},state!="idle"}})',
                    "open for",
                ),
            ),
            thresholds=at_most(60, 300),
            alert="postgres-long-transaction",
        ),
        Number(
            title="Read from memory",
            says="Blocks that were in shared buffers. Far below 99 %: more memory.",
            unit="percentunit",
            queries=(
                (
                    (
                        f"sum(rate(pg_stat_database_blks_hit{{{_OF}}}[$__rate_interval])) / "
                        f"(sum(rate(pg_stat_database_blks_hit{{{_OF}}}[$__rate_interval])) + "
                        f"sum(rate(pg_stat_database_blks_read{{{_OF}}}[$__rate_interval])))"
                    ),
                    "hits",
                ),
            ),
            thresholds=at_least(0.9, 0.97),
            decimals=2,
            alert="postgresql-slow",
        ),
        Number(
            title="Replica behind",
            says="The worst of all replicas. No number: there is none.",
            unit="s",
            queries=(("max(pg_replication_lag_seconds and on (instance) pg_replication_is_replica == 1)", "lag"),),
            thresholds=at_most(10, 60),
            alert="postgres-replication-lags",
        ),
        Number(
            title="Size",
            says="Of the databases chosen.",
            unit="bytes",
            queries=((f"sum(max by (datname) (pg_database_size_bytes{{{_OF}}}))", "size"),),
            thresholds=NEUTRAL,
            alert="disk-fills",
        ),
    ),
)
_LOAD = Row(
    "Load",
    (
        Lines(
            title="Transactions a second",
            says="Rolled back ones are conflicts and errors: a few are normal.",
            unit="ops",
            queries=(
                (f"sum(rate(pg_stat_database_xact_commit{{{_OF}}}[$__rate_interval]))", "committed"),
                (f"sum(rate(pg_stat_database_xact_rollback{{{_OF}}}[$__rate_interval]))", "rolled back"),
            ),
        ),
        Lines(
            title="Rows a second",
            says="What is written. Ten rows or so for each message.",
            unit="ops",
            queries=tuple(
                (f"sum(rate(pg_stat_database_tup_{verb}{{{_OF}}}[$__rate_interval]))", verb)
                for verb in ("inserted", "updated", "deleted")
            ),
        ),
        Lines(
            title="Connections",
            says="By what they do. idle in transaction for long is a fault of a program.",
            unit="short",
            queries=((f"sum by (state) (pg_stat_activity_count{{{_CLIENTS}}})", "{{state}}"),),
            stacked=True,
            alert="postgres-connections-near-limit",
        ),
        Lines(
            title="Longest transactions, by who",
            says="The line is where the alert begins. Backups take long, and may.",
            unit="s",
            queries=(
                (
                    (
                        "max by (usename, application_name) "
                        f'(pg_stat_activity_max_tx_duration{{{_CLIENTS},state!="idle"}})'
                    ),
                    "{{usename}} {{application_name}}",
                ),
            ),
            thresholds=((None, "green"), (300, "red")),
            alert="postgres-long-transaction",
        ),
        Lines(
            title="Locks",
            says="By kind. accessexclusivelock beside a pile of others is a migration that waits.",
            unit="short",
            queries=((f"sum by (mode) (pg_locks_count{{{_OF}}}) > 0", "{{mode}}"),),
        ),
        Lines(
            title="Deadlocks, and files for sorting",
            says="An hour. Deadlocks are tried again; files for sorting ask for more work_mem.",
            unit="short",
            queries=(
                (f"sum(increase(pg_stat_database_deadlocks{{{_OF}}}[1h]))", "deadlocks"),
                (f"sum(increase(pg_stat_database_temp_files{{{_OF}}}[1h]))", "temporary files"),
            ),
        ),
    ),
)
_TABLES = Row(
    "Tables, log and copies",
    (
        Bars(
            title="Dead rows",
            says="The ten tables with most. delivery is the ready table: hundreds of thousands there "
            "slow claims down.",
            unit="short",
            queries=((f"topk(10, max by (relname) (pg_stat_user_tables_n_dead_tup{{{_OF}}}))", "{{relname}}"),),
            thresholds=((None, "blue"), (1_000_000, "orange")),
            alert="postgres-long-transaction",
        ),
        Bars(
            title="Live rows",
            says="The ten largest tables, as PostgreSQL estimates them.",
            unit="short",
            queries=((f"topk(10, max by (relname) (pg_stat_user_tables_n_live_tup{{{_OF}}}))", "{{relname}}"),),
            thresholds=((None, "blue"),),
        ),
        Lines(
            title="Rows read without an index",
            says="A second, the five worst tables. Large ones need an index.",
            unit="ops",
            queries=(
                (
                    (
                        "topk(5, sum by (relname) "
                        f"(rate(pg_stat_user_tables_seq_tup_read{{{_OF}}}[$__rate_interval])))"
                    ),
                    "{{relname}}",
                ),
            ),
            alert="postgresql-slow",
        ),
        Lines(
            title="Size of the log",
            says="What is kept for replicas and the archive. Growing: one of them is away.",
            unit="bytes",
            queries=(("max by (instance) (pg_wal_size_bytes)", "{{instance}}"),),
            alert="postgres-replica-far-behind",
        ),
        Lines(
            title="Replicas: bytes behind",
            says="As the primary sees it.",
            unit="bytes",
            queries=(("max by (application_name) (pg_stat_replication_pg_wal_lsn_diff)", "{{application_name}}"),),
            alert="postgres-replica-far-behind",
        ),
        Lines(
            title="Archiving that failed",
            says="An hour. Without the archive there is no recovery to a point in time.",
            unit="short",
            queries=(("sum(increase(pg_stat_archiver_failed_count[1h]))", "failed"),),
            alert="postgres-archiving-fails",
        ),
    ),
)

PAGE = Dashboard(
    name="postgresql",
    title="Recado: PostgreSQL",
    says="Where everything is kept.",
    rows=(_NOW, _LOAD, _TABLES),
    variables=(_DATABASE,),
)
