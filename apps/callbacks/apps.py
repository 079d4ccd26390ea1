from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CallbacksConfig(AppConfig):
    name = "apps.callbacks"
    verbose_name = _("Webhooks")

    def ready(self) -> None:
        from apps.callbacks import erasure as deliveries_of
        from apps.callbacks import retention as deliveries_kept
        from apps.callbacks.engine.bell import ring_if_heard
        from apps.messaging import erasure, retention
        from apps.messaging.signals import events_published

        events_published.connect(ring_if_heard)
        erasure.register("callbacks", deliveries_of.erase)
        retention.register(deliveries_kept.forget)
