"""Forms about reminder policies: what a person can type in the place of lists, ids and JSON."""

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError as FormError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.accounts.models import Organization
from apps.billing.admin.quiet_lines import QuietHoursField
from apps.billing.models import ReminderPolicy, ReminderRule
from apps.billing.policies import OF_A_RULE, WantedRule
from apps.billing.policy_checks import MOST_ACCOUNTS, check
from apps.billing.rule_words import in_words
from apps.channels.models import ChannelAccount
from apps.messaging.models import Template

ACCOUNT_FIELDS = [f"account_{n}" for n in range(1, MOST_ACCOUNTS + 1)]
OWN_FIELDS = [
    "name", "position", "delivered_within", "send_at", "days_off", "quiet_hours", "most_a_day", "most_a_week",
    "joins_invoices", "late", "least_amount", "most_amount", "tags", "except_tags", "customers", "result_days",
]  # fmt: skip
_BEFORE, _AFTER = "before", "after"


def _account(n: int) -> forms.ChoiceField:
    label = gettext_lazy("First over") if n == 1 else gettext_lazy("then over")
    return forms.ChoiceField(label=label, required=n == 1, widget=UnfoldAdminSelectWidget())


def _mistakes(policy: ReminderPolicy, rules: list[ReminderRule]) -> Iterator[tuple[str, str]]:
    """What the API refuses, with where it is."""
    try:
        check(policy, rules)
    except ValidationError as refused:
        details = refused.detail if isinstance(refused.detail, dict) else {}
        for pointer, errors in details.items():
            for error in errors:
                yield str(pointer), str(error)


class PolicyForm(forms.ModelForm[ReminderPolicy]):
    # Whose it is, where the form does not ask; set by the admin.
    acting_organization: ClassVar[Organization | None] = None

    account_1, account_2, account_3 = _account(1), _account(2), _account(3)
    account_4, account_5, account_6 = _account(4), _account(5), _account(6)
    quiet_hours = QuietHoursField(
        label=gettext_lazy("Hours in which messages may go"),
        required=False,
        help_text=gettext_lazy(
            "One line for each channel and state (* for all), such as “sms SP = 08:00-20:00; 08:00-14:00; never”: "
            "on weekdays, Saturdays, and Sundays and holidays. Empty: the usual hours."
        ),
    )

    class Meta:
        model = ReminderPolicy
        fields = ["organization", *OWN_FIELDS]
        widgets = {
            "tags": UnfoldAdminTextInputWidget(),
            "except_tags": UnfoldAdminTextInputWidget(),
            "customers": UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        }
        help_texts = {
            "position": gettext_lazy(
                "An invoice follows the first policy that it fits; the lowest is asked first."
            ),
            "delivered_within": gettext_lazy(
                "Empty: the next channel is tried only where the one before failed. 60 to 86400."
            ),
            "send_at": gettext_lazy("By the customer's own clock."),
            "joins_invoices": gettext_lazy("What is due together for a customer goes in one message."),
            "tags": gettext_lazy("With commas between them. Empty: all invoices."),
            "except_tags": gettext_lazy("With commas between them."),
            "customers": gettext_lazy("Ids of contacts, with commas between them. Empty: everybody."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organization = self.acting_organization or (
            None if self.instance._state.adding else self.instance.organization
        )
        accounts = (
            ChannelAccount.across_organizations.order_by("name")
            if organization is None
            else ChannelAccount.objects.for_organization(organization).order_by("name")
        )
        choices = [("", "–"), *((str(account.pk), str(account)) for account in accounts[:1000])]
        chosen = [str(account_id) for account_id in self.instance.accounts]
        for name, account_id in zip(ACCOUNT_FIELDS, [*chosen, *[""] * MOST_ACCOUNTS], strict=False):
            field = self.fields.get(name)
            if isinstance(field, forms.ChoiceField):
                field.choices = choices
                self.initial[name] = account_id

    def clean(self) -> dict[str, Any]:
        """What the API refuses is said at its field; what it says of rules, at theirs."""
        cleaned = super().clean() or {}
        cleaned["accounts"] = [UUID(cleaned[name]) for name in ACCOUNT_FIELDS if cleaned.get(name)]
        self.instance.accounts = cleaned["accounts"]
        organization = cleaned.get("organization") or self.acting_organization
        if organization is not None and self.instance._state.adding:
            self.instance.organization = organization
        if not self.errors:
            values = {name: cleaned[name] for name in OWN_FIELDS}
            wanted = ReminderPolicy(
                organization=self.instance.organization, accounts=cleaned["accounts"], **values
            )
            others = ReminderPolicy.objects.for_organization(wanted.organization).exclude(pk=self.instance.pk)
            if others.filter(name=wanted.name).exists():
                self.add_error("name", _("Another policy has this name."))
            for pointer, detail in _mistakes(wanted, []):
                field = pointer.split("/", maxsplit=1)[0]
                if field == "accounts":
                    self.add_error(ACCOUNT_FIELDS[0], detail)
                elif field != "rules":
                    self.add_error(field if field in self.fields else None, detail)
        return cleaned

    @property
    def values(self) -> dict[str, Any]:
        """As policies.py takes them."""
        return {name: self.cleaned_data[name] for name in (*OWN_FIELDS, "accounts")}


class RuleForm(forms.ModelForm[ReminderRule]):
    count = forms.IntegerField(
        label=gettext_lazy("How many"),
        min_value=0,
        max_value=32_767,
        initial=0,
        help_text=gettext_lazy("0: the very moment."),
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    side = forms.ChoiceField(
        label=gettext_lazy("before or after"),
        choices=[(_BEFORE, gettext_lazy("before")), (_AFTER, gettext_lazy("after"))],
        widget=UnfoldAdminSelectWidget(),
    )
    template = forms.ChoiceField(label=gettext_lazy("Template"), widget=UnfoldAdminSelectWidget())
    channel_templates = forms.CharField(
        label=gettext_lazy("Other words on some channels"),
        required=False,
        help_text=gettext_lazy("One a line, such as “sms = bill_short”."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2, "spellcheck": "false"}),
    )

    class Meta:
        model = ReminderRule
        fields = ["unit", "anchor", "repeat_every", "repeat_until"]
        help_texts = {
            "repeat_every": gettext_lazy("Empty: only once."),
            "repeat_until": gettext_lazy("So many days or hours after; before, where negative."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rule = self.instance
        self.initial.setdefault("count", abs(rule.offset))
        self.initial.setdefault("side", _AFTER if rule.offset > 0 else _BEFORE)
        self.initial["channel_templates"] = "\n".join(
            f"{connector} = {name}" for connector, name in rule.channel_templates.items()
        )
        if not rule._state.adding:
            self.initial["template"] = rule.template

    def _get_validation_exclusions(self) -> set[str]:
        """What the table would refuse, the check of the formset says in better words."""
        return {*super()._get_validation_exclusions(), "repeat_until"}  # type: ignore[misc] # its stubs do not know it

    def clean_channel_templates(self) -> dict[str, str]:
        found = {}
        for line in self.cleaned_data["channel_templates"].splitlines():
            connector, equals, name = line.partition("=")
            if equals:
                found[connector.strip()] = name.strip()
            elif line.strip():
                raise FormError(_("“%(line)s” is not understood. Write channel = template.") % {"line": line[:80]})
        return found

    @property
    def rule(self) -> WantedRule:
        said = self.cleaned_data
        values = {name: said[name] for name in OF_A_RULE if name != "offset"}
        values["offset"] = -said["count"] if said["side"] == _BEFORE else said["count"]
        return WantedRule(values, None if self.instance._state.adding else self.instance.pk)

    def say(self, field: str, detail: str) -> None:
        """An error of the rule, at the field that it is about."""
        name = {"offset": "count"}.get(field, field)
        self.add_error(name if name in self.fields else None, detail)


class RuleFormSet(forms.BaseInlineFormSet[ReminderRule, ReminderPolicy, RuleForm]):
    # Names of templates to choose from; set by the admin.
    templates: ClassVar[list[str]] = []

    def add_fields(self, form: RuleForm, index: int | None) -> None:
        super().add_fields(form, index)
        if not form.instance._state.adding:
            # What the page's template asks for.
            form.instance.get_inline_title = in_words(form.instance)  # type: ignore[attr-defined]
        field = form.fields["template"]
        assert isinstance(field, forms.ChoiceField)
        known = {*self.templates, *([form.instance.template] if form.instance.template else [])}
        field.choices = [("", "–"), *((name, name) for name in sorted(known))]

    @property
    def kept(self) -> list[RuleForm]:
        """Of those on the page, what stays or is new."""
        return [form for form in self.forms if self._is_used(form) and not self._is_deleted(form)]

    def _is_used(self, form: RuleForm) -> bool:
        return form.has_changed() or not form.instance._state.adding

    def _is_deleted(self, form: RuleForm) -> bool:
        return bool(self._should_delete_form(form))  # type: ignore[attr-defined] # its stubs do not know it

    def clean(self) -> None:
        """What the API refuses is said at its field."""
        super().clean()
        kept = self.kept
        if any(form.errors for form in kept) or not hasattr(self.instance, "organization"):
            return
        rules = [ReminderRule(policy=self.instance, **form.rule.values) for form in kept]
        for pointer, detail in _mistakes(self.instance, rules):
            place, *rest = pointer.split("/")
            if place != "rules":
                continue
            if not rest:
                raise FormError(detail)
            kept[int(rest[0])].say(rest[1] if len(rest) > 1 else "", detail)


def templates_of(organization: Organization | None) -> list[str]:
    """That can be sent."""
    found = (
        Template.across_organizations.all()
        if organization is None
        else Template.objects.for_organization(organization)
    )
    names = found.filter(archived_at=None, published__isnull=False).order_by("name")
    return sorted(set(names.values_list("name", flat=True)[:1000]))
