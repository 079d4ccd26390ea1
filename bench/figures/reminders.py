"""A million invoices planned, what the planner reads when little is due, and payments that race reminders."""

import subprocess
import sys
import time
from datetime import timedelta

from django.db import connection

import celery_app
from apps.billing.models import Invoice, ReminderPlan
from apps.billing.planner import plan
from apps.core import clock
from bench import portfolio
from bench.figure import CannotMeasure, Figure
from bench.layouts import EVENTS_ALONE
from bench.office import Office, limit
from bench.stage import Stage
from bench.workers import Layout, running

PLAN_SECONDS = 1200
DISPATCH = Layout("one", ["--pool solo --queues dispatch.whatsapp_cloud", EVENTS_ALONE])
PAYERS = 2
SENT_A_SECOND = 200
# Of those that are due in the two portfolios whose size differs.
DUE = 100


def measure(stage: Stage, office: Office) -> list[Figure]:
    few, many = stage.choose((10_000, 1_000_000), (2_000, 50_000))
    read_of_few = _rows_read(office, few)
    planned = _planned(stage, office, many)
    read_of_many = _rows_read_now()
    return [
        *planned,
        Figure(f"rows that the planner reads, {DUE} due of {many:,} vs of {few:,}", read_of_many / read_of_few,
               f"{read_of_many:,}", f"{read_of_few:,}", most=1.1, note="of invoices, plans and all around them"),
        _race(stage, office, stage.choose(100_000, 2_000)),
    ]  # fmt: skip


def _planned(stage: Stage, office: Office, count: int) -> list[Figure]:
    """Killed once, half-way."""
    portfolio.clear(office)
    portfolio.fill(office, count, days=60)
    portfolio.live_policy(office, *portfolio.FIVE_RULES)
    started = time.monotonic()
    killed = _planner()
    while _looked_at() < count / 2:
        if killed.poll() is not None:
            raise CannotMeasure(f"the planner ended half-way: {killed.communicate()[1][-500:]}")
        time.sleep(0.2)
    killed.kill()
    killed.wait()
    after_kill = _planner()
    told, complaint = after_kill.communicate(timeout=PLAN_SECONDS)
    seconds = time.monotonic() - started
    if after_kill.returncode:
        raise CannotMeasure(f"the planner failed: {complaint[-500:]}")
    _, megabytes = (int(number) for number in told.split())
    reminders, doubled, messages, touches, left = _counted()
    stage.tell(f"{reminders:,} reminders in {touches:,} messages; {left:,} left to look at")
    return [
        Figure(f"{count:,} open invoices planned under five rules, minutes", seconds / 60, f"{seconds:.0f} s",
               f"{count / seconds:,.0f} a second", most=10,
               note=f"killed once; {reminders:,} reminders were due and handed over"),
        Figure("memory of the planner, MB", megabytes, f"{megabytes} MB", "", most=300),
        Figure("reminders doubled by the kill, messages without one", doubled + abs(messages - touches) + left,
               f"{doubled}", "", most=0),
    ]  # fmt: skip


def _planner() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.planner"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _looked_at() -> int:
    """Whose look lies ahead, or who has none any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce((SELECT count(*) FROM reminder_policy WHERE anew_after IS NULL), 0)
                   * (SELECT count(*) FROM reminder_plan)
                 + (SELECT count(*) FROM reminder_plan WHERE look_at > now())
            """
        )
        (count,) = cursor.fetchone()
    return int(count)


def _counted() -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (SELECT count(*) FROM reminder),
                   (SELECT count(*) FROM (SELECT 1 FROM reminder GROUP BY invoice_id, rule_id, occurrence
                                          HAVING count(*) > 1) AS doubled),
                   (SELECT count(*) FROM message), (SELECT count(*) FROM reminder_touch),
                   (SELECT count(*) FROM reminder_plan WHERE look_at <= now())
            """
        )
        return tuple(cursor.fetchone())


def _rows_read(office: Office, count: int) -> int:
    portfolio.clear(office)
    portfolio.fill(office, count, days=60)
    portfolio.live_policy(office, *portfolio.FIVE_RULES)
    while plan.run():
        pass
    return _rows_read_now()


def _rows_read_now() -> int:
    """By one run in which little is due."""
    due = list(ReminderPlan.across_organizations.order_by("invoice_id").values_list("pk", flat=True)[:DUE])
    ReminderPlan.across_organizations.filter(pk__in=due).update(look_at=clock.now() - timedelta(minutes=1))
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE reminder_plan, invoice, reminder, reminder_touch")
        cursor.execute("RESET statement_timeout")
    before = _statistics()
    looked_at = plan.run()
    if looked_at != DUE:
        raise CannotMeasure(f"the planner looked at {looked_at} instead of {DUE}")
    return _statistics() - before


def _statistics() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT 1")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            """
            SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables
             WHERE relname = ANY('{reminder_plan,invoice,reminder,reminder_touch,contact,contact_address}')
            """
        )
        (rows,) = cursor.fetchone()
    return int(rows)


def _race(stage: Stage, office: Office, count: int) -> Figure:
    """Each invoice has a reminder that waits, and is paid while they are sent."""
    portfolio.clear(office)
    portfolio.fill(office, count, days=0)
    portfolio.live_policy(office, {"offset": 0}, joins_invoices=False, most_a_day=20, most_a_week=50)
    while plan.run():
        pass
    # About as fast as they are paid, so that the two meet all the time.
    limit(office, rate_per_second=SENT_A_SECOND, burst=SENT_A_SECOND)
    waiting = _counted()[2]
    if waiting != count:
        raise CannotMeasure(f"{waiting} reminders wait instead of {count}")
    files = [(stage.folder / f"payer{n}.txt").open("w+") for n in range(PAYERS)]
    started = time.monotonic()
    with running(stage, celery_app.app, "celery_app", DISPATCH):
        payers = [
            subprocess.Popen([sys.executable, "-m", "bench.payer", str(n), str(PAYERS)], stdout=file)
            for n, file in enumerate(files)
        ]
        office.ring()
        if any(payer.wait(timeout=PLAN_SECONDS) for payer in payers):
            raise CannotMeasure("a payer failed")
        time.sleep(5)
    seconds = time.monotonic() - started
    told: dict[str, float] = {}
    for file in files:
        file.seek(0)
        told |= {key: float(at) for key, at in (line.split() for line in file)}
        file.close()
    limit(office, rate_per_second=100_000, burst=100_000)
    late, sent, stopped = _sent_after(told)
    if Invoice.across_organizations.exclude(status="paid").exists():
        raise CannotMeasure("not all invoices were paid")
    return Figure(f"reminders sent after their invoice was marked paid, of {count:,}", late, f"{late}", "", most=0,
                  note=f"{sent:,} left before, {stopped:,} were stopped; {seconds:.0f} s")  # fmt: skip


def _sent_after(told: dict[str, float]) -> tuple[int, int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT reminder.invoice_id::text, extract(epoch FROM event.at)::float8
              FROM reminder
              JOIN reminder_touch AS touch ON touch.id = reminder.touch_id
              JOIN message_event AS event ON event.message_id = touch.message_id AND event.kind = 'sent'
            """
        )
        sent = cursor.fetchall()
        cursor.execute("SELECT count(*) FROM message WHERE status = 'cancelled'")
        (stopped,) = cursor.fetchone()
    return sum(at > told[invoice_id] for invoice_id, at in sent), len(sent), int(stopped)
