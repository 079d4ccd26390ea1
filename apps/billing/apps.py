from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class BillingConfig(AppConfig):
    name = "apps.billing"
    verbose_name = _("Bills")

    def ready(self) -> None:
        from apps.billing import erasure as invoices_of
        from apps.billing import guard, plans
        from apps.billing import retention as touches_kept
        from apps.messaging import erasure, retention
        from apps.messaging.engine import guards
        from apps.messaging.signals import contacts_merged

        guards.register(guard.GUARD, guard.judge)
        contacts_merged.connect(plans.follow_merged)
        erasure.register("billing", invoices_of.erase)
        retention.register(touches_kept.forget)
