"""Distances are what their names say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.errors import DimensionMismatch, InvalidVector
from nearimage.domain.objects import Matrix
from nearimage.domain.schema import Metric
from nearimage.domain.vectors import certainty_of, check_dimensions, check_vector, distance_of, distances, exact_distances

A, B = [1.0, 2.0, 3.0], [4.0, 2.0, -3.0]


def matrix(*rows: list[float]) -> Matrix:
    return np.array(rows, np.float32)


@pytest.mark.parametrize(
    ("metric", "distance"),
    [
        (Metric.COSINE, 1 - (4 + 4 - 9) / (np.sqrt(14) * np.sqrt(29))),
        (Metric.DOT, 1.0),
        (Metric.L2_SQUARED, 9 + 0 + 36),
        (Metric.MANHATTAN, 3 + 0 + 6),
        (Metric.HAMMING, 2),
    ],
)
def test_each_metric_on_an_example_worked_by_hand(metric: Metric, distance: float) -> None:
    """The definitions are Weaviate's: a dot product is negated, hamming counts unequal dimensions."""
    assert distances(metric, matrix(A), np.array(B, np.float32)).tolist() == pytest.approx([distance], rel=1e-6)


@pytest.mark.parametrize("metric", list(Metric))
def test_no_rows_have_no_distances(metric: Metric) -> None:
    """An empty collection is a collection."""
    assert distances(metric, np.zeros((0, 3), np.float32), np.array(A, np.float32)).shape == (0,)


def test_cosine_is_never_negative_and_zeros_are_at_a_right_angle_to_everything() -> None:
    """Rounding must not make a distance that a limit of 0 excludes; and no NaN leaves this function."""
    rows = matrix(A, [0.0, 0.0, 0.0])

    assert distances(Metric.COSINE, rows, np.array(A, np.float32)).tolist() == pytest.approx([0, 1], abs=1e-6)
    assert (distances(Metric.COSINE, rows, np.array(A, np.float32)) >= 0).all()


def test_a_vector_is_at_distance_0_from_itself() -> None:
    """A picture that finds itself at 0.0000000000000001 looks like a mistake."""
    row = np.random.default_rng(1).normal(size=(1, 1280)).astype(np.float32)

    assert exact_distances(Metric.COSINE, row, row[0]).tolist() == [0.0]


@given(st.floats(0, 2))
def test_certainty_is_the_distance_told_the_other_way_round(distance: float) -> None:
    """1 at distance 0, 0 at distance 2."""
    assert distance_of(certainty_of(distance)) == pytest.approx(distance, abs=1e-12)


@pytest.mark.parametrize("wrong", [[], [float("nan")], [float("inf"), 1.0], [0.0, 0.0]])
def test_a_vector_that_cannot_be_compared_is_refused(wrong: list[float]) -> None:
    """One NaN in an index makes every answer wrong."""
    with pytest.raises(InvalidVector):
        check_vector(np.array(wrong, np.float32), name="v", metric=Metric.COSINE)


def test_zeros_are_fine_where_direction_does_not_matter() -> None:
    """The origin is a point like any other."""
    check_vector(np.zeros(2, np.float32), name="v", metric=Metric.L2_SQUARED)


def test_numbers_whose_squares_are_beyond_float32_are_numbers() -> None:
    """What is looked at first, their sum, overflows or vanishes; neither is a mistake, nor a warning in the server's log."""
    for size in (3e38, 1e-30):
        check_vector(np.full(2, size, np.float32), name="v", metric=Metric.COSINE)


def test_another_length_is_refused_with_both_lengths() -> None:
    """The user sees at once which model made which."""
    with pytest.raises(DimensionMismatch) as caught:
        check_dimensions(2, 3, name="v")

    assert caught.value.detail == {"vector": "v", "want": 3, "got": 2}
