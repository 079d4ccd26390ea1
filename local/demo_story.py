"""What a new demo holds: an account on every channel, templates, a route, labels. The bakery of the examples."""

from collections.abc import Mapping

from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.channels import accounts
from apps.channels.models import ChannelAccount
from apps.channels.simulators.target import secret_of
from apps.messaging import labels, routes
from apps.messaging.models import Label, Route, Template, TemplateText
from apps.messaging.wording import versions
from apps.messaging.wording.variables import Variable, VariableType

# The person on Instagram to whom the route takes what comes in on Telegram; the traffic has them write first.
ROUTED_TO = "17840000000900"
LABELS = (("Urgente", "#dc2626"), ("Encomenda", "#0e7490"), ("Elogio", "#15803d"))


def accounts_at(simulators: str, smtp: str, app_secret: str) -> Mapping[str, tuple[str, dict[str, str]]]:
    """By the connector: the account's name and what the simulated providers take as its credentials."""
    signing = "a-secret-of-the-demo-and-of-nobody-else"
    meta = {"access_token": "demo-token", "app_secret": app_secret, "verify_token": "demo-verify-token"}
    return {
        "whatsapp_cloud": ("WhatsApp da padaria", {"phone_number_id": "100200300400500", **meta}),
        "instagram": ("Instagram da padaria", {"instagram_id": "17841400000000001", **meta}),
        "telegram": (
            "Bot da padaria",
            {"bot_token": "700100200:demo-token-of-the-bakery-000000", "secret_token": signing},
        ),
        "evolution": (
            "WhatsApp do balcão",
            {
                "server_url": f"{simulators}/evolution",
                "instance": "balcao",
                "api_key": "demo-evolution-key",
                "webhook_secret": signing,
            },
        ),
        "sms": (
            "SMS da padaria",
            {"account_sid": "AC" + "0" * 31 + "1", "auth_token": "demo-auth-token", "sender": "+15005550006"},
        ),
        "email": (
            "E-mail da padaria",
            {
                "server": smtp,
                "security": "none",
                "username": "padaria",
                "password": "demo-password",
                "from_address": "ola@aurora.example",
                "from_name": "Padaria Aurora",
            },
        ),
        "webhook": ("Sistema de pedidos", {"signing_secret": secret_of(app_secret)}),
    }


def seed_accounts(
    organization: Organization, wanted: Mapping[str, tuple[str, dict[str, str]]]
) -> dict[str, ChannelAccount]:
    return {
        connector: ChannelAccount.objects.for_organization(organization).filter(name=name).first()
        or accounts.add(Principal.of_system(organization), connector=connector, name=name, credentials=credentials)
        for connector, (name, credentials) in wanted.items()
    }


def seed_inbox(organization: Organization, of_channel: Mapping[str, ChannelAccount]) -> None:
    principal = Principal.of_system(organization)
    for name, color in LABELS:
        if not Label.objects.for_organization(organization).filter(name=name).exists():
            labels.add(principal, name=name, color=color)
    if not Route.objects.for_organization(organization).exists():
        routes.add(
            principal,
            name="Telegram → Instagram",
            source_account=of_channel["telegram"],
            target_account=of_channel["instagram"],
            target_address=ROUTED_TO,
        )


def seed_templates(organization: Organization) -> None:
    if Template.objects.for_organization(organization).exists():
        return
    principal = Principal.of_system(organization)
    name, order = Variable("name", VariableType.TEXT, "Ana"), Variable("order", VariableType.TEXT, "1042")
    ready = versions.create(
        principal,
        name="order_ready",
        description="The order can be fetched",
        variables=(name, order),
        texts=(
            TemplateText(
                language="pt-BR",
                subject="Seu pedido está pronto",
                body="Olá, {{ name }}! Seu pedido {{ order }} está pronto. Esperamos você até as 19h.",
                whatsapp_name="pedido_pronto",
                whatsapp_language="pt_BR",
            ),
            TemplateText(
                language="en",
                subject="Your order is ready",
                body="Hello, {{ name }}! Your order {{ order }} is ready. We are here until 7 pm.",
                whatsapp_name="order_ready",
                whatsapp_language="en",
            ),
        ),
    )
    versions.publish(principal, ready)
    offer = versions.create(
        principal,
        name="bread_of_the_week",
        category="marketing",
        description="Every Monday, to those who want it",
        variables=(name, Variable("bread", VariableType.TEXT, "ciabatta")),
        texts=(
            TemplateText(
                language="pt-BR",
                subject="O pão da semana",
                body="{{ name }}, o pão da semana é {{ bread }}. Para não receber mais: {{ preferences_url }}",
                whatsapp_name="pao_da_semana",
                whatsapp_language="pt_BR",
            ),
        ),
    )
    versions.publish(principal, offer)
