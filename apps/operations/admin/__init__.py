from apps.operations.admin import account_columns, use
from apps.operations.admin.periodic_task import PeriodicTaskAdmin

__all__ = ["PeriodicTaskAdmin", "account_columns", "use"]
