"""Over which channels a reminder goes: those of its policy that reach the customer, in their order."""

from apps.billing.models import Touch
from apps.billing.planner import plan
from apps.channels.models import ChannelAccount
from apps.messaging.consent import suppressions
from apps.messaging.models import ConsentSource, ContactAddress, Message, MessageFallback
from tests.billing.portfolio import (
    Time,
    customer,
    invoice,
    live_policy,
    reminded,
    rule,
    template,
)
from tests.cast import House
from tests.messaging.desk import open_account


def test_customer_without_an_address_is_said_so(aurora: House, sms: ChannelAccount, time: Time) -> None:
    ana = customer(aurora)
    ana.addresses.all().delete()
    live_policy(aurora, [sms], rule(0))
    bill = invoice(ana, "2026-03-03")
    plan.run()
    time.is_("2026-03-03")
    plan.run()
    assert reminded(bill) == [("2026-03-03", "no_channel")]


def test_channel_that_the_customer_refuses_is_left_out(aurora: House, sms: ChannelAccount, time: Time) -> None:
    whatsapp = open_account(aurora, "whatsapp_cloud")
    live_policy(aurora, [whatsapp, sms], rule(0))
    invoice(customer(aurora, refused_channels=["whatsapp_cloud"]), "2026-03-03")
    plan.run()
    time.is_("2026-03-03")
    plan.run()
    assert Message.objects.for_organization(aurora.organization).get().account_id == sms.id


def test_other_channels_follow_in_their_order_in_their_own_words(
    aurora: House, sms: ChannelAccount, time: Time
) -> None:
    template(aurora, "long", body="A longer text about {{ number }}")
    whatsapp = open_account(aurora, "whatsapp_cloud")
    live_policy(aurora, [whatsapp, sms], rule(0, template="long", channel_templates={"sms": "bill"}))
    invoice(customer(aurora), "2026-03-03")
    plan.run()
    time.is_("2026-03-03")
    plan.run()
    message = Message.objects.for_organization(aurora.organization).get()
    assert (message.account_id, message.text, message.category) == (
        whatsapp.id,
        "A longer text about 1001",
        "billing",
    )
    (step,) = MessageFallback.across_organizations.get(message=message).steps
    assert (step["account_id"], step["template"]["name"]) == (str(sms.id), "bill")


def test_customer_who_left_one_channel_is_written_to_over_the_next(
    aurora: House, sms: ChannelAccount, time: Time
) -> None:
    """And where they want to hear nothing anywhere, what was said against the first way is told."""
    email = open_account(aurora, "email")
    ana, bia = customer(aurora), customer(aurora, "+5511912345602", "Bia")
    for contact, value in ((ana, "ana@exemplo.com"), (bia, "bia@exemplo.com")):
        ContactAddress.across_organizations.create(
            organization=aurora.organization, contact=contact, kind="email", value=value
        )
    phones = ["+5511912345601", "+5511912345602"]
    suppressions.add(aurora.organization.id, "phone", phones, ConsentSource.API)
    suppressions.add(aurora.organization.id, "email", ["bia@exemplo.com"], ConsentSource.API, category="billing")
    live_policy(aurora, [sms, email], rule(0))
    bills = [invoice(ana, "2026-03-03", "1"), invoice(bia, "2026-03-03", "2")]
    plan.run()
    time.is_("2026-03-03")
    plan.run()
    assert [reminded(bill) for bill in bills] == [[("2026-03-03", "told")], [("2026-03-03", "opted_out")]]
    (message,) = Message.across_organizations.select_related("account", "conversation")
    assert (message.account, message.conversation.address) == (email, "ana@exemplo.com")
    assert Touch.across_organizations.get().message_id == message.id


def test_channel_that_reports_no_delivery_is_not_waited_for(
    aurora: House, sms: ChannelAccount, time: Time
) -> None:
    email = open_account(aurora, "email")
    ana = customer(aurora)
    ContactAddress.across_organizations.create(
        organization=aurora.organization, contact=ana, kind="email", value="ana@exemplo.com"
    )
    live_policy(aurora, [email, sms], rule(0), delivered_within=300)
    bill = invoice(ana, "2026-03-03")
    plan.run()
    time.is_("2026-03-03")
    plan.run()
    assert reminded(bill) == [("2026-03-03", "told")]
    assert Message.across_organizations.get().account == email
