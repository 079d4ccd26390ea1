"""From the side bar to the start of a clearing without a mouse, and it is always to be seen where one is."""

import pytest

from apps.messaging.models import Clearing
from tests.cast import House
from tests.messaging import history
from tests.operations.day.conftest import Operator, SitDown, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
MOST_STOPS = 120
# What has the focus, and whether the one that had it before looks otherwise without.
STOP = """() => {
    const look = (one) => {
        document.getAnimations().forEach((each) => each.finish());
        const style = getComputedStyle(one);
        return [style.outline, style.boxShadow, style.borderColor, style.backgroundColor].join();
    };
    const before = window.hadFocus;
    const one = document.activeElement;
    // Within a moment the browser itself marks the part that has it.
    const isMarked = before && (before.one.type === 'datetime-local' || before.look !== look(before.one));
    const unseen = before && before.one !== one && !isMarked;
    window.hadFocus = { one, look: look(one) };
    const name = one.getAttribute('aria-label') || one.innerText || one.name || '';
    return { name: name.trim().split('\\n').pop(), unseen: unseen ? before.one.outerHTML.slice(0, 200) : '' };
}"""


def go_to(operator: Operator, name: str) -> None:
    for _ in range(MOST_STOPS):
        operator.page.keyboard.press("Tab")
        stop = operator.page.evaluate(STOP)
        assert not stop["unseen"]
        if stop["name"] == name:
            return
    raise AssertionError(f"no way to {name!r}")


def choose(operator: Operator, name: str) -> None:
    go_to(operator, name)
    operator.page.keyboard.press("Enter")


def test_dead_letters_are_tried_again_without_a_mouse(aurora: House, sit_down: SitDown) -> None:
    history.dead(aurora)
    operator = sit_down(aurora.agent.user)
    choose(operator, "Dead letters")
    operator.says("What is open, by cause")
    choose(operator, "Try all again")
    operator.says("1 open dead letter matches")
    go_to(operator, "per_second")
    operator.page.keyboard.press("Control+A")
    operator.page.keyboard.type("7")
    choose(operator, "Try 1 message again")
    operator.says("It goes on by itself. You can leave this page.")
    clearing = wait_for(Clearing.across_organizations.first)
    assert (clearing.matched, clearing.per_second) == (1, 7)
    choose(operator, "Pause")
    operator.says("The others wait until you resume it.")
    choose(operator, "Pause")
    operator.says("It is paused.")
