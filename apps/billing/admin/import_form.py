"""A file of invoices from somebody's computer, or one that was uploaded before."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget

from apps.accounts.models import Organization
from apps.billing.imports import LARGEST_BYTES
from apps.files.models import File

# As project.asgi lets in, less what stands around the file.
LARGEST_FORM = 8 * 1024 * 1024 - 64 * 1024
ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".json", ".jsonl", ".ndjson")
_MOST_LOOKED_AT = 200


class ImportForm(forms.Form):
    organization = forms.ModelChoiceField(
        queryset=Organization.objects.all(), label=gettext_lazy("Organization"), widget=UnfoldAdminSelectWidget()
    )
    upload = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        allow_empty_file=True,
        help_text=gettext_lazy("CSV, XLSX or JSON, up to 8 MB here. Larger ones are uploaded through the API."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ",".join(ENDINGS)}),
    )
    known = forms.ChoiceField(
        label=gettext_lazy("Or a file that was uploaded before"), required=False, widget=UnfoldAdminSelectWidget()
    )

    def __init__(self, organization: Organization | None, *given: Any) -> None:
        super().__init__(*given)
        if organization is None:
            # Whoever runs the installation says whose it is; what they uploaded before is not looked for.
            del self.fields["known"]
            return
        del self.fields["organization"]
        newest = File.objects.for_organization(organization).order_by("-id")[:_MOST_LOOKED_AT]
        known = self.fields["known"]
        assert isinstance(known, forms.ChoiceField)
        known.choices = [("", "–")] + [
            (str(file.pk), f"{file.name} ({filesizeformat(file.size)})")
            for file in newest
            if file.name.lower().endswith(ENDINGS) and file.size <= LARGEST_BYTES
        ]

    def clean_upload(self) -> UploadedFile[Any] | None:
        upload: UploadedFile[Any] | None = self.cleaned_data.get("upload")
        if upload is not None and (upload.size or 0) > LARGEST_FORM:
            raise forms.ValidationError(_("This file is larger than 8 MB. Upload it through the API."))
        return upload

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and bool(cleaned.get("upload")) == bool(cleaned.get("known")):
            raise forms.ValidationError(_("Choose one file."))
        return cleaned
