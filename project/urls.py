"""Every address of the installation."""

from django.contrib import admin
from django.http import Http404
from django.urls import include, path
from django.views.defaults import page_not_found
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from apps.accounts.api.urls import urlpatterns as accounts_api
from apps.accounts.browser_tokens import browser_token
from apps.accounts.language import choose_language
from apps.accounts.throttling import CallerThrottle
from apps.billing.api.urls import urlpatterns as billing_api
from apps.billing.pages import pix_picture
from apps.callbacks.api.urls import urlpatterns as callbacks_api
from apps.channels.api.urls import urlpatterns as channels_api
from apps.files.api.urls import urlpatterns as files_api
from apps.files.pages import sent_file
from apps.live.views import live_page
from apps.messaging.api.urls import urlpatterns as messaging_api
from apps.operations.admin.flower_page import flower_page
from apps.operations.admin.overview_page import refreshed
from apps.operations.api.urls import urlpatterns as operations_api
from apps.realtime.api.urls import urlpatterns as realtime_api
from apps.registration.api.urls import urlpatterns as registration_api

api = [
    path("schema", SpectacularJSONAPIView.as_view(throttle_classes=[CallerThrottle]), name="schema"),
    path(
        "docs",
        SpectacularSwaggerSplitView.as_view(url_name="api:schema", throttle_classes=[CallerThrottle]),
        name="docs",
    ),
    *accounts_api,
    # In front of messaging's, whose hooks of providers would take billing's for one.
    *billing_api,
    *callbacks_api,
    *channels_api,
    *files_api,
    *messaging_api,
    *realtime_api,
    *registration_api,
    *operations_api,
]

urlpatterns = [
    path("v1/", include((api, "api"))),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/overview/", admin.site.admin_view(refreshed), name="overview"),
    path("admin/flower/", admin.site.admin_view(flower_page, cacheable=True), name="flower"),
    path("admin/flower/<path:rest>", admin.site.admin_view(flower_page, cacheable=True)),
    path("admin/", admin.site.urls),
    # An address is changed by whoever runs the installation: people could otherwise take the address of
    # somebody who is yet to be invited.
    path("accounts/email/", page_not_found, {"exception": Http404()}),
    path("accounts/token", browser_token, name="browser_token"),
    path("accounts/", include("allauth.urls")),
    path("live/", live_page, name="live"),
    path("i18n/setlang/", choose_language, name="set_language"),
    path("p/", include("apps.messaging.preferences.urls")),
    path("f/<str:token>", sent_file, name="sent_file"),
    path("pix/<str:token>.png", pix_picture, name="pix_picture"),
]

handler400 = "project.errors.bad_request"
handler403 = "project.errors.forbidden"
handler404 = "project.errors.not_found"
handler500 = "project.errors.server_error"
