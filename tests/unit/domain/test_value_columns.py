"""A batch turned from objects into columns loses nothing."""

from hypothesis import given
from hypothesis import strategies as st

from nearimage.domain.value_columns import across, columns_of

NAMES = ("a", "b", "c")
ALIKE = st.lists(st.fixed_dictionaries({name: st.integers() for name in NAMES}), max_size=6)
MIXED = st.lists(st.dictionaries(st.sampled_from(NAMES), st.integers()), max_size=6)


@given(ALIKE | MIXED)
def test_columns_hold_every_value_at_its_place(objects: list[dict[str, int]]) -> None:
    """What is worked on by column must find its way back to its object."""
    again: list[dict[str, int]] = [{} for _ in objects]
    for name, (places, values) in columns_of(objects).items():
        assert list(places) == sorted(set(places))
        for place, value in zip(places, values, strict=True):
            again[place][name] = value
    assert again == objects
    in_order = {name: None for properties in objects for name in properties}
    assert [list(values) for values in across(columns_of(objects).values(), len(objects))] == [
        [properties[name] for name in in_order if name in properties] for properties in objects
    ]
