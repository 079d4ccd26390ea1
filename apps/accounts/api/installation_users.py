"""The people of the installation: who may log in at all. Organizations manage who belongs to them."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.accounts import users
from apps.accounts.api.installation_view import InstallationView
from apps.accounts.models import User
from apps.core.api.pagination import NewestFirst
from apps.core.api.serializers import StrictSerializer


class UserReader(serializers.ModelSerializer[User]):
    class Meta:
        model = User
        fields = ["id", "email", "name", "language", "is_active", "is_superuser", "last_login", "created_at"]
        read_only_fields = fields


class UserChange(StrictSerializer):
    """What is left out stays."""

    name = serializers.CharField(max_length=120, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False, help_text="Those who are not cannot log in.")


class UsersView(InstallationView):
    pagination_class = NewestFirst

    @extend_schema(responses=UserReader(many=True), operation_id="installation_users_list")
    def get(self, request: Request) -> Response:
        """Everybody who has an account here, newest first."""
        pages = self.pagination_class()
        rows = pages.paginate_queryset(User.objects.all(), request, self)
        return pages.get_paginated_response(UserReader(rows, many=True).data)


class OneUserView(InstallationView):
    @extend_schema(responses=UserReader, operation_id="installation_users_retrieve")
    def get(self, request: Request, user_id: UUID) -> Response:
        """One person."""
        return Response(UserReader(_found(user_id)).data)

    @extend_schema(request=UserChange, responses=UserReader, operation_id="installation_users_update")
    def patch(self, request: Request, user_id: UUID) -> Response:
        """Change a name, or shut somebody out, which ends their sessions and connections at once."""
        user = _found(user_id)
        body = UserChange(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(UserReader(users.change(self.operator.actor, user, **body.validated_data)).data)


def _found(user_id: UUID) -> User:
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise NotFound
    return user
