"""Where links lead that are in reminders."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.billing import pix
from apps.billing.models import Invoice
from apps.billing.models.invoice import UNPAID
from apps.billing.pix_links import read_token
from apps.billing.planner import words


@require_safe
def pix_picture(_request: HttpRequest, token: str) -> HttpResponse:
    """Of an invoice that is still owed: nobody pays twice because of an old message."""
    invoice_id = read_token(token)
    invoice = Invoice.across_organizations.filter(pk=invoice_id, status__in=UNPAID).first() if invoice_id else None
    code = words.pix_code(invoice) if invoice else ""
    if not code:
        raise Http404
    headers = {
        "Cache-Control": "private, max-age=300",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow",
    }
    return HttpResponse(pix.picture(code), content_type="image/png", headers=headers)
