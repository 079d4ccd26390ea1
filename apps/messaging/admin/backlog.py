"""How much waits at a channel account: one more row of what its page knows at this moment."""

from django.contrib import admin
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _

from apps.channels.admin.channel_account import ChannelAccountAdmin
from apps.channels.models import ChannelAccount
from apps.messaging.admin.base import MOST_COUNTED
from apps.messaging.models import Delivery


@admin.display(description=_("messages that wait"))
def backlog(account: ChannelAccount) -> str:
    waiting = Delivery.across_organizations.filter(account=account)[: MOST_COUNTED + 1].count()
    return f"{number_format(min(waiting, MOST_COUNTED), use_l10n=True, force_grouping=True)}" + (
        "+" if waiting > MOST_COUNTED else ""
    )


ChannelAccountAdmin.live_rows.append(backlog)
