"""The pages behind a signed link, and the button of mail programs."""

from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from apps.messaging.consent import choices
from apps.messaging.consent.choices import ALL, Choice, about_category, choose, keep_quiet
from apps.messaging.models import ConsentSource
from apps.messaging.preferences.forms import PreferencesForm
from apps.messaging.preferences.offers import Addresses, categories, category_in_words, channels
from apps.messaging.preferences.visit import Visit, by_link
from apps.messaging.statuses import Category

_PAGE_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(_PAGE_METHODS)
@by_link
def preferences(visit: Visit) -> HttpResponse:
    contact, addresses = visit.contact, Addresses(visit.contact)
    form = PreferencesForm(
        contact,
        categories(contact),
        channels(contact, addresses.all),
        visit.request.POST if visit.request.method == "POST" else None,
    )
    if form.is_valid():
        with transaction.atomic():
            choose(contact.pk, form.choices, ConsentSource.PAGE)
            keep_quiet(contact.pk, form.quiet_hours, ConsentSource.PAGE)
        return visit.back_to_page("saved")
    return visit.render(
        "page.html",
        status=400 if form.is_bound else 200,
        form=form,
        addresses=addresses,
        always=category_in_words(Category.TRANSACTIONAL),
        done=visit.request.GET.get("done"),
    )


@require_http_methods(_PAGE_METHODS)
@by_link
def leave(visit: Visit) -> HttpResponse:
    """Asks once more."""
    if visit.request.method == "POST":
        choose(visit.contact.pk, [Choice(ALL, is_given=False)], ConsentSource.PAGE)
        return visit.back_to_page("left")
    return visit.render("leave.html")


@require_POST
@by_link
def come_back(visit: Visit) -> HttpResponse:
    choices.come_back(visit.contact, ConsentSource.PAGE)
    return visit.back_to_page("returned")


@csrf_exempt
@require_http_methods(_PAGE_METHODS)
@by_link
def one_click(visit: Visit) -> HttpResponse:
    """RFC 8058. A mail program has no cookie; and what only looks at links, untouched by anybody, asks by GET."""
    if visit.request.method != "POST":
        return HttpResponseRedirect(reverse("preferences:page", args=[visit.token]))
    if visit.request.POST.get("List-Unsubscribe") != "One-Click":
        return HttpResponse("List-Unsubscribe=One-Click is missing.", status=400, content_type="text/plain")
    is_all = visit.category in {"", Category.TRANSACTIONAL}
    subject = ALL if is_all else about_category(visit.category)
    choose(visit.contact.pk, [Choice(subject, is_given=False)], ConsentSource.ONE_CLICK)
    return HttpResponse(content_type="text/plain")
