"""Write outcomes down, if the lease is still ours, and what they say of their endpoints.

One statement, whatever the number. Whoever comes too late changes nothing: a delivery that was taken over has
another lease.
"""

from collections.abc import Sequence

import orjson
from django.db import connection

from apps.callbacks.endpoints import FAILING_FOR, disable_by_itself
from apps.callbacks.engine.call import Outcome
from apps.callbacks.models import DisabledBecause


def record(outcomes: Sequence[Outcome]) -> int:
    """How many were written down; the others belong to somebody else now."""
    rows = orjson.dumps([outcome.as_row() for outcome in outcomes]).decode()
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, {"rows": rows, "failing_seconds": FAILING_FOR.total_seconds()})
        written, failing = cursor.fetchone()
    for endpoint_id in {outcome.claimed.endpoint_id for outcome in outcomes if outcome.is_gone}:
        disable_by_itself(endpoint_id, DisabledBecause.GONE)
    for endpoint_id in failing:
        disable_by_itself(endpoint_id, DisabledBecause.FAILING)
    return int(written)


# Endpoints are changed only where something turned: most outcomes leave them alone. They are locked in one order,
# for others record too.
_RECORD = """
WITH outcome AS MATERIALIZED (
    SELECT *
      FROM jsonb_to_recordset(%(rows)s::jsonb) AS outcome (
           id uuid, lease uuid, state text, seconds float8, status int, response text, error text,
           milliseconds int)
), recorded AS (
    UPDATE webhook_delivery AS delivery
       SET state = outcome.state, lease = NULL,
           due_at = CASE outcome.state WHEN 'waiting' THEN now() + make_interval(secs => outcome.seconds)
                                       ELSE delivery.due_at END,
           finished_at = CASE outcome.state WHEN 'waiting' THEN NULL ELSE now() END,
           last_status = outcome.status, last_response = outcome.response, last_error = outcome.error,
           milliseconds = outcome.milliseconds
      FROM outcome
     WHERE delivery.id = outcome.id AND delivery.lease = outcome.lease
    RETURNING delivery.endpoint_id, delivery.state
), heard AS MATERIALIZED (
    SELECT endpoint_id, bool_or(state = 'delivered') AS is_well FROM recorded GROUP BY endpoint_id
), turned AS MATERIALIZED (
    SELECT endpoint.id, heard.is_well
      FROM webhook_endpoint AS endpoint JOIN heard ON heard.endpoint_id = endpoint.id
     WHERE heard.is_well = (endpoint.first_failed_at IS NOT NULL)
     ORDER BY endpoint.id
       FOR NO KEY UPDATE OF endpoint
), marked AS (
    UPDATE webhook_endpoint SET first_failed_at = CASE WHEN turned.is_well THEN NULL ELSE now() END
      FROM turned
     WHERE webhook_endpoint.id = turned.id
)
SELECT (SELECT count(*) FROM recorded),
       ARRAY(SELECT endpoint.id
               FROM webhook_endpoint AS endpoint JOIN heard ON heard.endpoint_id = endpoint.id
              WHERE NOT heard.is_well AND endpoint.is_enabled
                AND endpoint.first_failed_at < now() - make_interval(secs => %(failing_seconds)s))
"""
