"""Which line of the table of recalls a search goes by."""

from nearimage.engines.embedded.ann.tuning import CANDIDATES, Measured, Size, Tuning

RECALL = 0.998
SIZE = Size(vectors=1_000_000, dims=512, kept=256)


def chosen(*lines: Measured) -> Measured:
    return Tuning(open=lines, scattered=lines, away=lines, energy=1.0, noise=0.0).setting(RECALL, SIZE).open


def line(reach: float, share: float, recall: float, *, candidates: int = CANDIDATES[0]) -> Measured:
    return Measured(candidates, reach, share, recall)


def test_the_cheapest_line_that_reaches_the_recall_and_a_step_more_of_the_reach() -> None:
    """The next user's queries are not those of the build, and need a little more."""
    assert chosen(line(3.0, 0.1, 0.99), line(4.0, 0.2, 0.998), line(5.0, 0.4, 0.999), line(6.0, 0.8, 1.0)) == line(5.0, 0.4, 0.999)


def test_a_longer_reach_is_taken_as_far_as_it_costs_little() -> None:
    """Where the nearest lists had all neighbours of the build's queries, any reach would do for those, and the next user's need more."""
    lines = [line(1.0, 0.040, 0.999), line(2.0, 0.040, 0.999), line(3.0, 0.041, 0.999), line(4.0, 0.044, 0.999), line(5.0, 0.060, 0.999)]
    assert chosen(*lines) == lines[3]


def test_more_candidates_are_no_longer_reach() -> None:
    """The step more is one of the reach; more candidates cost as much and help nobody whose lists were left out."""
    few, many = line(4.0, 0.2, 0.998), line(5.0, 0.2, 0.999, candidates=CANDIDATES[1])
    assert chosen(few, many) == few


def test_the_best_there_is_where_none_reaches_the_recall() -> None:
    """Whether that is good enough for an index is said by the planner."""
    assert chosen(line(4.0, 0.2, 0.9), line(5.0, 0.4, 0.95)) == line(5.0, 0.4, 0.95)
