"""The form of a registration flow: choices in the place of ids, and what it says in the place of JSON."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.accounts.models import Organization
from apps.channels.models import ChannelAccount
from apps.channels.registry import connector_class
from apps.registration import default_texts, definition, flows
from apps.registration.admin import flow_document
from apps.registration.admin.flow_document import LANGUAGES, TEXTS, in_language
from apps.registration.definition import LONGEST_TEXT, BadDefinition
from apps.registration.kinds import Kind
from apps.registration.models import RegistrationFlow

OWN_FIELDS = [
    "name", "position", "keywords", "starts_by_intent", "remind_after", "close_after", "redact_after", "keep_days",
    "told_at",
]  # fmt: skip
_MOST_ACCOUNTS_SHOWN = 1000
_WEBHOOK = "webhook"


class FlowForm(forms.ModelForm[RegistrationFlow]):
    # Whose it is, where the form does not ask; set by the admin.
    acting_organization: ClassVar[Organization | None] = None

    accounts = forms.MultipleChoiceField(
        label=gettext_lazy("Channels"),
        required=False,
        help_text=gettext_lazy("Who writes there can start it. Without any, only applications start it."),
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    told_by = forms.ChoiceField(
        label=gettext_lazy("Webhook account that tells of it"), required=False, widget=UnfoldAdminSelectWidget()
    )

    class Meta:
        model = RegistrationFlow
        fields = ["organization", *OWN_FIELDS]
        widgets = {"keywords": UnfoldAdminTextInputWidget(), "told_at": UnfoldAdminTextInputWidget()}
        help_texts = {
            "position": gettext_lazy("Of several that a message could start, the lowest is asked first."),
            "keywords": gettext_lazy(
                "With commas between them. Each starts it where it is all that somebody writes."
            ),
            "redact_after": gettext_lazy(
                "After the end, what people wrote is made unreadable in their conversations. Empty: it stays."
            ),
            "keep_days": gettext_lazy(
                "After the last change, the person is erased from the vault. Empty: they stay."
            ),
            "told_at": gettext_lazy("Called with what was confirmed, signed by the account's secret."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        published = self.instance.published
        self.initial.update(flow_document.texts_in_fields(published.definition if published else None))
        self.initial["accounts"] = [str(account_id) for account_id in self.instance.accounts]
        self.initial["told_by"] = str(self.instance.told_by or "")
        accounts = list(self._accounts.order_by("name")[:_MOST_ACCOUNTS_SHOWN])
        self._offer("accounts", [each for each in accounts if _hears(each)])
        self._offer("told_by", [each for each in accounts if each.connector == _WEBHOOK], "–")

    def clean(self) -> dict[str, Any]:
        """What the API refuses is said at its field; what it says of questions, at theirs."""
        cleaned = super().clean() or {}
        organization = cleaned.get("organization") or self.acting_organization
        if organization is not None and self.instance._state.adding:
            self.instance.organization = organization
        cleaned["accounts"] = [UUID(each) for each in cleaned.get("accounts", ())]
        cleaned["told_by"] = UUID(cleaned["told_by"]) if cleaned.get("told_by") else None
        if not self.errors:
            for field, detail in (*self._mistakes(cleaned), *self._mistakes_of_texts()):
                self.add_error(field if field in self.fields else None, detail)
        return cleaned

    @property
    def values(self) -> dict[str, Any]:
        """As flows.py takes them."""
        return {name: self.cleaned_data[name] for name in (*OWN_FIELDS, "accounts", "told_by")}

    @property
    def texts(self) -> dict[str, dict[str, str]]:
        return flow_document.texts_from_fields(self.cleaned_data)

    def _mistakes(self, cleaned: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        values = {name: cleaned[name] for name in (*OWN_FIELDS, "accounts", "told_by")}
        wanted = RegistrationFlow(organization=self.instance.organization, **values)
        others = RegistrationFlow.objects.for_organization(wanted.organization).exclude(pk=self.instance.pk)
        if others.filter(name=wanted.name).exists():
            yield "name", str(flows.NameTaken.default_detail)
        try:
            flows.check(wanted)
        except ValidationError as refused:
            details = refused.detail if isinstance(refused.detail, dict) else {}
            for pointer, errors in details.items():
                for error in errors:
                    yield str(pointer).split("/", maxsplit=1)[0], str(error)

    def _mistakes_of_texts(self) -> Iterator[tuple[str, str]]:
        """The questions of the document stand below the form, and are looked at there."""
        texts = self.texts
        if not texts:
            yield f"{default_texts.CONSENT}_pt", _("Say it in at least one language.")
            return
        try:
            definition.read(flow_document.document_of(None, texts, [{"kind": Kind.NAME}]))
        except BadDefinition as bad:
            _place, language, name = bad.pointer.split("/")
            ending = next(ending for ending, each in LANGUAGES.items() if each == language)
            yield f"{name}_{ending}", bad.detail

    @property
    def _accounts(self) -> QuerySet[ChannelAccount]:
        organization = self.acting_organization or (
            None if self.instance._state.adding else self.instance.organization
        )
        if organization is None:
            return ChannelAccount.across_organizations.all()
        return ChannelAccount.objects.for_organization(organization)

    def _offer(self, name: str, accounts: list[ChannelAccount], nothing: str = "") -> None:
        field = self.fields.get(name)
        if isinstance(field, forms.ChoiceField):
            choices = [(str(account.pk), str(account)) for account in accounts]
            field.choices = [("", nothing), *choices] if nothing else choices


def _hears(account: ChannelAccount) -> bool:
    return connector_class(account.connector).capabilities.hears_replies


def _text_field(name: str, ending: str) -> forms.CharField:
    """Shows the usual words while there are none of the flow's own."""
    usual = default_texts.text(name, LANGUAGES[ending])
    return forms.CharField(
        label=in_language(TEXTS[name], ending),
        required=False,
        max_length=LONGEST_TEXT,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "placeholder": usual}),
    )


# Two fields for each text that a flow has.
FlowForm.declared_fields |= {
    f"{name}_{ending}": _text_field(name, ending) for name in TEXTS for ending in LANGUAGES
}
