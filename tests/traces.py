"""A look through the whole database for words, in whatever table and column they may be."""

from collections import defaultdict

from django.db import connection

_COLUMNS = """
SELECT quote_ident(columns.table_schema) || '.' || quote_ident(columns.table_name), columns.table_name,
       columns.column_name, columns.udt_name
  FROM information_schema.columns AS columns JOIN information_schema.tables AS tables
       USING (table_schema, table_name)
 WHERE tables.table_type = 'BASE TABLE' AND columns.table_schema NOT IN ('pg_catalog', 'information_schema')
"""


def traces_of(*words: str) -> set[str]:
    """`table.column` of all in which one of them is, in letters of any size."""
    assert min(map(len, words)) > 5, "A shorter one may be in the random letters of any hash."
    columns: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for quoted, table, column, kind in cursor.fetchall():
            columns[quoted, table].append((column, kind))
        for (quoted, table), theirs in columns.items():
            looks = ", ".join(f"coalesce(bool_or({_look(*column)}), false)" for column in theirs)
            cursor.execute(f"SELECT {looks} FROM {quoted}, unnest(%s::text[]) AS word", [list(words)])
            answers = zip(theirs, cursor.fetchone(), strict=True)
            found |= {f"{table}.{column}" for (column, _), is_there in answers if is_there}
    return found


def _look(column: str, kind: str) -> str:
    name = connection.ops.quote_name(column)
    if kind == "bytea":
        return f"position(convert_to(word, 'UTF8') IN {name}) > 0"
    return f"position(lower(word) IN lower({name}::text)) > 0"
