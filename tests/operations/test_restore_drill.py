"""`make restore-drill`, in small: whole servers are destroyed, and come back from their backup."""

from chaos.drill.lives import open_lives
from chaos.drill.play import SMALL, Drill, as_text


def test_what_waited_is_sent_once_and_only_once_after_a_restore() -> None:
    with open_lives(durable=False) as lives:
        drill = Drill(lives, SMALL)
        drill.run()
    assert drill.problems == [], as_text(drill.steps)
