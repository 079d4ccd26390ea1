from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Messages go on being accepted meanwhile.
    atomic = False

    dependencies = [
        ('messaging', '0007_clearings'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(condition=models.Q(('error_class', ''), _negated=True), fields=['organization', 'error_class', '-id'], name='message_error'),
        ),
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(condition=models.Q(('error_class', ''), _negated=True), fields=['organization', 'error_code', '-id'], name='message_error_code'),
        ),
        AddIndexConcurrently(
            model_name='message',
            index=models.Index(condition=models.Q(('template_id__isnull', False)), fields=['template_id', '-id'], name='message_template'),
        ),
    ]
