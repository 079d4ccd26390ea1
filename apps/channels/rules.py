"""What holds for every channel account, whoever adds or changes it. Raises errors that name the field."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from apps.channels.connector import Connector
from apps.channels.models import ChannelAccount
from apps.core.api.problems import field_error
from apps.core.limiter import LONGEST_SECONDS

LONGEST_CREDENTIAL = 4096
LONGEST_ID = 120


def check_credentials(kind: type[Connector], given: Mapping[str, str]) -> dict[str, str]:
    """All of them, without spaces around, once each of them can be one."""
    known = [field.name for field in kind.credentials]
    texts = {field.name for field in kind.credentials if field.is_text}
    required = {field.name for field in kind.credentials if field.is_required}
    for name in given:
        if name not in known:
            detail = _("Unknown credential. Known: %(known)s.") % {"known": ", ".join(known)}
            raise field_error(f"credentials/{name}", "unknown_field", detail)
    values = {name: given.get(name, "").strip() for name in known}
    for name, value in values.items():
        if not value and name in required:
            raise field_error(f"credentials/{name}", "required", _("This credential is required."))
        if len(value) > LONGEST_CREDENTIAL or not value.isprintable() or not (value.isascii() or name in texts):
            detail = _("At most %(most)d printable ASCII characters.") % {"most": LONGEST_CREDENTIAL}
            raise field_error(f"credentials/{name}", "invalid", detail)
        if value and name.endswith("_id") and not _is_path_part(value):
            detail = _("At most %(most)d letters, digits, dashes, dots and underscores.") % {"most": LONGEST_ID}
            raise field_error(f"credentials/{name}", "invalid", detail)
    for name, detail in kind.bad_credentials(values).items():
        raise field_error(f"credentials/{name}", "invalid", detail)
    return values


def check_limits(account: ChannelAccount) -> None:
    """What no field can say alone; the ranges of each are the model's."""
    if (account.recipient_rate_per_second is None) != (account.recipient_burst is None):
        missing = "recipient_burst" if account.recipient_burst is None else "recipient_rate_per_second"
        detail = _("Give both the rate and the burst for one person, or neither.")
        raise field_error(missing, "required", detail)
    _check_refill("burst", account.rate_per_second, account.burst)
    if account.recipient_rate_per_second is not None and account.recipient_burst is not None:
        _check_refill("recipient_burst", account.recipient_rate_per_second, account.recipient_burst)


def _check_refill(field: str, rate: float, burst: int) -> None:
    if burst / rate > LONGEST_SECONDS:
        days = LONGEST_SECONDS // (24 * 3600)
        detail = _("At this rate so many would take more than %(days)d days to come back.") % {"days": days}
        raise field_error(field, "too_slow", detail)


def _is_path_part(value: str) -> bool:
    """Ids become part of the provider's URL."""
    return (
        len(value) <= LONGEST_ID
        and all(character.isalnum() or character in "-_." for character in value)
        and value.strip(".") != ""
    )
