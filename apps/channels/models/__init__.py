"""Through what an organization reaches people."""

from apps.channels.models.channel_account import ChannelAccount, OnUnknown, Ordering, ReplyWindow

__all__ = ["ChannelAccount", "OnUnknown", "Ordering", "ReplyWindow"]
