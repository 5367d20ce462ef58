"""Weights are rounded for the sake of what is computed with them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from nearimage.vectorizers.runtime import rounding
from nearimage.vectorizers.runtime.rounding import MOST_INPUTS, round_rows, round_weights

Array = npt.NDArray[Any]
LEVELS = 15  # few, so that rounding matters


def test_two_weights_of_the_same_input_make_up_for_each_other() -> None:
    """The example of the module: two small weights that each would vanish."""
    rows = np.array([[[0.4, 0.4, 5.0]]])
    spread = np.array([[[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])

    rounded = round_rows(rows, spread, 5)

    assert sorted(rounded[0, 0, :2]) == [0, 1]
    assert rounded[0, 0, 2] == 5


@pytest.mark.parametrize("groups", [1, 6])
def test_the_outputs_change_less_than_with_each_weight_rounded_alone(groups: int) -> None:
    """That is the whole point; the inputs of a layer are related to each other, and the weights are rounded together."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(groups, 8, 20))
    inputs = rng.normal(size=(groups, 500, 5)) @ rng.normal(size=(groups, 5, 20)) + 0.3 * rng.normal(size=(groups, 500, 20))
    spread = inputs.swapaxes(1, 2) @ inputs / 500

    def error(rounded: Array) -> float:
        return float(np.square(inputs @ (rounded - rows).swapaxes(1, 2)).mean())

    together, alone = round_rows(rows, spread, LEVELS), round_rows(rows, None, LEVELS)

    assert error(together) < 0.5 * error(alone)
    steps = np.abs(rows).max(axis=2, keepdims=True) / LEVELS
    assert np.allclose(together / steps, np.rint(together / steps))
    assert np.allclose(np.abs(together).max(axis=2), np.abs(rows).max(axis=2), rtol=1e-12)  # or the quantiser would find other steps


def test_inputs_that_never_vary_are_no_obstacle() -> None:
    """A channel behind a ReLU may be zero for every calibration picture."""
    rows = np.random.default_rng(2).normal(size=(1, 4, 6))

    assert np.isfinite(round_rows(rows, np.zeros((1, 6, 6)), LEVELS)).all()
    assert np.array_equal(round_rows(np.zeros((1, 4, 6)), np.eye(6)[None], LEVELS), np.zeros((1, 4, 6)))


CONVOLUTIONS: Mapping[str, tuple[tuple[int, ...], Mapping[str, Any]]] = {
    "plain": ((8, 6, 3, 3), {"pads": [1, 1, 1, 1]}),
    "same, upper": ((8, 6, 3, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "same, lower": ((8, 6, 4, 4), {"auto_pad": "SAME_LOWER"}),
    "valid": ((8, 6, 5, 3), {"auto_pad": "VALID", "strides": [1, 2]}),
    "uneven margins": ((8, 6, 2, 2), {"pads": [0, 1, 2, 0]}),
    "points": ((8, 6, 1, 1), {}),
    "depthwise": ((6, 1, 3, 3), {"group": 6, "auto_pad": "SAME_UPPER"}),
    "groups": ((8, 3, 3, 3), {"group": 2}),
}


@pytest.mark.parametrize("kind", CONVOLUTIONS)
@pytest.mark.parametrize("has_bias", [True, False])
def test_the_mean_of_every_channel_stays(kind: str, has_bias: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shift of the mean goes on through all layers that follow. It is measured by ONNX Runtime, so what lies under a kernel was read as it reads it."""
    monkeypatch.setattr(rounding, "POSITIONS", 8 * 8)  # all there are, so that the mean is that of everything
    shape, said = CONVOLUTIONS[kind]
    rng = np.random.default_rng(3)
    constants = {"w": rng.normal(size=shape), **({"b": rng.normal(size=shape[:1])} if has_bias else {})}
    source = saved(tmp_path / "model.onnx", constants, said)
    pictures = [rng.uniform(0, 1, (1, 6, 7, 8)) + rng.uniform(0, 1, (1, 6, 1, 1)) for _ in range(40)]
    feeds = [{"x": picture.astype(np.float32)} for picture in pictures]

    round_weights(source, tmp_path / "rounded.onnx", feeds, levels=LEVELS)

    exact, rounded = (outputs(path, feeds) for path in (source, tmp_path / "rounded.onnx"))
    nearest = outputs(saved(tmp_path / "nearest.onnx", {**constants, "w": nearest_weights(constants["w"])}, said), feeds)
    assert not np.array_equal(exact, rounded)
    assert np.square(rounded - exact).mean() < np.square(nearest - exact).mean()
    if has_bias:
        assert np.abs((rounded - exact).mean(axis=(0, 2, 3))).max() < 1e-4


def test_a_layer_of_very_many_inputs_has_its_mean_corrected_at_least(tmp_path: Path) -> None:
    """The time for the rest grows with the cube of the inputs."""
    rng = np.random.default_rng(4)
    shape = (2, MOST_INPUTS + 1, 1, 1)
    source = saved(tmp_path / "model.onnx", {"w": rng.normal(size=shape), "b": np.zeros(2)}, {})
    feeds = [{"x": rng.uniform(0, 1, (1, MOST_INPUTS + 1, 1, 2)).astype(np.float32)} for _ in range(4)]

    round_weights(source, tmp_path / "rounded.onnx", feeds, levels=LEVELS)

    change = outputs(tmp_path / "rounded.onnx", feeds) - outputs(source, feeds)
    assert np.abs(change).max() > 0.01
    assert np.abs(change.mean(axis=(0, 2, 3))).max() < 1e-3


def test_what_two_layers_share_is_left_alone(tmp_path: Path) -> None:
    """Rounded for one it would be wrong for the other."""
    weight = np.random.default_rng(5).normal(size=(6, 6, 1, 1)).astype(np.float32)
    nodes = [helper.make_node("Conv", ["x", "w"], ["h"]), helper.make_node("Conv", ["h", "w"], ["y"])]
    source = written(tmp_path / "model.onnx", nodes, {"w": weight})

    round_weights(source, tmp_path / "rounded.onnx", [{"x": np.ones((1, 6, 2, 2), np.float32)}], levels=LEVELS)

    (kept,) = onnx.load(str(tmp_path / "rounded.onnx")).graph.initializer
    assert np.array_equal(numpy_helper.to_array(kept), weight)


def nearest_weights(weight: Array) -> Array:
    steps = np.abs(weight).max(axis=(1, 2, 3), keepdims=True) / LEVELS
    return np.asarray(np.rint(weight / steps) * steps)


def saved(path: Path, constants: Mapping[str, Array], said: Mapping[str, Any]) -> Path:
    """A model of one convolution."""
    return written(path, [helper.make_node("Conv", ["x", *constants], ["y"], **said)], constants)


def written(path: Path, nodes: Sequence[Any], constants: Mapping[str, Array]) -> Path:
    initializers = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    edges = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None] * 4) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "test", edges[:1], edges[1:], initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def outputs(path: Path, feeds: Sequence[Mapping[str, Array]]) -> Array:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["y"], dict(feed))[0] for feed in feeds])
