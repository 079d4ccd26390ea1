"""Why somebody wants to see personal data, or have it erased: said with every request, and kept in the log."""

from contextlib import suppress

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.request import Request

from apps.core.api.problems import Problem
from apps.core.api.serializers import StrictSerializer

LONGEST = 200
HEADER = "Access-Reason"
PARAMETER = OpenApiParameter(
    HEADER,
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    required=True,
    description=f"Why you need it, in at most {LONGEST} characters: the access log keeps it.",
)


class ReasonRequired(Problem):
    default_code = "reason_required"
    default_detail = _(
        "Personal data is shown for a reason only. Say why you need it in the header Access-Reason."
    )


class ReasonBody(StrictSerializer):
    reason = serializers.CharField(max_length=LONGEST, help_text="The access log keeps it.")


def reason_of(request: Request) -> str:
    given = request.headers.get(HEADER, "")
    # Servers take headers for Latin-1; who writes more than ASCII into one mostly writes UTF-8.
    with suppress(UnicodeError):
        given = given.encode("latin-1").decode()
    reason = "".join(letter if letter.isprintable() else " " for letter in given).strip()
    if not reason:
        raise ReasonRequired
    return reason[:LONGEST]
