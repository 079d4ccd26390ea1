"""The labels that speak of channels and accounts."""

from apps.channels.errors import SendFailed
from apps.channels.models import ChannelAccount
from apps.channels.registry import NAMES
from apps.core.metrics.labels import Label

CHANNEL = Label.of("channel", "the connector's name in the registry", NAMES)
_CLASSES = {
    # Under so many messages a second.
    "slow": 5.0,
    "usual": 50.000001,
    "fast": float("inf"),
}
ACCOUNT_CLASS = Label.of(
    "account_class",
    "by what the account may send: `slow` under 5 messages a second, `usual` up to 50, `fast` above",
    _CLASSES,
)
ERROR_CLASS = Label.of(
    "error_class", "what kind of failure it was", (kind.name for kind in SendFailed.__subclasses__())
)


def class_of(rate_per_second: float) -> str:
    return next(name for name, below in _CLASSES.items() if rate_per_second < below)


def labels_of(account: ChannelAccount) -> tuple[str, str]:
    return account.connector, class_of(account.rate_per_second)
