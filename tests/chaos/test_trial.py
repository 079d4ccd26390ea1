"""What holds for every scenario, whatever goes wrong in it."""

from typing import cast

from chaos.crew import Crew
from chaos.stage import Stage
from chaos.trial import Trial


class Supervised:
    looks = 0

    def replace_the_dead(self) -> int:
        self.looks += 1
        return 0


def test_the_dead_are_replaced_for_as_long_as_anybody_waits() -> None:
    crew = Supervised()
    trial = Trial("any", cast("Stage", None), cast("Crew", crew))
    assert trial.wait_for(lambda: crew.looks == 3, seconds=5)
