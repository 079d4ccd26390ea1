"""Checksums of what a database holds, table by table."""

from collections.abc import Mapping

import psycopg
from psycopg import sql

# What is numbered anew, and what tells of the restore itself.
_NOT_COMPARED = frozenset({"event_cursor", "webhook_cursor", "traffic_cursor", "standing", "audit_event"})
# What a restore changes, and means to.
_CHANGED = {
    "message_event": ["transaction"],
    "channel_account": ["paused_at", "paused_until", "pause_reason", "is_refused", "version"],
}


def sums(url: str) -> Mapping[str, tuple[int, str]]:
    """Rows and checksum, by table."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(_TABLES).fetchall()
        found = {}
        for schema, table in tables:
            if table in _NOT_COMPARED:
                continue
            question = sql.SQL(_SUM).format(table=sql.Identifier(schema, table))
            row = connection.execute(question, [_CHANGED.get(table, [])]).fetchone()
            assert row is not None
            found[f"{schema}.{table}"] = (int(row[0]), str(row[1]))
        return found


def differing(before: Mapping[str, tuple[int, str]], after: Mapping[str, tuple[int, str]]) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


_TABLES = """
SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""

_SUM = """
SELECT count(*), coalesce(md5(string_agg(row.text, E'\\n' ORDER BY row.text)), '')
  FROM (SELECT (to_jsonb(one) - %s::text[])::text AS text FROM {table} AS one) AS row
"""
