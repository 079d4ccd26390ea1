"""The people of an organization."""

from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import members
from apps.accounts.api.view import TenantView
from apps.accounts.idempotency import idempotent
from apps.accounts.models import Membership
from apps.accounts.roles import Role, Scope
from apps.core.api.serializers import StrictSerializer

MOST_CHARACTERS = 254


class MemberReader(serializers.ModelSerializer[Membership]):
    email = serializers.EmailField(source="user.email")

    class Meta:
        model = Membership
        fields = ["id", "email", "name", "role", "created_at"]


class NewMember(StrictSerializer):
    email = serializers.EmailField(max_length=MOST_CHARACTERS)
    name = serializers.CharField(max_length=120, default="", allow_blank=True)
    role = serializers.ChoiceField(choices=Role.choices)

    def validate_email(self, email: str) -> str:
        """Some letters become two when they are written small."""
        email = email.lower()
        if len(email) > MOST_CHARACTERS:
            raise serializers.ValidationError(_("This address is too long."), code="max_length")
        return email


class MemberChange(StrictSerializer):
    role = serializers.ChoiceField(choices=Role.choices)


class MemberView(TenantView[Membership]):
    model = Membership
    reader = MemberReader

    def get_queryset(self) -> QuerySet[Membership]:
        return super().get_queryset().select_related("user")


class MembersView(MemberView):
    scopes = {"GET": Scope.MEMBERS_READ, "POST": Scope.MEMBERS_WRITE}

    @extend_schema(responses=MemberReader(many=True), operation_id="members_list")
    def get(self, request: Request) -> Response:
        """Who belongs to the organization, newest first."""
        return self.page(request)

    @extend_schema(request=NewMember, responses={201: MemberReader}, operation_id="members_create")
    @idempotent
    def post(self, request: Request) -> Response:
        """Add a person by e-mail. Somebody who is new here sets a password with "forgot password"."""
        body = NewMember(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        member = members.add(self.principal, email=wanted["email"], name=wanted["name"], role=Role(wanted["role"]))
        return Response(MemberReader(member).data, status=201)


class OneMemberView(MemberView):
    scopes = {"GET": Scope.MEMBERS_READ, "PATCH": Scope.MEMBERS_WRITE, "DELETE": Scope.MEMBERS_WRITE}

    @extend_schema(responses=MemberReader, operation_id="members_retrieve")
    def get(self, request: Request, member_id: UUID) -> Response:
        """One member."""
        return Response(MemberReader(self.get_object(member_id)).data)

    @extend_schema(request=MemberChange, responses=MemberReader, operation_id="members_update")
    def patch(self, request: Request, member_id: UUID) -> Response:
        """Give a member another role, up to your own."""
        member = self.get_object(member_id)
        body = MemberChange(data=request.data)
        body.is_valid(raise_exception=True)
        member = members.change_role(self.principal, member, Role(body.validated_data["role"]))
        return Response(MemberReader(member).data)

    @extend_schema(responses={204: None}, operation_id="members_delete")
    def delete(self, request: Request, member_id: UUID) -> Response:
        """Remove a member; their tokens for this organization stop working at once."""
        members.remove(self.principal, self.get_object(member_id))
        return Response(status=204)
