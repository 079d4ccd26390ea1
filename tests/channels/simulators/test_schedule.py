"""Nothing leaves before it is due, and what is due together leaves together."""

import asyncio

from apps.channels.simulators.schedule import Schedule
from tests.channels.simulators.stage import until

GROUP = 0.02


async def released(*dues: float) -> list[tuple[float, list[float]]]:
    """When each group left, and what was in it; times count from the start."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    groups: list[tuple[float, list[float]]] = []
    schedule = Schedule[float](GROUP, lambda items: groups.append((loop.time() - start, items)))
    for due in dues:
        schedule.add(start + due, due)
    await until(lambda: sum(len(items) for _, items in groups) == len(dues))
    return groups


async def test_nothing_leaves_before_it_is_due_nor_long_after() -> None:
    for at, items in await released(0.0, 0.03, 0.05, 0.11):
        for due in items:
            # The loop's own clock is a millisecond coarse; the machine may be busy with others.
            assert due - 0.002 <= at < due + GROUP + 0.5


async def test_later_items_do_not_hold_up_earlier_ones() -> None:
    groups = await released(0.15, 0.0, 0.07)
    assert [due for _, items in groups for due in items] == [0.0, 0.07, 0.15]


async def test_items_due_together_leave_in_the_order_in_which_they_came() -> None:
    groups = await released(*[0.05] * 10)
    assert groups[0][1] == [0.05] * 10
    assert len(groups) == 1


async def test_what_was_due_long_ago_leaves_at_once() -> None:
    ((_, items),) = await released(-100.0)
    assert items == [-100.0]


async def test_stopped_schedule_releases_nothing() -> None:
    left: list[list[str]] = []
    schedule = Schedule[str](0.005, left.append)
    schedule.stop()
    schedule.add(asyncio.get_running_loop().time(), "late")
    schedule.stop()
    await asyncio.sleep(0.02)
    assert left == []
