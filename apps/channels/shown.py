"""What a provider is asked, for operators to read: built as for a send, of credentials without their secrets."""

from dataclasses import replace

from apps.channels.connector import Outbound
from apps.channels.errors import SendFailed
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector, connector_class

HIDDEN = "[hidden]"


def request_of(account: ChannelAccount, outbound: Outbound) -> str:
    """Empty where it cannot be built without the secrets, or from what is left of the message."""
    public = account.public_credentials
    known = {
        field.name: public.get(field.name, HIDDEN) for field in connector_class(account.connector).credentials
    }
    try:
        return connector(account.connector).shown_request(replace(outbound, credentials=known))
    except (SendFailed, ValueError, LookupError):
        return ""
