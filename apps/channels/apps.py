from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ChannelsConfig(AppConfig):
    name = "apps.channels"
    # Django Channels' own package is called `channels`.
    label = "delivery_channels"
    verbose_name = _("Channels")
