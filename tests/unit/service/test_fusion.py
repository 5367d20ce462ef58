"""Two rankings become one."""

from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.query import Fusion
from nearimage.service.fusion import Leg, fuse

A, B, C, D = (UUID(int=number).bytes for number in (1, 2, 3, 4))
WORDS = Leg(name="keyword", weight=0.25, scores={A: 8.0, B: 6.0, C: 2.0})
VECTORS = Leg(name="vector", weight=0.75, scores={C: 0.9, A: 0.7, D: 0.4})


def test_ranked_fusion_counts_places_from_sixty() -> None:
    """Scores of different scale cannot be added; places can."""
    fused = fuse([WORDS, VECTORS], Fusion.RANKED)
    expected = {A: 0.25 / 60 + 0.75 / 61, B: 0.25 / 61, C: 0.25 / 62 + 0.75 / 60, D: 0.75 / 62}
    assert {one.id: one.score for one in fused} == pytest.approx(expected)
    assert [one.id for one in fused] == [C, A, D, B]


def test_relative_fusion_stretches_each_leg_to_its_weight() -> None:
    """The best of a leg gets its whole weight, the last nothing."""
    fused = fuse([WORDS, VECTORS], Fusion.RELATIVE_SCORE)
    expected = {A: 0.25 + 0.75 * 0.6, B: 0.25 * 4 / 6, C: 0.75, D: 0.0}
    assert {one.id: one.score for one in fused} == pytest.approx(expected)
    assert [one.id for one in fused] == [C, A, B, D]


def test_equal_scores_in_a_leg_give_its_whole_weight() -> None:
    """One hit, or many of the same score, must not be divided by zero, nor vanish."""
    assert [one.score for one in fuse([Leg(name="keyword", weight=0.5, scores={A: 3.0, B: 3.0})], Fusion.RELATIVE_SCORE)] == [0.5, 0.5]


def test_equal_sums_are_ordered_by_the_last_leg_and_then_by_id() -> None:
    """Pages of one query must fit together."""
    first = Leg(name="keyword", weight=0.5, scores={B: 2.0, A: 1.0})
    second = Leg(name="vector", weight=0.5, scores={A: 0.9, B: 0.1})
    assert [one.id for one in fuse([first, second], Fusion.RELATIVE_SCORE)] == [A, B]
    assert [one.id for one in fuse([Leg(name="keyword", weight=1, scores={B: 1.0, A: 1.0})], Fusion.RELATIVE_SCORE)] == [A, B]


@pytest.mark.parametrize("how", Fusion)
def test_sums_are_single_floats(how: Fusion) -> None:
    """GraphQL tells scores as text, so that every digit counts."""
    scores = [one.score for one in fuse([WORDS, VECTORS], how)]
    assert scores == [float(np.float32(score)) for score in scores]
    third = Leg(name="keyword", weight=0.3, scores={A: 3.0, B: 1.1, C: 0.7})
    assert fuse([third], Fusion.RELATIVE_SCORE)[1].score == float(np.float32(0.3) * ((np.float32(1.1) - np.float32(0.7)) / (np.float32(3) - np.float32(0.7))))


def test_an_empty_leg_changes_nothing() -> None:
    """Words that no object has leave the pictures' ranking as it was."""
    nothing = Leg(name="keyword", weight=0.5, scores={})
    assert [one.id for one in fuse([nothing, VECTORS], Fusion.RELATIVE_SCORE)] == [C, A, D]
    assert fuse([nothing], Fusion.RANKED) == []


def test_each_leg_is_named_in_the_explanation() -> None:
    """People ask why a hit came first; programs know the form, and the fewest digits that tell a single float."""
    told = {one.id: one.explanation for one in fuse([VECTORS, WORDS], Fusion.RELATIVE_SCORE)}
    document = f"Document {UUID(int=1)}"
    words = f"\nHybrid (Result Set keyword) {document}: original score 8, normalized score: 0.25"
    assert told[A] == f"{words} - \nHybrid (Result Set vector) {document}: original score 0.7, normalized score: 0.45000002"
    assert told[D].startswith("\nHybrid (Result Set vector) ")


def test_places_are_explained_by_what_they_contribute() -> None:
    """The vectors first, as clients know it; small numbers with an exponent."""
    tiny = Leg(name="keyword", weight=0.001, scores={A: 8.0})
    (told,) = (one.explanation for one in fuse([VECTORS, tiny], Fusion.RANKED) if one.id == A)
    vectors, words = (f"\nHybrid (Result Set {name}) Document {UUID(int=1)} contributed " for name in ("vector", "keyword"))
    assert told == f"{vectors}0.012295082 to the score{words}1.6666667e-05 to the score"


@pytest.mark.parametrize("how", Fusion)
def test_the_first_of_a_ranking_are_the_first_of_the_whole_one(how: Fusion) -> None:
    """Only what can be on the page is put in order; where many have the same sum, the page still ends where the next one begins."""
    words = Leg(name="keyword", weight=0.5, scores={UUID(int=one).bytes: 5.0 - one // 7 for one in range(21)})
    vectors = Leg(name="vector", weight=0.5, scores={UUID(int=one).bytes: 1.0 - one // 20 for one in reversed(range(14, 40))})
    whole = fuse([words, vectors], how)
    assert len(whole) == 40
    for count in range(42):
        assert fuse([words, vectors], how, count) == whole[:count]
