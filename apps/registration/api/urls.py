"""The addresses of this app under /v1/."""

from django.urls import path

from apps.registration.api.flows import (
    FlowFunnelView,
    FlowGoLiveView,
    FlowsView,
    OneFlowView,
    PublishFlowView,
    StopFlowView,
)
from apps.registration.api.people import (
    ErasePersonView,
    ExportPersonView,
    OnePersonView,
    PeopleSearchView,
    PeopleView,
    PersonAccessesView,
)
from apps.registration.api.registrations import (
    CancelRegistrationView,
    HandBackView,
    OneRegistrationView,
    RegistrationsView,
)

urlpatterns = [
    path("registration-flows", FlowsView.as_view()),
    path("registration-flows/<uuid:flow_id>", OneFlowView.as_view()),
    path("registration-flows/<uuid:flow_id>/publish", PublishFlowView.as_view()),
    path("registration-flows/<uuid:flow_id>/go-live", FlowGoLiveView.as_view()),
    path("registration-flows/<uuid:flow_id>/stop", StopFlowView.as_view()),
    path("registration-flows/<uuid:flow_id>/funnel", FlowFunnelView.as_view()),
    path("registrations", RegistrationsView.as_view()),
    path("registrations/<uuid:registration_id>", OneRegistrationView.as_view()),
    path("registrations/<uuid:registration_id>/hand-back", HandBackView.as_view()),
    path("registrations/<uuid:registration_id>/cancel", CancelRegistrationView.as_view()),
    path("people", PeopleView.as_view()),
    path("people/search", PeopleSearchView.as_view()),
    path("people/<uuid:person_id>", OnePersonView.as_view()),
    path("people/<uuid:person_id>/accesses", PersonAccessesView.as_view()),
    path("people/<uuid:person_id>/export", ExportPersonView.as_view()),
    path("people/<uuid:person_id>/erase", ErasePersonView.as_view()),
]
