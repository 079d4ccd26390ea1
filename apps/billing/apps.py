from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "apps.billing"
    verbose_name = _("Bills")

    def ready(self) -> None:
        from apps.billing import guard
        from apps.messaging.engine import guards

        guards.register(guard.GUARD, guard.judge)
