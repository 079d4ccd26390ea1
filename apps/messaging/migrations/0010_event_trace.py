from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0009_message_trace'),
    ]

    operations = [
        # Without a default no row is touched: it takes no time, however many there are.
        migrations.AddField(
            model_name='delivery',
            name='trace',
            field=models.CharField(editable=False, max_length=55, null=True),
        ),
        migrations.AddField(
            model_name='messageevent',
            name='trace',
            field=models.CharField(editable=False, max_length=55, null=True),
        ),
    ]
