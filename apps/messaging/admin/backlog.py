"""How much waits at a channel account: one more row of what its page knows at this moment."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from apps.channels.admin.channel_account import ChannelAccountAdmin
from apps.channels.models import ChannelAccount
from apps.messaging.admin import pages
from apps.messaging.admin.pages import counted
from apps.messaging.models import Delivery


@admin.display(description=_("messages that wait"))
def backlog(account: ChannelAccount) -> str:
    waiting = Delivery.across_organizations.filter(account=account)
    return counted(waiting[: pages.MOST_COUNTED + 1].count())


ChannelAccountAdmin.live_rows.append(backlog)
