"""The time in which people may be written to freely after they wrote, on channels that have one."""

from datetime import datetime, timedelta
from typing import Protocol

from apps.channels.content import Content
from apps.channels.registry import connector_class


class Keeping(Protocol):
    """An account, or what is known of one."""

    @property
    def connector(self) -> str: ...
    @property
    def keeps_reply_window(self) -> bool: ...


def of(there: Keeping) -> timedelta | None:
    return connector_class(there.connector).capabilities.reply_window if there.keeps_reply_window else None


def is_over(there: Keeping, content: Content, wrote_at: datetime | None, at: datetime) -> bool:
    """Whether this may not be sent at that time to somebody who last wrote then; None: never. A template may."""
    window = of(there)
    if window is None or content.template is not None:
        return False
    return wrote_at is None or at >= wrote_at + window
