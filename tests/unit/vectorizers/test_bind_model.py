"""A stored model of seven senses: each input reaches its tower as ImageBind would give it, and one that cannot be read fails alone."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from nearimage.domain.errors import Busy, InvalidInput, UnreadableMedia
from nearimage.domain.vectorizing import Modality
from nearimage.ports.vectorizer import Input
from nearimage.vectorizers.multi2vec_bind.model import PREPARED, BindTowers
from nearimage.vectorizers.multi2vec_bind.recordings import read_sound
from nearimage.vectorizers.multi2vec_bind.shapes import CLIP_SHAPES
from nearimage.vectorizers.multi2vec_bind.sounds import audio_input
from nearimage.vectorizers.runtime.session import Session
from nearimage.vectorizers.store.adding import NewModel, add
from nearimage.vectorizers.store.folder import ModelStore, StoredModel
from nearimage.vectorizers.store.trial import UnusableModel
from tests.bind_towers import DIMENSIONS, NAME, sense_tower, stored_bind
from tests.unit.vectorizers.bind_inputs import SoundCase, grey, sound
from tests.unit.vectorizers.recordings import counted_frames, film_file, sound_file

SOUND = sound_file(sound(SoundCase(60_000, 16_000)), 16_000)
FILM = film_file(counted_frames())
MOTION = ("\n".join(",".join(str(n * k % 7) for k in range(1, 7)) for n in range(300))).encode()
PIXELS = grey((300, 400))

INPUTS = {
    Modality.TEXT: Input(Modality.TEXT, "a dog that barks"),
    Modality.IMAGE: Input(Modality.IMAGE, PIXELS),
    Modality.THERMAL: Input(Modality.THERMAL, PIXELS),
    Modality.DEPTH: Input(Modality.DEPTH, PIXELS),
    Modality.AUDIO: Input(Modality.AUDIO, SOUND),
    Modality.VIDEO: Input(Modality.VIDEO, FILM),
    Modality.IMU: Input(Modality.IMU, MOTION),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> StoredModel:
    """The small model in a store."""
    folder = tmp_path_factory.mktemp("bind")
    return stored_bind(folder / "store", folder / "files")


@pytest.fixture(scope="module")
def towers(stored: StoredModel) -> Iterator[BindTowers]:
    """Its towers."""
    with closing(BindTowers(stored)) as opened:
        yield opened


def test_the_model_understands_what_it_has_towers_for(towers: BindTowers) -> None:
    """A schema is checked against this before the first object fails."""
    assert towers.vectorizer().modalities == frozenset(Modality)
    assert frozenset(CLIP_SHAPES) == PREPARED


@pytest.mark.parametrize("modality", Modality)
def test_every_sense_gives_a_vector_of_length_one(towers: BindTowers, modality: Modality) -> None:
    """All in one space, the same each time, alone and beside others."""
    vectorizer = towers.vectorizer()

    (alone,) = vectorizer.embed([[INPUTS[modality]]])
    beside = vectorizer.embed([[INPUTS[modality]], list(INPUTS.values())])

    assert isinstance(alone, np.ndarray)
    assert alone.shape == (1, DIMENSIONS)
    assert np.linalg.norm(alone) == pytest.approx(1, abs=1e-5)
    for made, row in zip(beside, (0, list(INPUTS).index(modality)), strict=True):
        assert isinstance(made, np.ndarray)
        np.testing.assert_allclose(made[row], alone[0], atol=1e-5)


def test_a_sound_s_vector_is_the_mean_of_its_clips(stored: StoredModel, towers: BindTowers) -> None:
    """As ImageBind has it: each clip's vector gets length 1 first, so that a loud clip counts no more than a quiet one."""
    tower = stored.manifest.towers[Modality.AUDIO]
    (clips,) = Session(stored.path(tower.file)).run(("embeds",), {"clips": audio_input(read_sound(SOUND))})
    mean = (clips / np.linalg.norm(clips, axis=1, keepdims=True)).mean(axis=0)

    (made,) = towers.vectorizer().embed([[INPUTS[Modality.AUDIO]]])

    assert isinstance(made, np.ndarray)
    np.testing.assert_allclose(made[0], mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize("modality", [Modality.AUDIO, Modality.VIDEO, Modality.IMU])
def test_what_cannot_be_read_fails_alone(towers: BindTowers, modality: Modality) -> None:
    """In a batch of films one is always cut."""
    bad = Input(modality, b"neither sound nor film")

    first, second, third = towers.vectorizer().embed([[INPUTS[modality]], [INPUTS[Modality.TEXT], bad], [INPUTS[modality]]])

    assert isinstance(second, UnreadableMedia)
    assert isinstance(first, np.ndarray)
    assert isinstance(third, np.ndarray)


def test_a_model_that_is_not_normalised_keeps_its_lengths(tmp_path: Path) -> None:
    """Some exports scale inside of the graph; that scale is theirs to choose."""
    stored = stored_bind(tmp_path / "store", tmp_path / "files", normalise=False)
    with closing(BindTowers(stored)) as towers:
        (made,) = towers.vectorizer().embed([[INPUTS[Modality.IMU]]])

    assert isinstance(made, np.ndarray)
    assert abs(np.linalg.norm(made) - 1) > 1e-3


def test_a_closed_model_is_busy(stored: StoredModel) -> None:
    """The server is stopping, which is no fault of the request."""
    towers = BindTowers(stored)
    vectorizer = towers.vectorizer()
    towers.close()

    with pytest.raises(Busy):
        vectorizer.embed([[INPUTS[Modality.IMU]]])


def test_a_tower_that_takes_one_clip_at_a_time_is_fine(tmp_path: Path) -> None:
    """Exporters often fix the first side at 1."""
    path = tmp_path / "audio.onnx"
    path.write_bytes(sense_tower(Modality.AUDIO, clips=1))
    stored = add(ModelStore(tmp_path / "store"), NewModel(name=NAME, towers={Modality.AUDIO: path}))

    with closing(BindTowers(stored)) as towers:
        (made,) = towers.vectorizer().embed([[INPUTS[Modality.AUDIO]]])

    assert isinstance(made, np.ndarray)
    assert made.shape == (1, DIMENSIONS)


def test_a_tower_for_another_sense_is_refused_when_it_is_added(tmp_path: Path) -> None:
    """With a message now, or with a riddle at the first object."""
    path = tmp_path / "depth.onnx"
    path.write_bytes(sense_tower(Modality.DEPTH))

    with pytest.raises(UnusableModel, match="audio tower") as caught:
        add(ModelStore(tmp_path / "store"), NewModel(name=NAME, towers={Modality.AUDIO: path}))

    assert isinstance(caught.value, InvalidInput)
    assert "224" in caught.value.message
