from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CallbacksConfig(AppConfig):
    name = "apps.callbacks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        from apps.callbacks import erasure as deliveries_of
        from apps.callbacks.engine.bell import ring_if_heard
        from apps.messaging import erasure
        from apps.messaging.signals import events_published

        events_published.connect(ring_if_heard)
        erasure.register("callbacks", deliveries_of.erase)
