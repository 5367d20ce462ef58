"""From pixels to what a model looks at, and from what it saw to the meaning of words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nearimage.vectorizers.efficientnet_lite.crop import centre
from nearimage.vectorizers.starter.bridge import LIKELIEST, bridge, class_names


@given(height=st.integers(1, 700), width=st.integers(1, 700))
def test_a_picture_of_any_size_is_cut_to_224(height: int, width: int) -> None:
    """Banners and single pixels are pictures too."""
    assert np.array_equal(centre(np.full((height, width, 3), 77, np.uint8), 224, 256), np.full((224, 224, 3), 77))


def test_the_cut_is_the_centre() -> None:
    """A shifted cut costs accuracy that no error shows."""
    picture = np.zeros((256, 512, 3), np.uint8)
    picture[16:240, 144:368] = 200

    assert (centre(picture, 224, 256) == 200).all()


def test_the_cut_is_no_larger_than_the_centre() -> None:
    """The model was tested with an eighth of the shorter side cut away."""
    picture = np.full((512, 512, 3), 200, np.uint8)
    picture[:24] = picture[-24:] = 0
    picture[:, :24] = picture[:, -24:] = 0

    assert (centre(picture, 224, 256) == 200).all()


def test_a_large_picture_is_shrunk_to_its_mean() -> None:
    """Without averaging, fine patterns turn into false ones."""
    picture = np.zeros((4096, 4096, 3), np.uint8)
    picture[::2] = 200

    assert np.abs(centre(picture, 224, 256).astype(int) - 100).max() <= 1


def test_there_is_one_name_for_each_class() -> None:
    """A line lost in the list would shift every class after it."""
    names = class_names()

    assert len(names) == len(set(names)) == 1000
    assert [names[index] for index in (0, 281, 817, 999)] == ["tench", "tabby", "sports car", "toilet tissue"]


def test_a_picture_of_one_thing_lies_at_its_name() -> None:
    """The bridge's end points are the names themselves."""
    names = np.eye(4, dtype=np.float32)

    assert bridge(names[[2]], names).tolist() == names[[2]].tolist()


def test_a_doubtful_picture_lies_between_names() -> None:
    """The second guess has a say, a smaller one."""
    (row,) = bridge(np.array([[0.64, 0.36, 0, 0]], np.float32), np.eye(4, dtype=np.float32))

    assert row[0] > row[1] > 0
    assert row[2] == row[3] == 0
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-6)


def test_unlikely_classes_have_no_say() -> None:
    """A thousand small doubts would pull every picture to the same place."""
    probabilities = np.linspace(1, 2, LIKELIEST * 2, dtype=np.float32)[None]

    assert np.count_nonzero(bridge(probabilities, np.eye(LIKELIEST * 2, dtype=np.float32))) == LIKELIEST


def test_no_pictures_give_no_rows() -> None:
    """An empty batch stays one."""
    assert bridge(np.empty((0, 100), np.float32), np.eye(100, dtype=np.float32)).shape == (0, 100)
