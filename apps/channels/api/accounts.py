"""Channel accounts: through what an organization reaches people."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.roles import Scope
from apps.channels import accounts
from apps.channels.api.bodies import ChannelAccountChange, NewChannelAccount, wanted
from apps.channels.api.reader import ChannelAccountReader
from apps.channels.models import ChannelAccount


class ChannelAccountView(TenantView[ChannelAccount]):
    model = ChannelAccount
    reader = ChannelAccountReader


class ChannelAccountsView(ChannelAccountView):
    scopes = {"GET": Scope.CHANNELS_READ, "POST": Scope.CHANNELS_WRITE}

    @extend_schema(responses=ChannelAccountReader(many=True), operation_id="channel_accounts_list")
    def get(self, request: Request) -> Response:
        """All channel accounts, newest first, without their secrets."""
        return self.page(request)

    @extend_schema(
        request=NewChannelAccount, responses={201: ChannelAccountReader}, operation_id="channel_accounts_create"
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Add an account. Limits that are left out start at the provider's own."""
        account = accounts.add(self.principal, **wanted(NewChannelAccount(data=request.data)))
        return Response(ChannelAccountReader(account).data, status=201)


class OneChannelAccountView(ChannelAccountView):
    scopes = {"GET": Scope.CHANNELS_READ, "PATCH": Scope.CHANNELS_WRITE}

    @extend_schema(responses=ChannelAccountReader, operation_id="channel_accounts_retrieve")
    def get(self, request: Request, account_id: UUID) -> Response:
        """One account, without its secrets."""
        return Response(ChannelAccountReader(self.get_object(account_id)).data)

    @extend_schema(
        request=ChannelAccountChange(partial=True),
        responses=ChannelAccountReader,
        operation_id="channel_accounts_update",
    )
    def patch(self, request: Request, account_id: UUID) -> Response:
        """Change an account. What is left out stays; workers follow within seconds."""
        account = self.get_object(account_id)
        body = ChannelAccountChange(data=request.data, partial=True)
        account = accounts.change(self.principal, account, **wanted(body))
        return Response(ChannelAccountReader(account).data)
