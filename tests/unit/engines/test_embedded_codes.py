"""The compressed vectors: taking out and adding leaves what a fresh index would have."""

import numpy as np
import pytest

from nearimage.domain.objects import Matrix
from nearimage.engines.embedded.ann.codes import Bitmap, Codes
from nearimage.engines.embedded.ann.training import Stopped, train_centres, train_points, train_spread
from nearimage.engines.embedded.background import Stop

KEPT = 32


def go_on() -> bool:
    """Never stop."""
    return False


def vectors(count: int, seed: int = 1) -> Matrix:
    """Random ones."""
    return np.random.default_rng(seed).standard_normal((count, KEPT)).astype(np.float32)


def empty(lists: int, *, inner_product: bool = False, stop: Stop = go_on) -> Codes:
    """Codes trained on some vectors, without any."""
    sample = vectors(1000)
    centres = train_centres(sample, lists, inner_product=inner_product, stop=stop)
    return Codes.empty(centres, train_points(sample, stop), train_spread(sample, centres, stop), inner_product=inner_product)


def bitmap(numbers: "list[int] | range", capacity: int) -> Bitmap:
    """A bitmap of these."""
    mask = np.zeros(capacity, np.bool_)
    mask[list(numbers)] = True
    return np.packbits(mask, bitorder="little")


@pytest.mark.parametrize("inner_product", [False, True])
@pytest.mark.parametrize("lists", [1, 8])
def test_codes_that_were_changed_answer_like_fresh_ones(lists: int, inner_product: bool) -> None:
    """Objects are replaced all day; after each extension a little of the index would be lost for ever, and nobody would notice."""
    stored, changed = vectors(3000), vectors(3000, seed=2)
    codes = empty(lists, inner_product=inner_product)
    codes.add(stored, np.arange(3000))
    for start in range(0, 3000, 150):  # a twentieth at a time gets other vectors under its old numbers
        part = np.arange(start, start + 150)
        codes = codes.without(bitmap(part.tolist(), 3000))
        assert len(codes) == 2850
        codes.add(changed[part], part)
    fresh = empty(lists, inner_product=inner_product)
    fresh.add(changed, np.arange(3000))
    for query in vectors(50, seed=3):
        got, expected = (one.search(query, candidates=40, lists=np.arange(lists), allowed=None) for one in (codes, fresh))
        assert np.allclose(got[1], expected[1], rtol=1e-5, atol=1e-4)
        assert len(set(got[0].tolist()) & set(expected[0].tolist())) >= 39  # equal codes at the end may stand in another order


def test_a_copy_leaves_the_original_as_it_was() -> None:
    """Searches go on in the original while the copy is changed."""
    codes = empty(4)
    codes.add(vectors(500), np.arange(500))
    before = codes.search(vectors(1)[0], candidates=20, lists=np.arange(4), allowed=None)
    copy = codes.without(bitmap(range(500), 500))
    copy.add(vectors(100, seed=5), np.arange(100))
    after = codes.search(vectors(1)[0], candidates=20, lists=np.arange(4), allowed=None)
    assert before[0].tolist() == after[0].tolist()
    assert before[1].tolist() == after[1].tolist()
    assert (len(codes), len(copy)) == (500, 100)


def test_only_allowed_slots_are_found_and_no_more_than_there_are() -> None:
    """A filter that lets one through must find that one, and say that there are no others."""
    codes = empty(4)
    codes.add(vectors(500), np.arange(500))
    found, distances = codes.search(vectors(1)[0], candidates=10, lists=np.arange(4), allowed=bitmap([77, 400], 500))
    assert sorted(found.tolist()) == [77, 400]
    assert distances.tolist() == sorted(distances.tolist())
    again = Codes.from_bytes(codes.to_bytes(), codes.spread)
    assert again.search(vectors(1)[0], candidates=10, lists=np.arange(4), allowed=bitmap([77, 400], 500))[0].tolist() == found.tolist()


def test_training_stops_when_it_is_told_to() -> None:
    """A database that is closed must not wait for an index."""
    asked = []

    def soon() -> bool:
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(Stopped):
        empty(8, stop=soon)
    assert len(asked) == 4
