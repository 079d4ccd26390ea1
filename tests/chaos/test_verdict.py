"""What `make chaos` says of a run must be true, above all when something went wrong."""

from chaos.verdict import Accepted, Ending, Verdict, judge

ONE = Accepted("1", "account", "ana", "first")
TWO = Accepted("2", "account", "ana", "second")
SENT = Ending("sent", is_dead_letter=None, sent_again=0)
DEAD = Ending("failed", is_dead_letter=True, sent_again=0)


def judged(*texts: str, one: Ending | None = SENT, two: Ending | None = SENT) -> Verdict:
    endings = {"1": one, "2": two}
    return judge([ONE, TWO], texts, {name: ending for name, ending in endings.items() if ending})


def test_what_arrived_once_and_in_order_is_well() -> None:
    verdict = judged("first", "second")
    assert (verdict.accepted, verdict.delivered, verdict.doubled) == (2, 2, 0)
    assert [*verdict.lost, *verdict.doubled_unseen, *verdict.out_of_order, *verdict.wrong] == []


def test_what_nobody_got_and_nobody_is_told_of_is_lost() -> None:
    assert judged("first", two=Ending("queued", is_dead_letter=None, sent_again=0)).lost == ["2"]
    assert judged("first", two=None).lost == ["2"]


def test_what_is_said_to_be_sent_and_did_not_arrive_is_lost_and_wrong() -> None:
    verdict = judged("first")
    assert (verdict.lost, verdict.wrong) == (["2"], ["2"])


def test_dead_letter_is_not_lost() -> None:
    verdict = judged("first", two=DEAD)
    assert (verdict.lost, verdict.wrong, verdict.dead_letters) == ([], [], 1)


def test_what_arrived_although_it_is_said_to_be_cancelled_is_wrong() -> None:
    assert judged("first", "second", two=Ending("cancelled", is_dead_letter=None, sent_again=0)).wrong == ["2"]


def test_doubled_is_allowed_as_often_as_it_is_written_down() -> None:
    assert judged("first", "second", "second").doubled_unseen == ["2"]
    allowed = judged("first", "second", "second", two=Ending("sent", is_dead_letter=None, sent_again=1))
    assert (allowed.doubled, allowed.doubled_unseen) == (1, [])


def test_second_before_the_first_is_out_of_order() -> None:
    assert judged("second", "first").out_of_order == ["2"]
