from apps.operations.admin.periodic_task import PeriodicTaskAdmin

__all__ = ["PeriodicTaskAdmin"]
