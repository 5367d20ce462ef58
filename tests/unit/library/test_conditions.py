"""Python's comparisons become filters, and what Python would quietly get wrong is refused."""

import pytest

from nearimage import field
from nearimage.domain.filters import And, Compare, GeoRange, Not, Operator, Or


def test_comparisons_are_the_filters_of_the_same_meaning() -> None:
    """A condition that looks like Python must mean what it means in Python."""
    weight = field("weight")
    asked = [weight == 1, weight != 1, weight < 1, weight <= 1, weight > 1, weight >= 1]
    operators = [
        Operator.EQUAL,
        Operator.NOT_EQUAL,
        Operator.LESS_THAN,
        Operator.LESS_THAN_EQUAL,
        Operator.GREATER_THAN,
        Operator.GREATER_THAN_EQUAL,
    ]

    assert [condition.filter for condition in asked] == [Compare("weight", operator, 1) for operator in operators]


def test_conditions_are_joined_by_signs() -> None:
    """With Python's own precedence: ~ before & before |."""
    a, b, c = (field(name).is_missing() for name in "abc")

    assert (a & ~b | c).filter == Or((And((a.filter, Not(b.filter))), c.filter))


def test_the_other_questions_have_words() -> None:
    """What no sign of Python stands for."""
    assert field("name").like("r*").filter == Compare("name", Operator.LIKE, "r*")
    assert field("tags").contains_any("a", "b").filter == Compare("tags", Operator.CONTAINS_ANY, ("a", "b"))
    assert field("tags").contains_all("a").filter == Compare("tags", Operator.CONTAINS_ALL, ("a",))
    assert (field("tags").length() > 2).filter == Compare("len(tags)", Operator.GREATER_THAN, 2)
    assert field("home").within(5, latitude=1, longitude=2).filter == Compare("home", Operator.WITHIN_GEO_RANGE, GeoRange(1, 2, 5))


def test_and_or_not_are_refused() -> None:
    """`a and b` would silently be b."""
    a = field("a") == 1

    with pytest.raises(TypeError, match="join conditions with"):
        bool(a)
    with pytest.raises(TypeError):
        not a  # noqa: B018 - the question itself is what is refused
    with pytest.raises(TypeError):
        1 < field("a") < 2  # noqa: B015
