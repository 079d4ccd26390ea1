"""The registration that goes on in a conversation, where the team reads it; and the way to hand it back."""

from django.contrib import admin
from django.http import HttpRequest
from django.template.loader import render_to_string

from apps.messaging.models import Conversation
from apps.registration.admin.registration import RegistrationAdmin
from apps.registration.models import Registration, RegistrationState


def show(request: HttpRequest, conversation: Conversation) -> str:
    pages = admin.site.get_model_admin(Registration)
    assert isinstance(pages, RegistrationAdmin)
    if not pages.has_view_permission(request):
        return ""
    running = Registration.across_organizations.filter(
        organization=conversation.organization_id, conversation=conversation, ended_at=None
    )
    registration = running.select_related("flow", "version").defer("opening", "confirmed").first()
    if registration is None:
        return ""
    context = {
        "registration": registration,
        "question": pages.question(registration),
        "is_with_person": registration.state == RegistrationState.WITH_PERSON,
        "may_write": pages.has_write_permission(request),
    }
    return render_to_string("registration/admin/beside_conversation.html", context, request)
