"""Thousands of dead letters of one cause are tried again, and the operator watches how far that is."""

from collections import Counter

import pytest

from apps.messaging.models import DeadLetter, Message
from tests.cast import House
from tests.messaging.desk import open_account
from tests.messaging.provider import Provider
from tests.operations.day.conftest import Operator, SitDown, Workers, wait_for
from tests.operations.day.failed import add_dead_letters

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long]
THESE, OTHERS, STILL_REFUSED = 5_000, 1_000, 25
STEP = "messaging.clear_dead_letters"


def done(operator: Operator) -> int:
    return int(operator.page.evaluate("document.querySelector('progress')?.value ?? 0"))


def by_state() -> Counter[tuple[str, str]]:
    return Counter(DeadLetter.across_organizations.values_list("error_code", "state"))


def test_all_of_one_cause_are_tried_again_while_somebody_watches(
    aurora: House, provider: Provider, workers: Workers, sit_down: SitDown
) -> None:
    account = open_account(aurora, "whatsapp_cloud", name="balcão", breaker_failures=1000)
    add_dead_letters(
        account, THESE, code="131049", detail="Not delivered, to keep people engaged", prefix="+55119"
    )
    add_dead_letters(account, OTHERS, code="131047", detail="More than a day since they wrote", prefix="+55218")
    # Nobody is called back, and some are refused once more.
    provider.break_with({"kind": "no_callbacks"}, {"kind": "blocked", "times": STILL_REFUSED})

    operator = sit_down(aurora.owner.user)
    operator.follow("Dead letters")
    causes = operator.see("section.clearing tbody tr")
    assert [row.locator("td").first.inner_text() for row in causes.all()] == [f"{THESE:,}", f"{OTHERS:,}"]
    operator.see("section.clearing tbody tr", text="131049").get_by_role("link", name="Try all again").click()

    button = operator.page.get_by_role("button", name=f"Try {THESE} messages again")
    button.wait_for()
    operator.page.fill("[name=per_second]", "1000")
    button.click()

    operator.says("It goes on by itself. You can leave this page.")
    operator.page.evaluate("window.isTheSamePage = true")
    first = wait_for(lambda: done(operator))
    wait_for(lambda: done(operator) > first)
    assert operator.page.evaluate("window.isTheSamePage")

    operator.follow("Pause")
    operator.press("Pause")
    operator.says("It is paused.")
    had_their_turn, looks = done(operator), workers.times_done(STEP)
    assert first < had_their_turn < THESE
    wait_for(lambda: workers.times_done(STEP) >= looks + 2)
    operator.page.reload()
    assert done(operator) == had_their_turn
    assert by_state()["131049", "open"] >= THESE - had_their_turn

    operator.follow("Resume")
    operator.press("Resume")
    # To the end, without a hand on the page; which ends only when the last was sent or failed again.
    operator.see("section.clearing", text="finished", seconds=40)
    results = [f"{THESE - STILL_REFUSED:,}", "0", str(STILL_REFUSED)]
    wait_for(lambda: [each.inner_text() for each in operator.find("section.clearing dd").all()] == results, 40)
    assert not operator.find("[data-refresh]").count()

    assert by_state() == {
        ("131049", "resolved"): THESE - STILL_REFUSED,
        # As it says now, and the other cause as it was.
        ("131026", "open"): STILL_REFUSED,
        ("131047", "open"): OTHERS,
    }
    assert not DeadLetter.across_organizations.filter(error_code="131047", replays__gt=0).exists()
    assert Message.across_organizations.filter(status="sent").count() == THESE - STILL_REFUSED
    assert provider.tally()["accepted"] == THESE - STILL_REFUSED
    operator.follow("Audit trail")
    for verb in ("started", "paused", "resumed", "finished"):
        operator.says(f"clearing.{verb}")
