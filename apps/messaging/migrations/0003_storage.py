from django.db import migrations


class Migration(migrations.Migration):
    """How PostgreSQL keeps the tables that live fast."""

    dependencies = [("messaging", "0002_tables")]
    operations = [
        migrations.RunSQL(
            # Rows that are inserted, updated twice and deleted within seconds: room for their versions on the
            # same page, and a vacuum that comes by number and not by share of a backlog.
            """
            ALTER TABLE delivery SET (
                fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
                autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.2
            )
            """,
            "ALTER TABLE delivery RESET (fillfactor)",
        ),
        migrations.RunSQL(
            # A message's status changes three or four times, and no index holds it.
            "ALTER TABLE message SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05)",
            "ALTER TABLE message RESET (fillfactor)",
        ),
        migrations.RunSQL(
            # Written once, and gone within the second: the next ones find their room.
            "ALTER TABLE provider_callback SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000)",
            "ALTER TABLE provider_callback RESET (autovacuum_vacuum_scale_factor)",
        ),
        migrations.RunSQL(
            "INSERT INTO event_cursor (id, transaction, event_id) VALUES (1, '0', 0)",
            "DELETE FROM event_cursor",
        ),
    ]
