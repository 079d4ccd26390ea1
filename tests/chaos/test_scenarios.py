"""Every scenario of `make chaos`, in short: one kill instead of twenty, seconds instead of a minute."""

from collections.abc import Iterator

import pytest

from chaos.crew import Crew, hired
from chaos.scenarios import PATIENT, SCENARIOS
from chaos.stage import Stage, open_stage
from chaos.trial import Scale, Trial

pytestmark = pytest.mark.long
SHORT = Scale(messages=0.02, times=0.05, seconds=0.1)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage(durable=False) as stage:
        yield stage


@pytest.fixture(scope="module")
def crew(stage: Stage, request: pytest.FixtureRequest) -> Iterator[Crew]:
    with hired(stage, children=1, is_patient=request.param) as crew:
        yield crew


@pytest.mark.parametrize(("crew", "name"), [(name in PATIENT, name) for name in SCENARIOS], indirect=["crew"])
def test_nothing_is_lost_doubled_or_out_of_order(name: str, stage: Stage, crew: Crew) -> None:
    with Trial(name, stage, crew) as trial:
        row = SCENARIOS[name](trial, SHORT)
    assert row.problems == [], "\n".join(row.notes)
    assert row.verdict.accepted >= 40
    assert row.verdict.delivered + row.verdict.dead_letters >= row.verdict.accepted
