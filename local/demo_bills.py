"""The bills of the demo: customers who owe the bakery something, some of whom are reminded of it today."""

from datetime import date, datetime, time, timedelta

from apps.accounts.models import Organization
from apps.accounts.principal import Principal
from apps.billing import pix, policies, starter
from apps.billing.invoices import save_many
from apps.billing.models import Invoice, ReminderPolicy
from apps.billing.new_invoice import NewCustomer, NewInvoice
from apps.channels.models import ChannelAccount
from apps.core import clock
from apps.messaging.engine.guard import HOME

PIX_KEY, CITY = "cobranca@aurora.example", "Sao Paulo"
# Whoever tries the demo on a Sunday evening wants to see something too.
AT_ANY_HOUR = [
    {"channel": "*", "state": "*"} | {day: ["00:00", "24:00"] for day in ("weekdays", "saturday", "sunday")}
]
# The customer, with or without each kind of address, and in how many days each of their bills is due.
CUSTOMERS = (
    ("Ana Lima", "+5511981110001", "ana.lima@example.com", "pt-BR", (3, 3, 20)),
    ("Bruno Reis", "+5521981110002", "", "pt-BR", (0,)),
    ("Carla Nunes", "", "carla.nunes@example.com", "pt-BR", (10,)),
    ("Daniel Rocha", "+5592981110004", "daniel@example.com", "pt-BR", (-1, 12)),
    ("Emily Clark", "+5511981110005", "emily@example.com", "en", (3,)),
    ("Fábio Souza", "+5568981110006", "", "pt-BR", (25,)),
    ("Gabriela Melo", "+5511981110007", "gabi@example.com", "pt-BR", (-5,)),
    ("Hugo Prado", "", "hugo.prado@example.com", "pt-BR", (0, 30)),
)


def seed_bills(organization: Organization, accounts: dict[str, ChannelAccount]) -> None:
    """Once. As if all had been there for some days, so that what is due today, where they live, is sent today."""
    if Invoice.objects.for_organization(organization).exists():
        return
    principal = Principal.of_system(organization)
    save_many(principal, list(_invoices(clock.now().astimezone(HOME).date())))
    ways = [accounts[connector].id for connector in ("whatsapp_cloud", "sms", "email")]
    policy = starter.add(principal, ways, "Lembretes da padaria")
    policies.change(principal, policy, quiet_hours=AT_ANY_HOUR, send_at=time(0), days_off="none",
                    delivered_within=60)  # fmt: skip
    policies.go_live(principal, policy)
    _as_of(organization, clock.now() - timedelta(days=2))


def _invoices(today: date) -> list[NewInvoice]:
    return [
        NewInvoice(
            number=f"2026-{1000 + 10 * n + m}",
            customer=NewCustomer(name, phone, email, language),
            amount=(amount := 4990 + 2300 * n + 1000 * m),
            currency="BRL",
            due_on=today + timedelta(days=days),
            payment_url=f"https://pagar.aurora.example/{1000 + 10 * n + m}",
            pix_code=pix.build(PIX_KEY, "Padaria Aurora", CITY, amount, f"AURORA{1000 + 10 * n + m}"),
        )
        for n, (name, phone, email, language, due) in enumerate(CUSTOMERS)
        for m, days in enumerate(due)
    ]


def _as_of(organization: Organization, moment: datetime) -> None:
    ReminderPolicy.objects.for_organization(organization).update(live_since=moment)
    Invoice.objects.for_organization(organization).update(created_at=moment, changed_at=moment)
