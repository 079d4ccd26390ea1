from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "apps.messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        from apps.accounts import organizations
        from apps.channels.signals import account_resumed
        from apps.files.signals import upload_ended
        from apps.messaging.conversations import existing, has_any
        from apps.messaging.engine.bells import wake_account
        from apps.messaging.engine.media_ended import follow_upload
        from apps.realtime.conversations import register_look_up

        account_resumed.connect(wake_account)
        upload_ended.connect(follow_upload)
        register_look_up(existing)
        organizations.register_data(has_any)
