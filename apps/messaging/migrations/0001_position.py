from django.db import migrations


class Migration(migrations.Migration):
    """The places in the queues of conversations; the table of the next migration draws from it."""

    initial = True
    dependencies = []
    operations = [
        migrations.RunSQL(
            # A cache would hand out places to each connection in its own order.
            "CREATE SEQUENCE delivery_position AS bigint CACHE 1",
            "DROP SEQUENCE delivery_position",
        ),
    ]
