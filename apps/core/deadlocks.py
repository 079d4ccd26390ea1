"""Transactions that wait for each other: PostgreSQL ends one of them, and it is tried again."""

from collections.abc import Callable
from functools import wraps

import structlog
from django.db import OperationalError
from psycopg.errors import DeadlockDetected

logger = structlog.get_logger(__name__)

TRIES = 3


def tried_again[**Given, Result](work: Callable[Given, Result]) -> Callable[Given, Result]:
    """For a whole transaction that learns on its way what else it has to lock, and so keeps to no order."""

    @wraps(work)
    def trying(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        for _ in range(TRIES - 1):
            try:
                return work(*args, **kwargs)
            except OperationalError as error:
                if not isinstance(error.__cause__, DeadlockDetected):
                    raise
                logger.info("deadlock", work=work.__qualname__)
        return work(*args, **kwargs)

    return trying
