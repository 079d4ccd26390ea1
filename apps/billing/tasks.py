"""What workers do about bills. Ids in, one call."""

from uuid import UUID

from celery import shared_task

from apps.billing import imports
from apps.billing.importing import run
from apps.billing.planner import plan as planning


@shared_task(name="billing.import_invoices")
def import_invoices(import_id: str) -> None:
    run.run(UUID(import_id))


@shared_task(name="billing.ring_forgotten_imports")
def ring_forgotten_imports() -> None:
    imports.ring_forgotten()


@shared_task(name="billing.plan")
def plan() -> int:
    return planning.run()
