"""Ways of ranking beyond one near query, and the clauses around them."""

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest

from nearimage.domain.drafts import Draft
from nearimage.domain.errors import InvalidInput, NoVectorizer, ObjectNotFound, VectorNameAmbiguous
from nearimage.domain.filters import Compare, Operator
from nearimage.domain.objects import Projection
from nearimage.domain.query import (
    Combination,
    Diversity,
    Fusion,
    GroupBy,
    Hybrid,
    Move,
    NearText,
    NearVector,
    Search,
    SortBy,
    Targets,
    Words,
)
from nearimage.domain.schema import Collection, DataType, Metric, Property, VectorConfig
from nearimage.service.services import Services
from tests.fakes import World

ROWS = [
    ("apple pie", 1, [1.0, 0.0], [0.0, 1.0]),
    ("apple tree", 2, [0.9, 0.1], [1.0, 0.0]),
    ("banana split", 3, [0.0, 1.0], [0.7, 0.7]),
    ("cherry pie", 3, [0.5, 0.5], None),
]
A, B, C, D = 1, 2, 3, 4


@pytest.fixture
def services() -> Services:
    made = World().services(maximum_results=100)
    properties = (
        Property(name="title", data_type=DataType.TEXT, searchable=True),
        Property(name="shelf", data_type=DataType.INT),
    )
    made.collections.create(Collection(name="Food", properties=properties, vectors=(VectorConfig(name="u"), VectorConfig(name="v", metric=Metric.L2_SQUARED))))
    drafts = []
    for number, (title, shelf, u, v) in enumerate(ROWS, 1):
        vectors = {"u": np.array(u, np.float32)} | ({"v": np.array(v, np.float32)} if v else {})
        drafts.append(Draft(id=UUID(int=number), properties={"title": title, "shelf": shelf}, vectors=vectors))
    made.objects.put_many("Food", drafts)
    return made


def near(*targets: str, combination: Combination = Combination.MINIMUM, weights: tuple[float, ...] = (), max_distance: float | None = None) -> NearVector:
    vector = np.array([1, 0], np.float32)
    return NearVector(vectors=(vector,), targets=Targets(names=targets, combination=combination, weights=weights), max_distance=max_distance)


def ids(services: Services, query: Search) -> list[int]:
    return [hit.record.id.int for hit in services.searches.run(query).hits]


def test_words_rank_by_their_score(services: Services) -> None:
    """The title with both words first."""
    found = services.searches.run(Search(collection="Food", by=Words(text="apple pie")))
    assert found.hits[0].record.id.int == A
    assert {hit.record.id.int for hit in found.hits} == {A, B, D}
    scores = [hit.score for hit in found.hits if hit.score is not None]
    assert scores == sorted(scores, reverse=True)
    assert ids(services, Search(collection="Food", by=Words(text="apple pie", minimum_match=0))) == [A]
    assert ids(services, Search(collection="Food", by=Words(text="pie"), where=Compare("shelf", Operator.EQUAL, 3))) == [D]


@pytest.mark.parametrize("properties", [("shelf",), ("nothing",), ("nothing^2",)])
def test_words_are_looked_for_in_searchable_properties_only(services: Services, properties: tuple[str, ...]) -> None:
    """Finding nothing would look like an answer."""
    with pytest.raises(InvalidInput):
        services.searches.run(Search(collection="Food", by=Words(text="apple", properties=properties)))


def test_words_are_looked_for_where_some_property_has_words(services: Services) -> None:
    """A collection of nothing but pictures cannot be searched so, alone or beside vectors."""
    services.collections.create(Collection(name="Bare", vectors=(VectorConfig(name="u"),)))
    for by in (Words(text="apple"), Hybrid(words=Words(text="apple"), near=near("u"), alpha=0.5)):
        with pytest.raises(InvalidInput, match="searched by words"):
            services.searches.run(Search(collection="Bare", by=by))


def test_weights_are_numbers(services: Services) -> None:
    """Who names a property twice means it twice; what is no number is a slip that would make a property count nothing."""

    def scores(*properties: str) -> list[float | None]:
        return [hit.score for hit in services.searches.run(Search(collection="Food", by=Words(text="tree", properties=properties))).hits]

    (once,) = scores("title")
    assert once is not None
    for properties in (("title^2",), ("Title^2",), ("title^2^3",), ("title", "title")):
        assert scores(*properties) == [pytest.approx(2 * once)]
    assert scores("title^0.5") == [pytest.approx(once / 2)]
    for slip in ("title^heavy", "title^", "title^nan"):
        with pytest.raises(InvalidInput, match="weight"):
            scores(slip)


def test_hybrid_weighs_both_legs(services: Services) -> None:
    """With alpha 0 the ranking is the words', with 1 the vectors', and in between an object that is good in both wins."""

    def hybrid(alpha: float, fusion: Fusion = Fusion.RELATIVE_SCORE) -> list[int]:
        return ids(services, Search(collection="Food", by=Hybrid(words=Words(text="cherry pie"), near=near("u"), alpha=alpha, fusion=fusion)))

    assert hybrid(0) == [D, A]
    assert hybrid(1) == [A, B, D, C]
    assert hybrid(0.5)[:2] == [D, A]
    assert hybrid(0.9) == [A, B, D, C]
    assert set(hybrid(0.5, Fusion.RANKED)) == {A, B, C, D}


def test_hybrid_without_words_is_what_its_vector_finds(services: Services) -> None:
    """Programs pass on what a person typed, and a person may type nothing beside a picture; words without a share find nothing."""
    nothing = Words(text="")
    assert ids(services, Search(collection="Food", by=Hybrid(words=nothing, near=near("u")))) == [A, B, D, C]
    assert ids(services, Search(collection="Food", by=Hybrid(words=nothing, near=near("u"), alpha=0))) == []
    with pytest.raises(NoVectorizer):
        services.searches.run(Search(collection="Food", by=Hybrid(words=nothing, targets=Targets.of("u"))))
    with pytest.raises(VectorNameAmbiguous):
        services.searches.run(Search(collection="Food", by=Hybrid(words=Words(text="apple"), alpha=0)))


def test_hybrid_without_a_vectorizer_needs_a_vector_unless_words_decide_alone(services: Services) -> None:
    """The leg without a share does not run."""
    words = Words(text="pie")
    assert set(ids(services, Search(collection="Food", by=Hybrid(words=words, alpha=0, targets=Targets.of("u"))))) == {A, D}
    with pytest.raises(NoVectorizer):
        services.searches.run(Search(collection="Food", by=Hybrid(words=words, alpha=0.5, targets=Targets.of("u"))))
    with pytest.raises(InvalidInput, match="alpha"):
        services.searches.run(Search(collection="Food", by=Hybrid(words=words, alpha=1.5)))


def test_several_targets_are_combined(services: Services) -> None:
    """The minimum needs one good target, a sum needs all of them."""
    assert ids(services, Search(collection="Food", by=near("u", "v"))) == [A, B, D, C]
    assert ids(services, Search(collection="Food", by=near("u", "v", combination=Combination.SUM))) == [B, C, A]
    weighed = near("u", "v", combination=Combination.MANUAL_WEIGHTS, weights=(10, 0.1))
    assert ids(services, Search(collection="Food", by=weighed)) == [B, A, C]
    assert ids(services, Search(collection="Food", by=near("u", "v", max_distance=0.01))) == [A, B]
    with pytest.raises(InvalidInput, match="weights"):
        services.searches.run(Search(collection="Food", by=near("u", "v", combination=Combination.MANUAL_WEIGHTS, weights=(1.0,))))


def test_each_target_may_have_a_vector_of_its_own(services: Services) -> None:
    """Two models have two spaces."""
    vectors = (np.array([0, 1], np.float32), np.array([1, 0], np.float32))
    by = NearVector(vectors=vectors, targets=Targets(names=("u", "v"), combination=Combination.SUM))
    assert ids(services, Search(collection="Food", by=by, limit=1)) == [C]
    with pytest.raises(InvalidInput, match="one for all"):
        services.searches.run(Search(collection="Food", by=NearVector(vectors=(*vectors, vectors[0]), targets=Targets(names=("u", "v")))))


def test_diversity_takes_what_differs(services: Services) -> None:
    """The nearest first, then the one least like it."""
    assert ids(services, Search(collection="Food", by=near("u"), diversity=Diversity(limit=2, balance=0.0))) == [A, C]
    assert ids(services, Search(collection="Food", by=near("u"), diversity=Diversity(limit=2, balance=1.0))) == [A, B]
    for wrong in (Diversity(limit=0), Diversity(limit=5), Diversity(limit=1, balance=2)):
        with pytest.raises(InvalidInput, match="MMR"):
            services.searches.run(Search(collection="Food", by=near("u"), limit=4, diversity=wrong))


def test_hits_are_grouped_by_a_property_that_need_not_be_returned(services: Services) -> None:
    """What is shown and what is grouped by are two questions."""
    query = Search(collection="Food", by=near("u"), group_by=GroupBy(property="shelf", groups=9, per_group=9), projection=Projection(properties=("title",)))
    groups = services.searches.run(query).groups
    assert groups is not None
    assert [(group.value, [hit.record.id.int for hit in group.hits]) for group in groups] == [(1, [A]), (2, [B]), (3, [D, C])]


def told_groups(services: Services, query: Search) -> list[tuple[object, list[int], list[float]]]:
    groups = services.searches.run(query).groups
    assert groups is not None
    return [(group.value, [hit.record.id.int for hit in group.hits], [round(one, 2) for one in (group.nearest, group.farthest)]) for group in groups]


def test_limit_and_offset_count_the_groups_of_a_near_query(services: Services) -> None:
    """The first offset + limit hits are put together, then the first offset groups are left out."""
    by_shelf = GroupBy(property="shelf", groups=9, per_group=9)
    assert told_groups(services, Search(collection="Food", by=near("u"), group_by=by_shelf, limit=2, offset=1)) == [
        (2, [B], [0.01, 0.01]),
        (3, [D], [0.29, 0.29]),
    ]


def test_a_group_is_as_near_as_its_best_hit(services: Services) -> None:
    """Whatever else is in it may be farther than the query reaches."""
    by_shelf = GroupBy(property="shelf", groups=9, per_group=9)
    query = Search(collection="Food", by=near("u", max_distance=0.5), group_by=by_shelf, where=Compare("shelf", Operator.GREATER_THAN, 1))
    assert told_groups(services, query) == [(2, [B], [0.01, 0.01]), (3, [D, C], [0.29, 1.0])]
    assert told_groups(services, replace(query, by=near("u", max_distance=0.1))) == [(2, [B], [0.01, 0.01])]


def test_a_page_that_words_found_is_grouped_by_texts(services: Services) -> None:
    """The page first, then the groups; what words found has no distance, what only its vector found has one."""
    by_title = GroupBy(property="title", groups=9, per_group=9)
    words = Search(collection="Food", by=Words(text="tree"), group_by=by_title)
    assert told_groups(services, words) == [("apple tree", [B], [0.0, 0.0])]
    assert told_groups(services, replace(words, group_by=GroupBy(property="shelf", groups=9, per_group=9))) == []
    hybrid = Hybrid(words=Words(text="tree"), near=near("u"), alpha=0.5)
    assert told_groups(services, replace(words, by=hybrid, limit=2)) == [("apple tree", [B], [0.0, 0.0]), ("apple pie", [A], [0.0, 0.0])]
    assert told_groups(services, replace(words, by=hybrid, limit=1, offset=2)) == [("cherry pie", [D], [0.29, 0.29])]


def test_a_jump_is_sought_before_it_is_asked_how_near(services: Services) -> None:
    """What a distance leaves out is still part of the row of distances in which the jump is."""
    assert ids(services, Search(collection="Food", by=near("u", max_distance=0.5), autocut=1)) == [A, B, D]
    assert ids(services, Search(collection="Food", by=near("u", max_distance=0.1), autocut=1)) == [A, B]


def test_autocut_ends_the_list_where_distances_jump(services: Services) -> None:
    """What follows the jump has nothing to do with the query."""
    assert ids(services, Search(collection="Food", by=near("u"), autocut=1)) == [A, B, D]


def test_a_listing_can_be_sorted(services: Services) -> None:
    """By several keys, each its way; equals by id."""
    sort = (SortBy(field="shelf", descending=True), SortBy(field="title"))
    assert ids(services, Search(collection="Food", sort=sort)) == [C, D, B, A]


@pytest.mark.parametrize(
    "query",
    [
        Search(collection="Food", by=Words(text="pie"), sort=(SortBy(field="shelf"),)),
        Search(collection="Food", after=UUID(int=1), offset=1),
        Search(collection="Food", after=UUID(int=1), sort=(SortBy(field="shelf"),)),
        Search(collection="Food", after=UUID(int=1), by=Words(text="pie")),
        Search(collection="Food", by=Words(text="pie"), diversity=Diversity(limit=1)),
    ],
)
def test_clauses_that_contradict_each_other_are_refused(services: Services, query: Search) -> None:
    """Ignoring one would be a wrong answer that looks right."""
    with pytest.raises(InvalidInput):
        services.searches.run(query)


def test_a_move_needs_somewhere_to_go(services: Services) -> None:
    """A force without a direction is a typing mistake."""
    world = World().services()
    world.collections.create(Collection(name="Pic", vectors=(VectorConfig(name="clip", module="multi2vec-clip", module_settings={"textFields": ["t"]}),)))
    for move, error in ((Move(force=0.5), InvalidInput), (Move(force=0.5, ids=(UUID(int=9),)), ObjectNotFound)):
        with pytest.raises(error):
            world.searches.run(Search(collection="Pic", by=NearText(concepts=("red",), move_to=move)))
