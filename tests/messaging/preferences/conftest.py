"""Ana, who has a phone and a mailbox, and an account that writes to her."""

import pytest

from apps.channels.models import ChannelAccount
from apps.messaging.models import Contact, ContactAddress
from tests.cast import House, add_channel_account
from tests.messaging.preferences.page import ANA


@pytest.fixture
def account(aurora: House) -> ChannelAccount:
    return add_channel_account(aurora)


@pytest.fixture
def ana(aurora: House, account: ChannelAccount) -> Contact:
    contact = Contact.across_organizations.create(organization=aurora.organization, name="Ana Lima")
    for kind, value in (("phone", ANA), ("email", "ana.lima@exemplo.com.br")):
        own = {"organization": aurora.organization, "contact": contact}
        ContactAddress.across_organizations.create(kind=kind, value=value, **own)
    return contact
