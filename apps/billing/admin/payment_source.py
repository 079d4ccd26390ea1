from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from apps.accounts.acting import principal_for
from apps.accounts.admin.base import TenantAdmin
from apps.accounts.principal import Principal
from apps.accounts.roles import Scope
from apps.billing import payment_sources
from apps.billing.api.readers import url_of
from apps.billing.models import PaymentSource


@admin.register(PaymentSource)
class PaymentSourceAdmin(TenantAdmin[PaymentSource]):
    """A secret is on one page, once."""

    read_scope = Scope.INVOICES_WRITE
    write_scope = Scope.INVOICES_WRITE
    list_display = ["name", "url", "created_at"]
    ordering = ["name"]
    actions_detail = ["rotate_secret"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentSource]:
        return super().get_queryset(request).defer("secret")

    def get_fields(self, request: HttpRequest, obj: PaymentSource | None = None) -> list[str]:
        fields = ["organization", "name", *self.get_readonly_fields(request, obj)]
        return [name for name in fields if name not in self.get_exclude(request, obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: PaymentSource | None = None) -> list[str]:
        return ["url", "created_at"] if obj else []

    def save_for(
        self, principal: Principal, obj: PaymentSource, form: forms.ModelForm[PaymentSource], *, change: bool
    ) -> None:
        name = form.cleaned_data["name"]
        if change:
            saved = payment_sources.rename(principal, obj, name=name)
        else:
            saved, secret = payment_sources.add(principal, name=name)
            obj.shown_once = secret  # type: ignore[attr-defined]
        obj.__dict__.update(saved.__dict__)

    def delete_for(self, principal: Principal, obj: PaymentSource) -> None:
        payment_sources.remove(principal, obj)

    def response_add(
        self, request: HttpRequest, obj: PaymentSource, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._show_once(request, obj, obj.shown_once)  # type: ignore[attr-defined]

    @action(description=gettext_lazy("New secret"), permissions=["write"], url_path="rotate")
    def rotate_secret(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        source = self.get_one(request, object_id)
        if request.method == "POST":
            principal = principal_for(request, source.organization)
            return self._show_once(request, *payment_sources.rotate_secret(principal, source))
        explanation = _("A new secret is made and shown once. What the old one signs is refused at once.")
        return self.confirm(request, source, _("New secret"), explanation, variant="primary")

    def _show_once(self, request: HttpRequest, source: PaymentSource, secret: str) -> HttpResponse:
        return self.show_once(
            request,
            title=source.name,
            label=_("Secret"),
            text=secret,
            explanation=_(
                "This is the only time that the secret is shown. Copy it now to the system that tells of "
                "payments; it calls %(url)s."
            )
            % {"url": url_of(source)},
            back=self.address_of(source),
        )

    @admin.display(description=gettext_lazy("address"))
    def url(self, source: PaymentSource) -> str:
        return url_of(source)
