"""What beat has done, and how often, for people who read no crontab."""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from apps.core import clock

DOES = {
    "accounts.remove_expired": gettext_lazy("Removes sessions and records that have expired"),
    "billing.plan": gettext_lazy("Reminds people of bills that are due"),
    "billing.ring_forgotten_imports": gettext_lazy("Looks for imports of invoices that nobody reads on"),
    "callbacks.recover": gettext_lazy("Looks for webhooks that were forgotten, and for second attempts"),
    "callbacks.remove_old": gettext_lazy("Removes deliveries of webhooks that are old"),
    "files.ring_forgotten": gettext_lazy("Looks for uploads that nobody works on"),
    "files.sweep": gettext_lazy("Removes files that were given up, and those that nothing refers to"),
    "messaging.clear_dead_letters": gettext_lazy("Goes on with the clearings of dead letters"),
    "messaging.forget_seen_callbacks": gettext_lazy("Forgets what providers reported long ago"),
    "messaging.delete_old": gettext_lazy("Deletes messages that organizations keep no longer"),
    "messaging.recover": gettext_lazy("Looks for messages that were forgotten"),
    "operations.count_traffic": gettext_lazy("Adds up what happened"),
    "operations.forget_traffic": gettext_lazy("Forgets old minutes and hours of what was added up"),
    "operations.look": gettext_lazy("Counts how much waits"),
    "operations.watch_quotas": gettext_lazy("Looks whether organizations have used up their month"),
    "registration.forget": gettext_lazy("Redacts and erases what is not to be kept"),
    "registration.recover": gettext_lazy("Looks for people who wait for an answer, and for those who are silent"),
}


def does(task: PeriodicTask) -> str:
    return str(DOES.get(task.task, task.name))


def how_often(task: PeriodicTask) -> str:
    if task.interval is not None:
        return _every(task.interval)
    return _at(task.crontab) if task.crontab is not None else "–"


def next_run(task: PeriodicTask, last: datetime | None) -> datetime | None:
    """None where it runs no more. One that never ran is due as if it had when it was put there."""
    if not task.enabled:
        return None
    remaining: timedelta = task.schedule.remaining_estimate(last or task.last_run_at or task.date_changed)
    return clock.now() + max(remaining, timedelta())


def _every(interval: IntervalSchedule) -> str:
    count, period = interval.every, interval.period
    if period == IntervalSchedule.SECONDS and count % 60 == 0:
        count, period = count // 60, IntervalSchedule.MINUTES
    words = {
        IntervalSchedule.SECONDS: ngettext("every second", "every %(count)d seconds", count),
        IntervalSchedule.MINUTES: ngettext("every minute", "every %(count)d minutes", count),
        IntervalSchedule.HOURS: ngettext("every hour", "every %(count)d hours", count),
        IntervalSchedule.DAYS: ngettext("every day", "every %(count)d days", count),
    }
    return words[period] % {"count": count} if period in words else str(interval)


def _at(crontab: CrontabSchedule) -> str:
    others = {crontab.day_of_week, crontab.day_of_month, crontab.month_of_year}
    if others == {"*"} and crontab.minute.isdecimal():
        if crontab.hour == "*":
            return _("every hour, at minute %(minute)s") % {"minute": crontab.minute}
        if crontab.hour.isdecimal():
            time = f"{int(crontab.hour):02}:{int(crontab.minute):02}"
            return _("every day at %(time)s (%(zone)s)") % {"time": time, "zone": crontab.timezone}
    return str(crontab.human_readable)
