from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0008_message_failures'),
    ]

    operations = [
        # Without a default no row is touched: it takes no time, however many messages there are.
        migrations.AddField(
            model_name='message',
            name='trace',
            field=models.CharField(editable=False, max_length=55, null=True),
        ),
    ]
