"""The operators' side: one file a kind of thing."""

from apps.channels.admin import channel_account

__all__ = ["channel_account"]
