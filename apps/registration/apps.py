from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistrationConfig(AppConfig):
    name = "apps.registration"
    verbose_name = _("Registration")

    def ready(self) -> None:
        from apps.messaging import erasure, retention
        from apps.messaging.engine import guards
        from apps.messaging.signals import contacts_merged, messages_received
        from apps.registration import erasure as registrations_of
        from apps.registration import retention as turns_kept
        from apps.registration.applying import tell
        from apps.registration.conversation import known, listen

        messages_received.connect(listen.note_down)
        contacts_merged.connect(known.follow_merged)
        guards.register(tell.GUARD, tell.fill_in)
        erasure.register(registrations_of.NAME, registrations_of.erase)
        retention.register(turns_kept.forget, turns_kept.needed)
