"""What was counted of channel accounts, in their list and on their pages: nobody counts again to look."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from django.contrib import admin
from django.db.models import Sum
from django.utils.formats import number_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.channels.admin.channel_account import ChannelAccountAdmin
from apps.channels.admin.live import LiveColumn
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.operations.models import Span, Standing, Traffic

# So many whole minutes tell how fast an account sends now.
_MINUTES = 5


def waiting(accounts: Sequence[ChannelAccount]) -> Mapping[UUID, str]:
    standings = Standing.across_organizations.filter(account__in=accounts)
    return {
        account: number_format(count, use_l10n=True, force_grouping=True)
        for account, count in standings.values_list("account", "waiting")
    }


@admin.display(description=_("sends now"))
def speed(account: ChannelAccount) -> str:
    ends = clock.now().replace(second=0, microsecond=0)
    minutes = Traffic.across_organizations.filter(
        account=account, span=Span.MINUTE, starts_at__gte=ends - timedelta(minutes=_MINUTES), starts_at__lt=ends
    )
    sent = minutes.aggregate(sent=Sum("sent"))["sent"] or 0
    return gettext("%(count)s messages a minute, over the last five") % {
        "count": number_format(sent / _MINUTES, 1, use_l10n=True, force_grouping=True)
    }


ChannelAccountAdmin.live_columns.append(LiveColumn("waiting", _("waiting"), waiting))
ChannelAccountAdmin.live_rows.append(speed)
