"""What most organizations begin with: courteous templates in two languages, and a draft of a policy."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.principal import Principal
from apps.billing import policies
from apps.billing.models import Anchor, ReminderPolicy
from apps.billing.planner.words import OFFERED
from apps.billing.policies import WantedRule
from apps.messaging.models import Template, TemplateText
from apps.messaging.statuses import Category
from apps.messaging.wording import versions
from apps.messaging.wording.variables import Variable

_SAMPLES: dict[str, Any] = {
    "name": "Ana", "number": "1042", "amount_due": "149.90 BRL", "due_date": "2026-03-10", "days_overdue": 5,
    "payment_url": "https://example.com/pay/1042", "pix_code": "00020126580014br.gov.bcb.pix", "count": 1,
    "total": "149.90 BRL", "invoices": "• 1042: R$ 149,90",
}  # fmt: skip
# What not every invoice or customer has.
_OPTIONAL = frozenset({"name", "payment_url", "pix_code", "invoices"})
VARIABLES = tuple(
    Variable(name, OFFERED[name], sample, is_required=name not in _OPTIONAL) for name, sample in _SAMPLES.items()
)

# Of several, the list has the links. The first end of a line after a condition is not said.
_PAY_PT = (
    "{% if payment_url and count == 1 %}\n\nPara pagar: {{ payment_url }}{% endif %}"
    "{% if pix_code and count == 1 %}\n\nPix copia e cola: {{ pix_code }}{% endif %}"
)
_PAY_EN = (
    "{% if payment_url and count == 1 %}\n\nTo pay: {{ payment_url }}{% endif %}"
    "{% if pix_code and count == 1 %}\n\nPix code: {{ pix_code }}{% endif %}"
)
_STOP_PT = "\n\nSe já pagou, desconsidere. Para não receber mais lembretes: {{ preferences_url }}"
_STOP_EN = "\n\nIf you have paid already, please ignore this. To get no more reminders: {{ preferences_url }}"
_LIST = "\n{{ invoices }}"
_HELLO_PT = "Olá{% if name %}, {{ name }}{% endif %}! "
_HELLO_EN = "Hello{% if name %} {{ name }}{% endif %}! "


@dataclass(frozen=True, slots=True)
class _Words:
    subject: str
    # Of one invoice, and of several.
    one: str
    several: str
    hello: str
    pay: str
    stop: str

    @property
    def body(self) -> str:
        return (
            f"{self.hello}{{% if count > 1 %}}{self.several}{_LIST}{{% else %}}{self.one}{{% endif %}}"
            f"{self.pay}{self.stop}"
        )


def _portuguese(subject: str, one: str, several: str) -> _Words:
    return _Words(subject, one, several, _HELLO_PT, _PAY_PT, _STOP_PT)


def _english(subject: str, one: str, several: str) -> _Words:
    return _Words(subject, one, several, _HELLO_EN, _PAY_EN, _STOP_EN)


_TEXTS: dict[str, dict[str, _Words]] = {
    "bill_coming": {
        "pt-BR": _portuguese(
            "Sua fatura vence em breve",
            "Sua fatura {{ number }}, de {{ amount_due }}, vence em {{ due_date|date('long') }}.",
            "Você tem {{ count }} faturas a vencer, no total de {{ total }}:",
        ),
        "en": _english(
            "Your bill is due soon",
            "Your bill {{ number }} of {{ amount_due }} is due on {{ due_date|date('long') }}.",
            "You have {{ count }} bills that are due soon, {{ total }} in all:",
        ),
    },
    "bill_due_today": {
        "pt-BR": _portuguese(
            "Sua fatura vence hoje",
            "Sua fatura {{ number }}, de {{ amount_due }}, vence hoje.",
            "Você tem {{ count }} faturas a pagar, no total de {{ total }}:",
        ),
        "en": _english(
            "Your bill is due today",
            "Your bill {{ number }} of {{ amount_due }} is due today.",
            "You have {{ count }} bills to pay, {{ total }} in all:",
        ),
    },
    "bill_overdue": {
        "pt-BR": _portuguese(
            "Sua fatura está em aberto",
            "Ainda não recebemos o pagamento da fatura {{ number }}, de {{ amount_due }}, que venceu em "
            "{{ due_date|date('long') }}. Podemos ajudar?",
            "Ainda não recebemos o pagamento de {{ count }} faturas, no total de {{ total }}:",
        ),
        "en": _english(
            "Your bill is still open",
            "We have not received the payment of your bill {{ number }} of {{ amount_due }}, which was due on "
            "{{ due_date|date('long') }}. Can we help?",
            "We have not received the payment of {{ count }} bills, {{ total }} in all:",
        ),
    },
}
_SHORT = {
    "pt-BR": (
        "{{ organization }}: {% if count > 1 %}{{ count }} faturas, {{ total }}{% else %}fatura {{ number }}, "
        "{{ amount_due }}, venc. {{ due_date|date('short') }}{% endif %}."
        "{% if payment_url and count == 1 %} Pagar: {{ payment_url }}{% endif %} Sair: {{ preferences_url }}"
    ),
    "en": (
        "{{ organization }}: {% if count > 1 %}{{ count }} bills, {{ total }}{% else %}bill {{ number }}, "
        "{{ amount_due }}, due {{ due_date|date('short') }}{% endif %}."
        "{% if payment_url and count == 1 %} Pay: {{ payment_url }}{% endif %} Stop: {{ preferences_url }}"
    ),
}
SHORT = "bill_short"
# WhatsApp takes no empty words, and has its own text around them.
_AT_WHATSAPP = [
    {
        "type": "body",
        "parameters": [
            {"type": "text", "text": "{% if name %}{{ name }}{% else %}{{ organization }}{% endif %}"},
            {"type": "text", "text": "{% if count > 1 %}{{ count }}{% else %}{{ number }}{% endif %}"},
            {"type": "text", "text": "{{ total }}"},
            {"type": "text", "text": "{{ due_date|date('long') }}"},
        ],
    }
]
RULES: tuple[dict[str, Any], ...] = (
    {"offset": -10, "template": "bill_coming"},
    {"offset": -3, "template": "bill_coming"},
    {"offset": 0, "template": "bill_due_today"},
    {"anchor": Anchor.OVERDUE, "offset": 1, "template": "bill_overdue"},
    {"anchor": Anchor.OVERDUE, "offset": 5, "template": "bill_overdue"},
    {"anchor": Anchor.OVERDUE, "offset": 10, "template": "bill_overdue", "repeat_every": 7, "repeat_until": 60},
)


@transaction.atomic
def add(principal: Principal, accounts: Sequence[UUID], name: str = "") -> ReminderPolicy:
    """A draft: 10 and 3 days before, on the day, 1, 5 and 10 days after, then each week up to the 60th."""
    add_templates(principal)
    rules = [WantedRule({"anchor": Anchor.DUE, "channel_templates": {"sms": SHORT}} | rule) for rule in RULES]
    return policies.add(principal, rules, name=name or _("Usual reminders"), accounts=list(accounts))


def add_templates(principal: Principal) -> list[str]:
    """Those that the organization has not got; the names of what was added."""
    names = {*_TEXTS, SHORT}
    known = set(
        Template.objects.for_organization(principal.organization)
        .filter(name__in=names)
        .values_list("name", flat=True)
    )
    for added in sorted(names - known):
        draft = versions.create(
            principal, name=added, category=Category.BILLING, variables=VARIABLES, texts=list(_texts(added))
        )
        versions.publish(principal, draft)
    return sorted(names - known)


def _texts(name: str) -> Iterable[TemplateText]:
    if name == SHORT:
        for language, body in _SHORT.items():
            yield TemplateText(language=language, subject="", body=body)
        return
    for language, words in _TEXTS[name].items():
        yield TemplateText(
            language=language,
            subject=words.subject,
            body=words.body,
            whatsapp_name=name,
            whatsapp_language=language.replace("-", "_"),
            whatsapp_components=_AT_WHATSAPP,
        )
