"""Other things than likeness have a say in the order."""

from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.boost import Boost, BoostCondition, Curve, Modifier, NumericDecay, Passes, PropertyValue, TimeDecay
from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidInput
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.query import NearVector, Search
from nearimage.domain.schema import Collection, DataType, Property, VectorConfig
from nearimage.service.services import Services
from tests.fakes import World

ROWS = [(10.0, 1000, "2024-01-01T00:00:00Z"), (500.0, 5, "2020-01-01T00:00:00Z"), (50.0, 100, None)]


@pytest.fixture
def services() -> Services:
    made = World().services()
    kinds = {"price": DataType.NUMBER, "sold": DataType.INT, "day": DataType.DATE}
    properties = tuple(Property(name=name, data_type=kind) for name, kind in kinds.items())
    made.collections.create(Collection(name="Food", properties=properties, vectors=(VectorConfig(name="v"),)))
    drafts = [
        Draft(id=UUID(int=n), properties={"price": price, "sold": sold, "day": day}, vectors={"v": np.array([4 - n, n], np.float32)})
        for n, (price, sold, day) in enumerate(ROWS, 1)
    ]
    made.objects.put_many("Food", drafts)
    return made


def order(services: Services, *rules: Passes | NumericDecay | TimeDecay | PropertyValue, weight: float = 1.0, **more: int) -> list[int]:
    boost = Boost(conditions=tuple(BoostCondition(rule=rule) for rule in rules), weight=weight)
    by = NearVector(vectors=(np.array([1, 0], np.float32),))
    return [hit.record.id.int for hit in services.searches.run(Search(collection="Food", by=by, boost=boost, **more)).hits]  # type: ignore[arg-type] # limits


def test_a_weight_of_zero_changes_nothing(services: Services) -> None:
    """The nearest first, as without a boost."""
    assert order(services, PropertyValue(property="price"), weight=0.0) == [1, 2, 3]


def test_a_filter_lifts_what_passes(services: Services) -> None:
    """Equals keep the order of the search."""
    assert order(services, Passes(Compare("price", Operator.GREATER_THAN, 20.0))) == [2, 3, 1]


@pytest.mark.parametrize("curve", Curve)
def test_a_decay_prefers_what_is_near_its_origin(services: Services, curve: Curve) -> None:
    """On every curve."""
    assert order(services, NumericDecay(property="price", origin=45.0, scale=20.0, curve=curve))[0] == 3
    assert order(services, NumericDecay(property="price", origin=45.0, scale=20.0, offset=1000.0, curve=curve)) == [1, 2, 3]


def test_dates_decay_too_and_a_missing_value_counts_nothing(services: Services) -> None:
    """An object without a date is neither old nor new."""
    assert order(services, TimeDecay(property="day", origin="2020-01-02T00:00:00Z", scale_s=86_400 * 365)) == [2, 1, 3]


def test_a_value_counts_by_its_size(services: Services) -> None:
    """A modifier keeps one bestseller from deciding alone."""
    assert order(services, PropertyValue(property="sold")) == [1, 3, 2]
    assert order(services, PropertyValue(property="sold", modifier=Modifier.LOG1P)) == [1, 3, 2]


def test_a_condition_of_negative_weight_draws_down_what_it_says_something_of(services: Services) -> None:
    """Drafts shall come last, and still come; 0 is the usual weight, and weights are taken as positive where they are summed."""
    cheap, sold = Passes(Compare("price", Operator.LESS_THAN, 20.0)), PropertyValue(property="sold")

    def told(*conditions: tuple[Passes | PropertyValue, float]) -> list[int]:
        boost = Boost(conditions=tuple(BoostCondition(rule=rule, weight=weight) for rule, weight in conditions), weight=0.8)
        by = NearVector(vectors=(np.array([1, 0], np.float32),))
        return [hit.record.id.int for hit in services.searches.run(Search(collection="Food", by=by, boost=boost)).hits]

    assert told((cheap, -2.0)) == [2, 3, 1]
    assert told((cheap, -1.0), (sold, 3.0)) == [1, 2, 3]
    assert told((sold, -1.0)) == [2, 3, 1]
    assert told((sold, 0.0)) == told((sold, 1.0)) == [1, 2, 3]


def test_a_page_is_cut_after_the_boost(services: Services) -> None:
    """What a boost lifts must be able to reach the first page."""
    assert order(services, PropertyValue(property="price"), limit=1) == [2]
    assert order(services, PropertyValue(property="price"), limit=1, offset=1) == [3]


def test_what_cannot_be_computed_is_refused(services: Services) -> None:
    """A rule that is left out would be a wrong order that looks right."""
    wrong = (PropertyValue(property="day"), TimeDecay(property="price", origin="now", scale_s=1), NumericDecay(property="price", origin=0, scale=0))
    for rule in wrong:
        with pytest.raises(InvalidInput, match="boost"):
            order(services, rule)
    with pytest.raises(InvalidInput, match="condition"):
        order(services)
    with pytest.raises(InvalidInput, match="needs one"):
        services.searches.run(Search(collection="Food", boost=Boost(conditions=(BoostCondition(rule=PropertyValue(property="price")),))))
