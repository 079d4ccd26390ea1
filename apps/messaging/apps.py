from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class MessagingConfig(AppConfig):
    name = "apps.messaging"
    verbose_name = _("Messaging")

    def ready(self) -> None:
        from apps.channels.signals import account_resumed
        from apps.messaging.conversations import existing
        from apps.messaging.engine.bells import wake_account
        from apps.realtime.conversations import register_look_up

        account_resumed.connect(wake_account)
        register_look_up(existing)
