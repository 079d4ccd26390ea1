from apps.registration.models.flow import FlowVersion, RegistrationFlow
from apps.registration.models.registration import RUNNING, Registration, RegistrationState, StartedBy, Turn
from apps.registration.models.talk import HeardMessage, Talk

__all__ = [
    "RUNNING",
    "FlowVersion",
    "HeardMessage",
    "Registration",
    "RegistrationFlow",
    "RegistrationState",
    "StartedBy",
    "Talk",
    "Turn",
]
