"""Filters over tables that are too long to be searched, as fields of one form beside the list."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.admin import ListFilter, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.acting import ORGANIZATION, organizations_of
from apps.accounts.models import Organization
from apps.core.ids import first_id_of

SINCE, UNTIL = "since", "until"
MOST_CHOICES = 500


class SelectFilter(SimpleListFilter):
    """As one field of the form beside the list."""

    template = "accounts/admin/filter.html"
    parameter_name: str

    def choices(self, changelist: Any) -> Iterator[Any]:
        options = [("", _("any")), *((str(value), title) for value, title in self.lookup_choices)]
        field = forms.ChoiceField(
            label=self.title, choices=options, required=False, widget=UnfoldAdminSelectWidget()
        )
        yield {"form": _form({self.parameter_name: field}, {self.parameter_name: self.value() or ""})}

    def value(self) -> str | None:
        """What the form leaves empty is not asked for."""
        return super().value() or None


class TextFilter(SimpleListFilter):
    """What somebody writes, looked for whole."""

    template = "accounts/admin/filter.html"
    parameter_name: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("", "")]

    def choices(self, changelist: Any) -> Iterator[Any]:
        field = forms.CharField(label=self.title, required=False, widget=UnfoldAdminTextInputWidget())
        yield {"form": _form({self.parameter_name: field}, {self.parameter_name: self.value() or ""})}

    def value(self) -> str | None:
        said = (super().value() or "").strip()
        return said if said and "\0" not in said else None


class _Moment(UnfoldAdminTextInputWidget):  # type: ignore[misc]
    input_type = "datetime-local"

    def __init__(self) -> None:
        # To the millisecond, as the way further back has it.
        super().__init__({"step": "any"})


class TimeFilter(ListFilter):
    """From when until when: a range of ids, so that any time is found at once, however long ago."""

    title = gettext_lazy("time")
    parameter_name = SINCE
    names = (SINCE, UNTIL)
    template = "accounts/admin/filter.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if name in params:
                given = params.pop(name)
                self.used_parameters[name] = given[-1] if isinstance(given, list) else given

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def choices(self, changelist: Any) -> Iterator[Any]:
        fields = {
            SINCE: forms.CharField(label=_("From"), required=False, widget=_Moment()),
            UNTIL: forms.CharField(label=_("Until"), required=False, widget=_Moment(), help_text=_("In UTC.")),
        }
        yield {"form": _form(fields, {name: str(self.used_parameters.get(name, "")) for name in fields})}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**_range_of(self.used_parameters))


def asked_times(request: HttpRequest) -> dict[str, UUID]:
    """The same, for rows of another table that have the same ids."""
    return _range_of(request.GET)


def _range_of(said: Mapping[str, Any]) -> dict[str, UUID]:
    moments = {"pk__gte": _moment(str(said.get(SINCE, ""))), "pk__lt": _moment(str(said.get(UNTIL, "")))}
    return {lookup: first_id_of(moment) for lookup, moment in moments.items() if moment is not None}


def _moment(said: str) -> datetime | None:
    """Raises ValueError for what is none."""
    if not said:
        return None
    moment = parse_datetime(said)
    if moment is None:
        raise ValueError(said)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _form(fields: Mapping[str, forms.Field], values: Mapping[str, str]) -> forms.Form:
    form = forms.Form(initial=dict(values), auto_id="filter_%s")
    form.fields.update(fields)
    return form


class OrganizationFilter(SelectFilter):
    """For superusers. The one that is chosen is always among those that are offered."""

    title = gettext_lazy("organization")
    parameter_name = ORGANIZATION

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = organizations_of(request) if self.value() else []
        found = dict(Organization.objects.filter(pk__in=chosen).values_list("pk", "name"))
        found |= dict(Organization.objects.order_by("name").values_list("pk", "name")[:MOST_CHOICES])
        return [(str(pk), name) for pk, name in found.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset if self.value() is None else queryset.filter(organization=self.value())
