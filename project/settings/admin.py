"""How the admin looks, and what its side bar offers to whom."""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


def _may_see(model: str, what: str = "view") -> Callable[[HttpRequest], bool]:
    """For the links of the side bar: shown to those who would be let in."""

    def may_see(request: HttpRequest) -> bool:
        from django.contrib import admin  # noqa: PLC0415 - its models need these settings

        return bool(getattr(admin.site.get_model_admin(apps.get_model(model)), f"has_{what}_permission")(request))

    return may_see


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _may_see_flower(request: HttpRequest) -> bool:
    return _is_superuser(request) and bool(settings.FLOWER_URL)


def _list(title: Any, icon: str, model: str) -> dict[str, Any]:
    """The list of one kind of thing."""
    link = reverse_lazy(f"admin:{model.replace('.', '_')}_changelist")
    return {"title": title, "icon": icon, "link": link, "permission": _may_see(model)}


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Recado",
    "SITE_HEADER": "Recado",
    "SITE_SUBHEADER": "apps.accounts.admin_site.current_organization",
    "SITE_DROPDOWN": "apps.accounts.admin_site.organization_switcher",
    "SITE_ICON": lambda _request: static("accounts/favicon.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("accounts/favicon.svg")}
    ],
    "DASHBOARD_CALLBACK": "apps.operations.admin.overview_page.fill_in",
    "STYLES": [lambda _request: static("accounts/admin.css")],
    "SCRIPTS": [lambda _request: static("accounts/admin.js")],
    # There is no site to view besides the admin.
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_LANGUAGES": True,
    "ACCOUNT": {
        "navigation": [
            {"title": _("Two-factor authentication"), "link": reverse_lazy("mfa_index")},
            {"title": _("Change password"), "link": reverse_lazy("account_change_password")},
        ]
    },
    # White on 600, 600 on white and 500 on the dark ground: 4.5 to 1 or more. pages.css has the same colours.
    "COLORS": {
        "primary": {
            "50": "oklch(98% .013 200)",
            "100": "oklch(95.5% .03 200)",
            "200": "oklch(91% .058 201)",
            "300": "oklch(85% .085 203)",
            "400": "oklch(77% .105 206)",
            "500": "oklch(70% .108 208)",
            "600": "oklch(45% .077 214)",
            "700": "oklch(40% .068 216)",
            "800": "oklch(35.5% .06 218)",
            "900": "oklch(31.5% .05 220)",
            "950": "oklch(24% .04 222)",
        }
    },
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {"title": _("Overview"), "icon": "space_dashboard", "link": reverse_lazy("admin:index")},
                    {"title": _("Live"), "icon": "forum", "link": reverse_lazy("live")},
                ]
            },
            {
                "title": _("Organization"),
                "items": [
                    _list(_("Members"), "group", "accounts.membership"),
                    _list(pgettext_lazy("menu", "API keys"), "key", "accounts.apikey"),
                    _list(_("Audit trail"), "history", "accounts.auditevent"),
                    {
                        "title": _("Use and settings"),
                        "icon": "domain",
                        "link": reverse_lazy("admin:accounts_organization_changelist"),
                        "permission": lambda request: not _is_superuser(request),
                    },
                ],
            },
            {
                "title": _("Messages"),
                "separator": True,
                "items": [
                    _list(_("Messages"), "chat", "messaging.message"),
                    _list(_("Conversations"), "forum", "messaging.conversation"),
                    _list(_("Contacts"), "contacts", "messaging.contact"),
                    _list(_("Labels"), "label", "messaging.label"),
                    _list(_("Templates"), "article", "messaging.template"),
                    _list(_("Suppressed addresses"), "block", "messaging.suppression"),
                    _list(_("Dead letters"), "unsubscribe", "messaging.deadletter"),
                ],
            },
            {
                "title": _("Bills"),
                "separator": True,
                "items": [
                    _list(_("Invoices"), "receipt_long", "billing.invoice"),
                    _list(_("Reminder policies"), "notification_important", "billing.reminderpolicy"),
                    _list(_("Reminders"), "notifications", "billing.reminder"),
                    _list(_("Imports of invoices"), "upload_file", "billing.invoiceimport"),
                    _list(_("Payment sources"), "account_balance", "billing.paymentsource"),
                ],
            },
            {
                "title": _("Registration"),
                "separator": True,
                "items": [
                    _list(_("Registrations"), "how_to_reg", "registration.registration"),
                    _list(_("Registration flows"), "checklist", "registration.registrationflow"),
                    {
                        "title": _("People"),
                        "icon": "badge",
                        "link": reverse_lazy("admin:registration_people"),
                        "permission": _may_see("registration.registration", "people"),
                    },
                ],
            },
            {
                "title": _("Files"),
                "separator": True,
                "items": [
                    _list(_("Files"), "attach_file", "files.file"),
                    _list(_("Uploads"), "upload", "files.upload"),
                    _list(_("Storage"), "database", "files.storagepolicy"),
                ],
            },
            {
                "title": _("Channels"),
                "separator": True,
                "items": [
                    _list(_("Channel accounts"), "cell_tower", "delivery_channels.channelaccount"),
                    _list(_("Routes"), "alt_route", "messaging.route"),
                ],
            },
            {
                "title": _("Installation"),
                "separator": True,
                "items": [
                    {
                        "title": _("Organizations"),
                        "icon": "domain",
                        "link": reverse_lazy("admin:accounts_organization_changelist"),
                        "permission": _is_superuser,
                    },
                    _list(_("Users"), "person", "accounts.user"),
                    _list(_("Installation keys"), "vpn_key", "accounts.installationkey"),
                    _list(_("Periodic tasks"), "schedule", "django_celery_beat.periodictask"),
                    {
                        "title": "Flower",
                        "icon": "monitoring",
                        "link": reverse_lazy("flower"),
                        "permission": _may_see_flower,
                    },
                ],
            },
            {
                "title": _("Developers"),
                "separator": True,
                "items": [
                    _list(_("Webhooks"), "webhook", "callbacks.webhookendpoint"),
                    _list(_("Webhook deliveries"), "outbox", "callbacks.webhookdelivery"),
                    {"title": _("API reference"), "icon": "code", "link": reverse_lazy("api:docs")},
                ],
            },
        ]
    },
}
