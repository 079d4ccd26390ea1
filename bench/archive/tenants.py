"""Whose everything is: twenty organizations, of which the first has more than all others together."""

from apps.accounts.models import Membership, Organization, User
from apps.accounts.principal import Principal
from apps.accounts.roles import Role
from apps.callbacks import endpoints
from bench.archive.sql import Sizes, run, when
from bench.office import Office

TABLES = ("label", "template", "webhook_endpoint", "suppression")
# One of an endpoint for each organization, and one that is called most.
ENDPOINTS_EACH = 2


def fill(sizes: Sizes, office: Office) -> Organization:
    run(_TENANTS, sizes, pattern=office.account.id)
    for organization in Organization.objects.filter(slug__startswith="archive-"):
        for number in range(ENDPOINTS_EACH):
            endpoints.add(Principal.of_system(organization), url=f"http://127.0.0.1:9/{number}")
    run(_PEOPLE, sizes)
    return Organization.objects.get(slug="archive-1")


def people_at_work(organization: Organization) -> tuple[User, User]:
    """Who looks: an administrator, with conversations to answer, and whoever runs the installation."""
    administrator = User.objects.create_user("administrator@example.org", "no-one-knows-it")
    superuser = User.objects.create_superuser("superuser@example.org", "no-one-knows-it")
    member = Membership(organization=organization, user=administrator, role=Role.ADMIN)
    member.save(force_insert=True)
    run(_ASSIGN, Sizes(0), member=member.pk, organization=organization.pk)
    return administrator, superuser


_TENANTS = """
CREATE TEMPORARY TABLE seeded_organization AS
SELECT n, uuidv7() AS id FROM generate_series(1, %(organizations)s) AS n;
INSERT INTO organization (id, name, slug, created_at, suspend_reason)
SELECT id, 'Archive ' || n, 'archive-' || n, now() - interval '1 year', '' FROM seeded_organization;

CREATE TEMPORARY TABLE seeded_account AS
SELECT organization.n AS organization, organization.id AS organization_id, place AS n,
       uuidv7() AS id
  FROM seeded_organization AS organization, generate_series(1, %(accounts_each)s) AS place;
INSERT INTO channel_account (
    id, connector, name, credentials, provider_account, challenge_digest, rate_per_second, burst,
    recipient_rate_per_second, recipient_burst, daily_quota, breaker_failures, breaker_seconds, retry_attempts,
    retry_base_ms, ordering, on_unknown, unknown_wait, reply_window, pause_reason, is_refused, drain_reason,
    version, created_at, organization_id)
SELECT seeded.id,
       (ARRAY['whatsapp_cloud', 'telegram', 'sms', 'email', 'webhook', 'evolution'])[1 + seeded.n %% 6],
       'Account ' || seeded.n, credentials, 'number-' || seeded.n, '', rate_per_second, burst,
       recipient_rate_per_second, recipient_burst, daily_quota, breaker_failures, breaker_seconds, retry_attempts,
       retry_base_ms, ordering, on_unknown, unknown_wait, reply_window, '', false, '', version,
       now() - interval '1 year', seeded.organization_id
  FROM seeded_account AS seeded, channel_account AS pattern
 WHERE pattern.id = %(pattern)s;

INSERT INTO label (id, name, color, organization_id)
SELECT uuidv7(), said, '#2563eb', id
  FROM seeded_organization, unnest(ARRAY['billing', 'complaint', 'vip']) AS said;

CREATE TEMPORARY TABLE seeded_template AS
SELECT organization.n AS organization, organization.id AS organization_id, place AS n,
       uuidv7() AS id
  FROM seeded_organization AS organization, generate_series(1, 5) AS place;
INSERT INTO template (id, name, category, description, created_at, organization_id)
SELECT id, 'template-' || n, 'transactional', '', now() - interval '1 year', organization_id FROM seeded_template;
"""

# Three of five people are the first organization's. The last fifty of all are reached over its last account.
_PEOPLE = f"""
CREATE TEMPORARY TABLE seeded_person AS
WITH person AS MATERIALIZED (
    SELECT n, CASE WHEN n %% 5 < 3 OR n >= %(people)s - 50 THEN 1
                   ELSE 2 + n / 5 %% (%(organizations)s - 1) END AS organization,
           CASE WHEN n >= %(people)s - 50 THEN %(accounts_each)s
                ELSE 1 + n / 7 %% (%(accounts_each)s - 1) END AS account
      FROM generate_series(0, %(people)s - 1) AS n
)
SELECT person.n::bigint AS n, account.organization, account.organization_id, account.id AS account_id,
       {when("person.n", "%(people)s")} AS contact_id, {when("person.n", "%(people)s")} AS conversation_id
  FROM person JOIN seeded_account AS account
    ON account.organization = person.organization AND account.n = person.account
 ORDER BY person.n;
CREATE INDEX ON seeded_person (n);
ANALYZE seeded_person;

INSERT INTO contact (id, name, created_at, organization_id)
SELECT contact_id,
       (ARRAY['Ana', 'Bruno', 'Carla', 'Davi', 'Elisa', 'Fábio', 'Gal', 'Hugo'])[1 + n %% 8] || ' ' || n,
       uuid_extract_timestamp(contact_id), organization_id
  FROM seeded_person ORDER BY n;
INSERT INTO contact_address (id, kind, value, contact_id, organization_id)
SELECT uuidv7(), 'phone', '+5511' || (900000000 + n), contact_id, organization_id FROM seeded_person ORDER BY n;
INSERT INTO conversation (id, address, closed_at, last_inbound_at, unread_count, created_at, account_id,
                          contact_id, organization_id)
SELECT conversation_id, '+5511' || (900000000 + n), CASE WHEN n %% 3 = 0 THEN now() END,
       CASE WHEN n %% 2 = 0 THEN now() - make_interval(mins => (n %% 5000)::int) END, (n %% 50 = 0)::int,
       uuid_extract_timestamp(conversation_id), account_id, contact_id, organization_id
  FROM seeded_person ORDER BY n;
INSERT INTO conversation_label (id, conversation_id, organization_id, label_id)
SELECT uuidv7(), conversation_id, organization_id, label.id
  FROM seeded_person JOIN label USING (organization_id)
 WHERE n %% 10 = 0 AND label.name = 'billing' OR n %% 1000 = 0 AND label.name = 'vip';
INSERT INTO suppression (id, kind, value, category, source, detail, created_at, organization_id)
SELECT {when("n", "%(people)s")}, 'phone', '+5511' || (900000000 + n), '',
       CASE WHEN n %% 10000 = 0 THEN 'operator' WHEN n %% 50 = 0 THEN 'page' ELSE 'word' END,
       'STOP', now(), organization_id
  FROM seeded_person WHERE n %% 10 = 0 ORDER BY n;
VACUUM contact, contact_address, conversation;
"""  # noqa: S608 - of constants

_ASSIGN = """
UPDATE conversation SET assignee_id = %(member)s
 WHERE id IN (SELECT id FROM conversation WHERE organization_id = %(organization)s ORDER BY id DESC LIMIT 2000)
"""
