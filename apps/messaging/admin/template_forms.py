"""Forms about templates: what a person can type in the place of JSON."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import ValidationError
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.accounts.models import Organization
from apps.channels.content import MediaKind
from apps.messaging.api import content_bodies
from apps.messaging.api.values import Wrong
from apps.messaging.models import Template, TemplateText, TemplateVersion
from apps.messaging.wording.checks import check_version
from apps.messaging.wording.formats import normalized
from apps.messaging.wording.variables import Variable, VariableType
from apps.messaging.wording.versions import NameTaken


class TemplateForm(forms.ModelForm[Template]):
    # Whose it is, where the form does not ask; set by the admin.
    acting_organization: ClassVar[Organization | None] = None

    class Meta:
        model = Template
        fields = ["organization", "name", "category", "description"]

    def clean_category(self) -> str:
        try:
            return content_bodies.category(self.cleaned_data["category"])
        except Wrong as wrong:
            raise forms.ValidationError(wrong.detail) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        organization = cleaned.get("organization") or self.acting_organization
        if organization is not None and cleaned.get("name") and self.instance._state.adding:
            templates = Template.objects.for_organization(organization)
            if templates.filter(name=cleaned["name"]).exists():
                self.add_error("name", str(NameTaken.default_detail))
        return cleaned


class VariablesField(forms.CharField):
    """One variable a line: `total: money = 149.90 BRL`; a question mark behind the name makes it optional."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminTextareaWidget(attrs={"rows": 5, "spellcheck": "false"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else "\n".join(map(_as_line, value or ()))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def to_python(self, value: Any) -> Any:
        return [_from_line(line).as_document() for line in (value or "").splitlines() if line.strip()]


def _as_line(document: dict[str, Any]) -> str:
    variable = Variable.from_document(document)
    sample = str(variable.sample).lower() if isinstance(variable.sample, bool) else variable.sample
    return f"{variable.name}{'' if variable.is_required else '?'}: {variable.type} = {sample}"


def _from_line(line: str) -> Variable:
    named, colon, rest = line.partition(":")
    type_name, equals, sample = rest.partition("=")
    type_name, name = type_name.strip(), named.strip()
    if not colon or not equals or type_name not in set(VariableType):
        detail = _("“%(line)s” is no variable. Write name: type = sample. The types are %(types)s.")
        raise forms.ValidationError(detail % {"line": line.strip()[:80], "types": ", ".join(VariableType)})
    return Variable(
        name.removesuffix("?").strip(),
        VariableType(type_name),
        _sample(VariableType(type_name), sample.strip()),
        is_required=not name.endswith("?"),
    )


def _sample(variable_type: VariableType, text: str) -> str | int | float | bool:
    if variable_type is VariableType.BOOLEAN:
        return {"true": True, "false": False}.get(text.lower(), text)
    if variable_type is VariableType.NUMBER:
        try:
            return int(text) if text.lstrip("-").isdecimal() else float(text)
        except ValueError:
            return text
    return text


class VersionForm(forms.ModelForm[TemplateVersion]):
    variables = VariablesField(
        label=gettext_lazy("Variables"),
        required=False,
        help_text=gettext_lazy(
            "One a line, such as “total: money = 149.90 BRL”. With a question mark, “note?: text = Thanks”, it "
            "may be left out. Types: text, number, money, date, datetime, boolean, url. What stands behind the "
            "equals sign is shown in previews."
        ),
    )

    class Meta:
        model = TemplateVersion
        fields = ["variables"]

    @property
    def declared(self) -> list[Variable]:
        return [Variable.from_document(document) for document in self.cleaned_data["variables"]]

    def clean_variables(self) -> Any:
        documents = self.cleaned_data["variables"]
        declared = [Variable.from_document(document) for document in documents]
        try:
            check_version(declared, [])
        except ValidationError as refused:
            told = [f"{_place(pointer, declared)}: {detail}" for pointer, detail in _said(refused)]
            raise forms.ValidationError(told) from None
        return documents


def _place(pointer: str, declared: list[Variable]) -> str:
    parts = pointer.split("/")
    return declared[int(parts[1])].name if len(parts) > 1 else _("Variables")


def _said(refused: ValidationError) -> list[tuple[str, str]]:
    details = refused.detail if isinstance(refused.detail, dict) else {}
    return [(str(pointer), str(error)) for pointer, errors in details.items() for error in errors]


class TextForm(forms.ModelForm[TemplateText]):
    media_kind = forms.ChoiceField(
        label=gettext_lazy("Attachment"),
        choices=[("", "–"), *((kind.value, kind.value) for kind in MediaKind)],
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    media_url = forms.CharField(
        label=gettext_lazy("Where it lies"),
        required=False,
        max_length=content_bodies.LONGEST_URL,
        help_text=gettext_lazy("An https address that everybody can reach; variables may be in it."),
        widget=UnfoldAdminTextInputWidget(),
    )
    media_file_name = forms.CharField(
        label=gettext_lazy("File name"),
        required=False,
        max_length=content_bodies.LONGEST_FILE_NAME,
        widget=UnfoldAdminTextInputWidget(),
    )
    buttons = forms.CharField(
        label=gettext_lazy("Buttons"),
        required=False,
        help_text=gettext_lazy("One a line, such as “pay = Pay now”. What is before the equals sign comes back."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    class Meta:
        model = TemplateText
        fields = ["language", "subject", "body", "whatsapp_name", "whatsapp_language", "whatsapp_components"]
        help_texts = {
            "language": gettext_lazy(
                "Such as en or pt-BR. The first text is for everybody whose language is missing."
            ),
            "subject": gettext_lazy("Of e-mails; other channels leave it out."),
            "body": gettext_lazy("Variables like {{ name }} or {{ total|money }}; {% if note %}…{% endif %}."),
            "whatsapp_name": gettext_lazy("Of the template that WhatsApp approved, if there is one."),
            "whatsapp_language": gettext_lazy("Such as pt_BR; the text's, if left empty."),
            "whatsapp_components": gettext_lazy(
                "If left empty, the variables in order are the body's parameters."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Media may go without words.
        self.fields["body"].required = False
        self.fields["body"].widget.attrs["rows"] = 6
        self.fields["whatsapp_components"].widget.attrs["rows"] = 4
        content = self.instance.content or {}
        media = content.get("media") or {}
        self.initial.update({f"media_{name}": media.get(name, "") for name in ("kind", "url", "file_name")})
        self.initial["buttons"] = "\n".join(
            f"{each['id']} = {each['title']}" for each in content.get("buttons", ())
        )

    def clean_language(self) -> str:
        language: str = self.cleaned_data["language"]
        return normalized(language) or language

    def clean_whatsapp_components(self) -> Any:
        return self.cleaned_data["whatsapp_components"] or []

    def clean_buttons(self) -> list[dict[str, str]]:
        buttons = []
        for line in self.cleaned_data["buttons"].splitlines():
            button_id, equals, title = line.partition("=")
            if equals:
                buttons.append({"id": button_id.strip(), "title": title.strip()})
            elif line.strip():
                raise forms.ValidationError(
                    _("“%(line)s” is no button. Write id = title.") % {"line": line.strip()[:80]}
                )
        return buttons

    @property
    def text(self) -> TemplateText:
        """What was typed, as wording/versions.py takes it."""
        said = self.cleaned_data
        content: dict[str, Any] = {"buttons": said["buttons"]} if said["buttons"] else {}
        if said["media_kind"] or said["media_url"]:
            stored = (self.instance.content or {}).get("media") or {}
            content["media"] = {
                "kind": said["media_kind"],
                "url": said["media_url"],
                "file_name": said["media_file_name"],
                "media_type": stored.get("media_type", ""),
            }
        return TemplateText(
            language=said["language"],
            subject=said["subject"],
            body=said["body"],
            content=content,
            whatsapp_name=said["whatsapp_name"],
            whatsapp_language=said["whatsapp_language"],
            whatsapp_components=said["whatsapp_components"],
        )

    def say(self, field: str, detail: str) -> None:
        """An error of the text, at the field that it is about."""
        parts = field.split("/")
        by_field = {"media": "_".join(parts[:2]), "whatsapp": "_".join(parts[:2])}
        name = by_field.get(parts[0], parts[0])
        self.add_error(name if name in self.fields else None, detail)


class TextFormSet(forms.BaseInlineFormSet[TemplateText, TemplateVersion, TextForm]):
    @property
    def kept(self) -> list[TextForm]:
        """Of those on the page, what stays or is new."""
        return [form for form in self.forms if self._is_used(form) and not self._is_deleted(form)]

    def _is_used(self, form: TextForm) -> bool:
        return form.has_changed() or not form.instance._state.adding

    def _is_deleted(self, form: TextForm) -> bool:
        return bool(self._should_delete_form(form))  # type: ignore[attr-defined] # its stubs do not know it

    def clean(self) -> None:
        """What the API refuses is said at its field."""
        super().clean()
        kept = self.kept
        if any(form.errors for form in kept):
            return
        declared = [Variable.from_document(document) for document in self.instance.variables]
        try:
            check_version(declared, [form.text for form in kept])
        except ValidationError as refused:
            for pointer, detail in _said(refused):
                place, number, *field = pointer.split("/", 2)
                if place == "texts" and field:
                    kept[int(number)].say(field[0], detail)
                else:
                    raise forms.ValidationError(detail) from None
