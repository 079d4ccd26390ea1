from apps.messaging.admin import beside
from apps.registration.admin import beside_conversation
from apps.registration.admin.flow import RegistrationFlowAdmin
from apps.registration.admin.registration import RegistrationAdmin

__all__ = ["RegistrationAdmin", "RegistrationFlowAdmin"]

beside.register(beside_conversation.show)
