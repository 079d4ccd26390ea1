"""Ninety days of an installation at work, written by SQL: many messages, and what lies around them. Needs Django.

tenants     organizations, their accounts, members, templates and people
messages    messages, deliveries, dead letters and events
around      invoices, registrations, webhook deliveries, files, the trail and the traffic
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

from apps.accounts.models import Organization, User
from apps.operations.look import look
from bench.archive import around, messages, tenants
from bench.archive.sql import Sizes, run
from bench.office import Office
from bench.stage import Stage


@dataclass(frozen=True, slots=True)
class Archive:
    sizes: Sizes
    # Most of all is this one's.
    biggest: Organization
    administrator: User
    superuser: User
    seconds: float


@contextmanager
def open_archive(stage: Stage, office: Office) -> Iterator[Archive]:
    """Nothing of it is left afterwards but what every figure begins with."""
    sizes = stage.choose(Sizes(10_000_000), Sizes(200_000))
    started = time.monotonic()
    office.clear()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute("SET maintenance_work_mem = '1GB'")
    try:
        biggest = tenants.fill(sizes, office)
        messages.fill(sizes)
        around.fill(sizes)
        run("ANALYZE", sizes)
        look()
        administrator, superuser = tenants.people_at_work(biggest)
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
            cursor.execute("SET session_replication_role = origin")
        yield Archive(sizes, biggest, administrator, superuser, time.monotonic() - started)
    finally:
        _remove(office)


def _remove(office: Office) -> None:
    # What it was set to is forgotten with the connection.
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        office.clear()
        cursor.execute(f"TRUNCATE {', '.join((*around.TABLES, *tenants.TABLES))} CASCADE")
        cursor.execute("DELETE FROM standing WHERE organization_id <> %s", [office.organization.id])
        cursor.execute("DELETE FROM channel_account WHERE organization_id <> %s", [office.organization.id])
        cursor.execute("DELETE FROM membership")
        cursor.execute("DELETE FROM user_account")
        cursor.execute("DELETE FROM organization WHERE id <> %s", [office.organization.id])
    connection.close()
