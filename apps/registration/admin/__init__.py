from apps.registration.admin.flow import RegistrationFlowAdmin
from apps.registration.admin.registration import RegistrationAdmin

__all__ = ["RegistrationAdmin", "RegistrationFlowAdmin"]
