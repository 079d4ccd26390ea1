from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CallbacksConfig(AppConfig):
    name = "apps.callbacks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        from apps.callbacks.engine.bell import ring_if_heard
        from apps.messaging.signals import events_published

        events_published.connect(ring_if_heard)
