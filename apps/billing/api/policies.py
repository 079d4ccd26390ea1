"""Reminder policies: who is reminded when, over which channels, in which words."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.accounts.tenancy import TenantModel
from apps.billing import dry_run, policies, preview, results
from apps.billing.api.policy_bodies import PolicyBody, RemindersPreviewBody, ResultsQuery, wanted_rules
from apps.billing.api.policy_readers import PolicyReader, RemindersPreviewReader, ResultsReader
from apps.billing.models import Invoice, ReminderPolicy
from apps.messaging.models import Contact


class PolicyView(TenantView[ReminderPolicy]):
    model = ReminderPolicy
    reader = PolicyReader

    def get_queryset(self) -> QuerySet[ReminderPolicy]:
        return super().get_queryset().select_related("organization").prefetch_related("rules")

    def shown(self, policy: ReminderPolicy, status: int = 200) -> Response:
        """Read anew: with its rules as they are now."""
        return Response(PolicyReader(self.get_object(policy.pk)).data, status=status)

    def wanted(self, request: Request, policy: ReminderPolicy | None = None) -> dict[str, Any]:
        body = PolicyBody(data=request.data, partial=policy is not None)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        if "rules" in values:
            values["rules"] = wanted_rules(values["rules"], policy)
        return values


class PoliciesView(PolicyView):
    scopes = {"GET": Scope.INVOICES_READ, "POST": Scope.POLICIES_WRITE}

    @extend_schema(responses=PolicyReader(many=True), operation_id="reminder_policies_list")
    def get(self, request: Request) -> Response:
        """All reminder policies, newest first."""
        return self.page(request)

    @extend_schema(request=PolicyBody, responses={201: PolicyReader}, operation_id="reminder_policies_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Write a policy. It is a draft: nobody is reminded before it goes live. 409 `name_taken`."""
        return self.shown(policies.add(self.principal, **self.wanted(request)), status=201)


class OnePolicyView(PolicyView):
    scopes = {"GET": Scope.INVOICES_READ, "PATCH": Scope.POLICIES_WRITE, "DELETE": Scope.POLICIES_WRITE}

    @extend_schema(responses=PolicyReader, operation_id="reminder_policies_retrieve")
    def get(self, request: Request, policy_id: UUID) -> Response:
        """One reminder policy."""
        return Response(PolicyReader(self.get_object(policy_id)).data)

    @extend_schema(
        request=PolicyBody(partial=True), responses=PolicyReader, operation_id="reminder_policies_update"
    )
    def patch(self, request: Request, policy_id: UUID) -> Response:
        """Change a policy. `rules`, where given, are all of them, each in full: name those that stay by their ids.

        Of a live one everything that was not sent yet is planned anew. 409 `name_taken`.
        """
        policy = self.get_object(policy_id)
        return self.shown(policies.change(self.principal, policy, **self.wanted(request, policy)))

    @extend_schema(responses={204: None}, operation_id="reminder_policies_destroy")
    def delete(self, request: Request, policy_id: UUID) -> Response:
        """Remove a policy. What it waits to send is not sent; what it sent stays written down."""
        policies.remove(self.principal, self.get_object(policy_id))
        return Response(status=204)


class GoLiveView(PolicyView):
    scopes = {"POST": Scope.POLICIES_WRITE}

    @extend_schema(request=None, responses=PolicyReader, operation_id="reminder_policies_go_live")
    def post(self, request: Request, policy_id: UUID) -> Response:
        """Remind people from now on. What was to be said before is not said any more."""
        return self.shown(policies.go_live(self.principal, self.get_object(policy_id)))


class StopView(PolicyView):
    scopes = {"POST": Scope.POLICIES_WRITE}

    @extend_schema(request=None, responses=PolicyReader, operation_id="reminder_policies_stop")
    def post(self, request: Request, policy_id: UUID) -> Response:
        """Remind nobody any more; also what waits to be sent is not sent."""
        return self.shown(policies.stop(self.principal, self.get_object(policy_id)))


class PolicyResultsView(PolicyView):
    scopes = {"GET": Scope.INVOICES_READ}

    @extend_schema(parameters=[ResultsQuery], responses=ResultsReader, operation_id="reminder_policies_results")
    def get(self, request: Request, policy_id: UUID) -> Response:
        """What it sent in the last days, what became of that, and how many paid soon after."""
        policy = self.get_object(policy_id)
        days = ResultsQuery.read(request).get("days", results.DAYS)
        return Response(ResultsReader(results.of_policy(policy, days)).data)


class PolicyPreviewView(PolicyView):
    scopes = {"POST": Scope.INVOICES_READ}

    @extend_schema(
        request=RemindersPreviewBody, responses=RemindersPreviewReader, operation_id="reminder_policies_preview"
    )
    def post(self, request: Request, policy_id: UUID) -> Response:
        """What it would send, as if it went live now where it is not: nothing is sent, nothing is written.

        Of an invoice or a customer: when, over which channels and in which words, or why not. Of neither: how
        many messages by day and channel, over the unpaid invoices.
        """
        policy = self.get_object(policy_id)
        body = RemindersPreviewBody(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        organization = self.principal.organization
        days = wanted.get("days", preview.DAYS)
        found: Any
        if "invoice_id" in wanted:
            invoices = Invoice.objects.for_organization(organization)
            found = preview.of_invoice(_found(invoices, wanted["invoice_id"]), policy, days)
        elif "contact_id" in wanted:
            contacts = Contact.objects.for_organization(organization)
            found = preview.of_customer(_found(contacts, wanted["contact_id"]), policy, days)
        else:
            found = dry_run.of_policy(policy, wanted.get("days", dry_run.DAYS))
        return Response(RemindersPreviewReader(found).data)


def _found[M: TenantModel](those: QuerySet[M], pk: UUID) -> M:
    found = those.filter(pk=pk).first()
    if found is None:
        raise NotFound
    return found


class InvoicePreviewView(TenantView[Invoice]):
    model = Invoice
    scopes = {"GET": Scope.INVOICES_READ}

    @extend_schema(responses=RemindersPreviewReader, operation_id="invoices_reminders_preview")
    def get(self, request: Request, invoice_id: UUID) -> Response:
        """What will be sent of an invoice in the next days, by the policies that are live; or why not."""
        return Response(RemindersPreviewReader(preview.of_invoice(self.get_object(invoice_id))).data)
