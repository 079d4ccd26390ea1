"""The questions of a flow as rows of a form: they are no rows of a table, but parts of what is published."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.registration import definition
from apps.registration.admin import flow_document
from apps.registration.admin.flow_document import LANGUAGES, Document, in_language
from apps.registration.default_texts import CONSENT
from apps.registration.definition import LONGEST_TEXT, BadDefinition
from apps.registration.kinds import Kind
from apps.registration.models import FlowVersion, RegistrationFlow

STEP = 10
# What most begin with.
USUAL: list[Document] = [{"kind": Kind.NAME}, {"kind": Kind.EMAIL}, {"kind": Kind.PHONE}]
_USUAL_WORDS = gettext_lazy("Empty: the usual words.")


def _text(label: Any, ending: str) -> forms.CharField:
    return forms.CharField(
        label=in_language(label, ending),
        required=False,
        max_length=LONGEST_TEXT,
        help_text=_USUAL_WORDS,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


def _name(ending: str) -> forms.CharField:
    return forms.CharField(
        label=in_language(gettext_lazy("Called in the summary"), ending),
        required=False,
        max_length=LONGEST_TEXT,
        help_text=_USUAL_WORDS,
        widget=UnfoldAdminTextInputWidget(),
    )


class QuestionForm(forms.ModelForm[FlowVersion]):
    kind = forms.ChoiceField(
        label=gettext_lazy("What is asked for"),
        choices=[("", "–"), *Kind.choices],
        widget=UnfoldAdminSelectWidget(),
    )
    key = forms.CharField(
        label=gettext_lazy("Name for programs"),
        required=False,
        max_length=40,
        help_text=gettext_lazy("Empty: as its kind is called. A free question needs one, such as shoe_size."),
        widget=UnfoldAdminTextInputWidget(attrs={"spellcheck": "false", "autocapitalize": "none"}),
    )
    order = forms.IntegerField(
        label=gettext_lazy("Order"),
        required=False,
        help_text=gettext_lazy("The lowest is asked first; without one, the last."),
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    required = forms.BooleanField(
        label=gettext_lazy("Has to be answered"), required=False, initial=True, widget=UnfoldBooleanSwitchWidget()
    )
    left_out = forms.BooleanField(
        label=gettext_lazy("Ask this no more"), required=False, widget=UnfoldBooleanSwitchWidget()
    )
    ask_pt, ask_en = (_text(gettext_lazy("Question"), ending) for ending in LANGUAGES)
    help_pt, help_en = (_text(gettext_lazy("Help"), ending) for ending in LANGUAGES)
    label_pt, label_en = (_name(ending) for ending in LANGUAGES)

    class Meta:
        model = FlowVersion
        fields: list[str] = []

    def has_changed(self) -> bool:
        """A row that is left out is as good as an empty one."""
        return not self["left_out"].data and super().has_changed()

    @property
    def title(self) -> str:
        """To what the page folds it; a row that is still empty has none."""
        kind, key = self["kind"].value(), self["key"].value()
        called = str(Kind(kind).label) if kind in Kind.values else ""
        return f"{called}: {key}" if called and key else called

    def say(self, field: str, bad: BadDefinition) -> None:
        """A mistake of the question, at the field that it is about."""
        name, _slash, language = field.partition("/")
        ending = next((ending for ending, each in LANGUAGES.items() if each == language), "")
        at, detail = f"{name}_{ending}" if ending else name, bad.detail
        if bad.code == "unknown" and ending:
            # Also of what is folded away on the page.
            at = f"ask_{ending}"
            detail = _("Say in this language too what people agree to, or leave this empty.")
        self.add_error(at if at in self.fields else None, detail)


class QuestionRows(forms.BaseInlineFormSet[FlowVersion, RegistrationFlow, QuestionForm]):
    @property
    def kept(self) -> list[QuestionForm]:
        """Those that are filled in, in the order in which they are asked."""
        return sorted((form for form in self.forms if form.has_changed()), key=_order)

    @property
    def questions(self) -> list[Document]:
        return [flow_document.question_from_fields(form.cleaned_data, self._previous) for form in self.kept]

    def clean(self) -> None:
        """What the API refuses is said at its field. What it says of texts, the form above these rows says."""
        kept = self.kept
        texts = {language: {CONSENT: "…"} for language in flow_document.texts_from_fields(self.data)}
        if any(form.errors for form in kept) or not texts:
            return
        try:
            definition.read(flow_document.document_of(self._previous, texts, self.questions))
        except BadDefinition as bad:
            _place, *rest = bad.pointer.split("/", 2)
            if not rest:
                raise forms.ValidationError(bad.detail) from None
            kept[int(rest[0])].say(rest[1] if len(rest) > 1 else "", bad)

    @property
    def _previous(self) -> Document | None:
        published = self.instance.published
        return published.definition if published else None


def in_rows(document: Document | None) -> list[dict[str, Any]]:
    """To begin the form with."""
    questions = document["questions"] if document else USUAL
    return [
        {**flow_document.question_in_fields(question), "order": n * STEP}
        for n, question in enumerate(questions, start=1)
    ]


def _order(form: QuestionForm) -> tuple[bool, int]:
    order = getattr(form, "cleaned_data", {}).get("order")
    return order is None, order or 0
