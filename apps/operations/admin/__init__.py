from apps.operations.admin import use
from apps.operations.admin.periodic_task import PeriodicTaskAdmin

__all__ = ["PeriodicTaskAdmin", "use"]
