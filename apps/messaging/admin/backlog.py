"""How much waits at a channel account: one more row of what its page knows at this moment."""

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.accounts.admin.long_tables import pages
from apps.accounts.admin.long_tables.pages import counted
from apps.channels.admin.channel_account import ChannelAccountAdmin
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging.models import Delivery
from apps.messaging.models.delivery import DeliveryState


@admin.display(description=_("messages that wait"))
def backlog(account: ChannelAccount) -> str:
    waiting = Delivery.across_organizations.filter(account=account)
    count = waiting[: pages.MOST_COUNTED + 1].count()
    if not account.is_draining(clock.now()):
        return counted(count)
    if not count:
        return gettext("nothing waits any more: it can be switched off at the provider")
    # Those leave when their time comes, which may be months ahead.
    later = waiting.filter(state=DeliveryState.SCHEDULED)[: pages.MOST_COUNTED + 1].count()
    if not later:
        return counted(count)
    said = {"count": counted(count), "later": counted(later)}
    return gettext("%(count)s, of which %(later)s were accepted for later") % said


ChannelAccountAdmin.live_rows.append(backlog)
