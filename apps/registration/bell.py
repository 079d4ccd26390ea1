"""The bell of all that waits to be heard."""

from apps.messaging.engine.common_bell import CommonBell

BELL = CommonBell("registration", task="registration.converse")
