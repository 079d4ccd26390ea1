"""Nobody agrees to, or confirms, what they were not shown."""

from typing import Any

import pytest
from rest_framework.exceptions import ValidationError

from apps.channels.models import ChannelAccount
from apps.messaging.engine.accept import accept
from apps.messaging.engine.new_message import NewMessage, WantedTemplate
from apps.messaging.models import Conversation
from apps.registration import flows, starting
from apps.registration.applying import apply
from apps.registration.models import Registration, RegistrationFlow, RegistrationState
from tests.cast import House
from tests.messaging.desk import ANA, BIA
from tests.messaging.templates import GIVEN, published
from tests.registration.talks import CONSENT, Person, counter, definition, live_flow

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = ("cadastro", "sim", "Ana Lima", "ana@exemplo.com.br", "não", "sim")


def another(house: House, account: Any, name: str, keyword: str, document: dict[str, Any], **values: Any) -> Any:
    flow = flows.add(house.principal(), name=name, accounts=[account.id], keywords=[keyword], **values)
    flows.publish(house.principal(), flow, document)
    return flows.go_live(house.principal(), flow)


def test_consent_to_one_flow_is_none_to_another(aurora: House) -> None:
    account = counter(aurora)
    live_flow(aurora, account)
    ana = Person(account)
    ana.says(*WORDS)
    assert apply.apply(ana.registration.id)
    words = "Vendemos os seus dados a parceiros."
    document = definition({"kind": "name"}, {"kind": "birth_date"}, consent=words)
    another(aurora, account, "Marketing", "promo", document)
    before = len(ana.answers())
    ana.says("promo", "nasci em 12/03/1990", "sim")
    assert any(words in each for each in ana.answers()[before:]), (ana.registration.state, ana.answers()[before:])


def test_who_is_known_is_still_asked_what_a_flow_requires(aurora: House) -> None:
    account = counter(aurora)
    live_flow(aurora, account)
    ana = Person(account)
    ana.says(*WORDS)
    assert apply.apply(ana.registration.id)
    other = another(aurora, account, "Outro", "outro", definition({"kind": "name"}, {"kind": "tax_id"}))
    ana.says("outro", "está tudo certo")
    assert ana.registration.flow_id == other.id
    assert ana.registration.state != RegistrationState.COMPLETED


def test_opening_that_is_too_long_for_a_channel_is_not_published(aurora: House) -> None:
    """Each text is valid; together they are longer than one message."""
    account = counter(aurora, "instagram")
    with pytest.raises(ValidationError, match="Welcome and consent are 1097 characters long"):
        another(aurora, account, "Cadastro", "cadastro", definition(consent="Guardamos tudo. " * 60))


def test_consent_that_was_not_sent_is_not_given(aurora: House) -> None:
    account = counter(aurora)
    live_flow(aurora, account)
    ChannelAccount.across_organizations.filter(pk=account.pk).update(daily_quota=1)
    accept(aurora.organization, [NewMessage("x", account_id=account.id, to=BIA)])  # today's last
    ana = Person(account)
    assert ana.says("cadastro") == ""
    ana.says("sim")
    assert not Registration.across_organizations.exists()
    assert Conversation.across_organizations.get(address=ana.address).labels.exists()


def test_what_is_wrong_begins_nothing_for_whoever_told_nothing(aurora: House) -> None:
    account = counter(aurora)
    live_flow(aurora, account)
    ana, bia = Person(account), Person(account, BIA)
    ana.says(*WORDS)
    assert apply.apply(ana.registration.id)
    for person in (ana, bia):
        person.says("meu e-mail está errado")
    assert ana.registration.is_update
    assert not Registration.across_organizations.filter(conversation__address=BIA).exists()


def test_who_wants_no_messages_and_writes_the_keyword_begins_nothing(aurora: House) -> None:
    account = counter(aurora)
    live_flow(aurora, account)
    ana = Person(account)
    ana.says("PARAR", "cadastro")
    assert not Registration.across_organizations.exists()


def test_summary_that_was_not_sent_is_not_confirmed(aurora: House) -> None:
    account = counter(aurora, "instagram")
    document = definition({"kind": "name", "label": {"pt-BR": "x" * 990}})
    another(aurora, account, "Cadastro", "cadastro", document)
    ana = Person(account, "1234567890")
    ana.says("cadastro", "sim")
    assert ana.says("Ana Lima") == ""
    ana.says("sim")
    assert ana.registration.state != RegistrationState.COMPLETED


def test_yes_to_a_template_is_no_consent(aurora: House) -> None:
    account = counter(aurora)
    flow = RegistrationFlow.across_organizations.select_related("published").get(pk=live_flow(aurora, account).pk)
    published(aurora)  # "Hello Bia, R$1,149.90 is due on …"
    ana = Person(account)
    template = WantedTemplate("bill_due", GIVEN)
    starting.start(aurora.principal(), flow, account_id=account.id, to=ANA, template=template)
    ana.says("sim")
    assert any(CONSENT in each for each in ana.answers()), (ana.registration.state, ana.answers())
