"""Registration flows: what people are asked, over which accounts, and how far they come."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.registration import flows, funnel
from apps.registration.api.flow_bodies import DefinitionBody, FlowBody, FunnelQuery
from apps.registration.api.flow_readers import FlowReader, FunnelReader, ListedFlowReader
from apps.registration.models import RegistrationFlow


class FlowView(TenantView[RegistrationFlow]):
    model = RegistrationFlow
    reader = ListedFlowReader

    def get_queryset(self) -> QuerySet[RegistrationFlow]:
        return super().get_queryset().select_related("published")

    def shown(self, flow: RegistrationFlow, status: int = 200) -> Response:
        """Read anew, with what is published now."""
        return Response(FlowReader(self.get_object(flow.pk)).data, status=status)

    def wanted(self, request: Request, *, partial: bool = False) -> dict[str, Any]:
        body = FlowBody(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)


class FlowsView(FlowView):
    scopes = {"GET": Scope.REGISTRATIONS_READ, "POST": Scope.FLOWS_WRITE}

    def get_queryset(self) -> QuerySet[RegistrationFlow]:
        if self.request.method == "GET":
            return super().get_queryset().defer("published__definition")
        return super().get_queryset()

    @extend_schema(responses=ListedFlowReader(many=True), operation_id="registration_flows_list")
    def get(self, request: Request) -> Response:
        """All registration flows, newest first, without their questions and texts."""
        return self.page(request)

    @extend_schema(request=FlowBody, responses={201: FlowReader}, operation_id="registration_flows_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Add a flow. It asks nothing before its questions are published and it goes live. 409 `name_taken`."""
        return self.shown(flows.add(self.principal, **self.wanted(request)), status=201)


class OneFlowView(FlowView):
    scopes = {"GET": Scope.REGISTRATIONS_READ, "PATCH": Scope.FLOWS_WRITE, "DELETE": Scope.FLOWS_WRITE}

    @extend_schema(responses=FlowReader, operation_id="registration_flows_retrieve")
    def get(self, request: Request, flow_id: UUID) -> Response:
        """One registration flow, with the questions and texts of its published version."""
        return Response(FlowReader(self.get_object(flow_id)).data)

    @extend_schema(request=FlowBody(partial=True), responses=FlowReader, operation_id="registration_flows_update")
    def patch(self, request: Request, flow_id: UUID) -> Response:
        """Change a flow; what is left out stays. Its questions are published instead. 409 `name_taken`."""
        flow = self.get_object(flow_id)
        return self.shown(flows.change(self.principal, flow, **self.wanted(request, partial=True)))

    @extend_schema(responses={204: None}, operation_id="registration_flows_destroy")
    def delete(self, request: Request, flow_id: UUID) -> Response:
        """Remove a flow by which nobody registered; another one can be stopped: 409 `in_use`."""
        flows.remove(self.principal, self.get_object(flow_id))
        return Response(status=204)


class PublishFlowView(FlowView):
    scopes = {"POST": Scope.FLOWS_WRITE}

    @extend_schema(request=DefinitionBody, responses={201: FlowReader}, operation_id="registration_flows_publish")
    @idempotent
    def post(self, request: Request, flow_id: UUID) -> Response:
        """Publish questions and texts as the next version. Who is in the middle of it goes on as they began."""
        flow = self.get_object(flow_id)
        flows.publish(self.principal, flow, request.data)
        return self.shown(flow, status=201)


class FlowGoLiveView(FlowView):
    scopes = {"POST": Scope.FLOWS_WRITE}

    @extend_schema(request=None, responses=FlowReader, operation_id="registration_flows_go_live")
    def post(self, request: Request, flow_id: UUID) -> Response:
        """From now on people can start it. 409 `not_published` before its questions are."""
        return self.shown(flows.go_live(self.principal, self.get_object(flow_id)))


class StopFlowView(FlowView):
    scopes = {"POST": Scope.FLOWS_WRITE}

    @extend_schema(request=None, responses=FlowReader, operation_id="registration_flows_stop")
    def post(self, request: Request, flow_id: UUID) -> Response:
        """Nobody starts it any more; who is in the middle of it goes on."""
        return self.shown(flows.stop(self.principal, self.get_object(flow_id)))


class FlowFunnelView(FlowView):
    scopes = {"GET": Scope.REGISTRATIONS_READ}

    def get_queryset(self) -> QuerySet[RegistrationFlow]:
        return super().get_queryset().select_related("organization")

    @extend_schema(parameters=[FunnelQuery], responses=FunnelReader, operation_id="registration_flows_funnel")
    def get(self, request: Request, flow_id: UUID) -> Response:
        """Of those who started it in the last days: how far they came, how it ended, and where they left."""
        flow = self.get_object(flow_id)
        days = FunnelQuery.read(request).get("days", funnel.DAYS)
        return Response(FunnelReader(funnel.of_flow(flow, days)).data)
