"""Why a person is not written to: one rule, asked when a message is accepted and again just before it is sent."""

from django.utils.translation import gettext_lazy as _

from apps.messaging.statuses import Category

REASONS = {
    "left": _("This person wants no messages at all any more."),
    "opted_out": _("This person asked not to be written to here."),
    "category_refused": _("This person wants no messages of this category."),
    "channel_refused": _("This person does not want to be written to over this channel."),
}


def refusal(connector: str, kind: str, address: str, category: str, organization: str = "%(organization)s") -> str:
    """As an SQL expression, of columns and of a row `contact`: one of REASONS, or NULL.

    What was ordered or asked for is refused only with everything else: by leaving, or for the whole address or
    channel. What Recado must tell, such as that somebody left, is not refused.
    """
    return f"""
CASE WHEN {category} = '{Category.SERVICE}' THEN NULL
     WHEN contact.left_at IS NOT NULL THEN 'left'
     WHEN EXISTS (SELECT 1
                    FROM suppression
                   WHERE suppression.organization_id = {organization} AND suppression.kind = {kind}
                     AND suppression.value = {address} AND suppression.category IN ('', {category}))
     THEN 'opted_out'
     WHEN {category} <> '{Category.TRANSACTIONAL}' AND {category} = ANY(contact.refused_categories)
     THEN 'category_refused'
     WHEN {connector} = ANY(contact.refused_channels) THEN 'channel_refused'
END
"""  # noqa: S608 - of constants
