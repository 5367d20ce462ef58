"""Few hits that differ, of many that do not."""

import numpy as np
import pytest

from nearimage.domain.schema import Metric, VectorConfig
from nearimage.domain.vectors import distances
from nearimage.service.diversity import distances_between, diversify

VECTORS = np.array([[1, 0, 0], [0.95, 0.05, 0], [0.9, 0.1, 0], [0.05, 0.95, 0], [0, 1, 0], [0, 0, 1]], np.float32)
QUERY = np.array([1, 0, 0], np.float32)


@pytest.mark.parametrize("metric", [Metric.COSINE, Metric.L2_SQUARED, Metric.DOT])
def test_balance_weighs_nearness_against_difference(metric: Metric) -> None:
    """1 is the search's own order; 0 takes one of each cluster."""
    to_query, apart = distances(metric, VECTORS, QUERY), distances_between(list(VECTORS), VectorConfig(name="v", metric=metric))
    assert diversify(to_query, apart, limit=3, balance=1.0) == [0, 1, 2]
    of_each = diversify(to_query, apart, limit=3, balance=0.0)
    assert of_each[0] == 0
    assert {pick // 3 if pick < 3 else pick // 5 + 1 for pick in of_each} == {0, 1, 2}


def test_a_limit_beyond_the_hits_gives_them_all_once() -> None:
    """Nothing is shown twice."""
    apart = distances_between(list(VECTORS), VectorConfig(name="v"))
    chosen = diversify(distances(Metric.COSINE, VECTORS, QUERY), apart, limit=99, balance=0.5)
    assert sorted(chosen) == list(range(6))
    assert diversify(np.empty(0, np.float32), apart, limit=3, balance=0.5) == []
