"""The registration of the demo: the bakery's club, which people join on WhatsApp and Telegram."""

from typing import Any

from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.channels.models import ChannelAccount
from apps.registration import flows
from apps.registration.models import RegistrationFlow

NAME = "Clube da padaria"
DEFINITION: dict[str, Any] = {
    "languages": ["pt-BR", "en"],
    "questions": [
        {"kind": "name"},
        {"kind": "email"},
        {"kind": "tax_id", "required": False},
        {"kind": "postal_address"},
        {
            "key": "favourite",
            "kind": "free",
            "required": False,
            "ask": {"pt-BR": "E qual é o seu pão preferido?", "en": "And which bread do you like best?"},
            "label": {"pt-BR": "Pão preferido", "en": "Favourite bread"},
        },
    ],
    "texts": {
        "pt-BR": {
            "welcome": "Que bom ter você no Clube da Padaria Aurora! Leva um minuto. Se desistir, é só dizer.",
            "consent": "Guardamos nome, e-mail, CPF e endereço só para o clube, cifrados. Para ver ou apagar os "
            "seus dados, fale com a nossa equipe.",
            "done": "Pronto, você está no clube! Na próxima visita tem um pão de queijo por nossa conta.",
        },
        "en": {
            "welcome": "Welcome to the club of Padaria Aurora! It takes a minute, and you can stop at any time.",
            "consent": "We keep your name, e-mail, CPF and address for the club alone, encrypted. To see them or "
            "to have them erased, talk to our team.",
        },
    },
}


def seed_registration(organization: Organization, accounts: dict[str, ChannelAccount], simulators: str) -> None:
    """Once."""
    if RegistrationFlow.objects.for_organization(organization).exists():
        return
    principal = Principal.of_system(organization)
    flow = flows.add(
        principal,
        name=NAME,
        accounts=[accounts["whatsapp_cloud"].id, accounts["telegram"].id],
        keywords=["clube", "cadastro"],
        redact_after=30,
        keep_days=730,
        told_by=accounts["webhook"].id,
        told_at=f"{simulators}/target/contas",
    )
    flows.publish(principal, flow, DEFINITION)
    flows.go_live(principal, flow)
