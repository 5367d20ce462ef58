"""Round a convolution's weights so that what it computes changes least.

Rounding each weight to its nearest step is the best that can be done for the weights, and not for the outputs. A row w of the weights meets inputs x (what lies
under the kernel at a position of a picture), and its output changes by dw.x. Two things make that smaller, and neither costs anything when the model runs:

    the mean    dw.mean(x) is the same for every input, so the bias takes it up (Nagel et al., "Data-free quantization through weight equalization and bias
                correction", arXiv:1906.04721). After a ReLU all inputs are positive, so this is a large part of the error.
    the rest    has the square dw C dw^T, C being the covariance of the inputs. The weights are rounded one after the other, those with the most varied inputs
                first; after each, the weights not rounded yet are moved so that they make up for its error as well as they can. With U the upper Cholesky
                factor of C^-1, rounding the i-th to q moves the j-th (j > i) by -(w_i - q) U_ij / U_ii ("GPTQ", Frantar et al., arXiv:2210.17323).

For example: two inputs that always have the same value, weights 0.4 and 0.4, steps of 1. Each alone would become 0, and the output 0.8 x too. Here the first
becomes 0, the second is moved to 0.8 and becomes 1: the output is 1 x.

The means and covariances come from calibration inputs, at random positions of each. The steps of a row are those that the quantiser will find: its largest
weight is the last of `levels` steps, and stays there. EfficientNet-Lite0 with 7-bit weights kept 0.89 of the ten nearest before and keeps 0.95
(docs/design/vectorizers.md). Left out: what the rounding of the layers before does to the inputs; the covariances are those of the exact model.

May import onnx and onnxruntime (inside functions) and numpy.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Feed = Mapping[str, Array]

POSITIONS = 32
"""Of each picture and layer; with 32 pictures 1,024 samples of up to 1,152 inputs. 64 keep no more of the neighbours."""

DAMPING = 0.01
"""This share of the mean variance is added to each variance, as GPTQ does: fewer samples than inputs leave directions about which nothing is known."""

BLOCK = 32
"""Weights rounded before the rest is moved, by all their errors at once: 8.7 s of CPU become 2 for EfficientNet-Lite0."""

MOST_INPUTS = 2304
"""Of one output. The time grows with their cube; a layer with more (ResNet-50's last of 3 x 3, which would take minutes) has its mean corrected only."""


@dataclass(frozen=True, slots=True)
class _Kernel:
    """A convolution that can be rounded, read off its node."""

    source: str
    weight: str
    bias: str
    groups: int
    strides: tuple[int, int]
    padding: str | tuple[int, ...]

    def windows(self, x: Array, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        """What lies under the kernel at some positions of one input: (groups, positions, inputs of an output)."""
        padded = np.pad(x, ((0, 0), *self._margins(x.shape[1:], shape)))
        view = np.lib.stride_tricks.sliding_window_view(padded, shape, axis=(1, 2))[:, :: self.strides[0], :: self.strides[1]]
        down, across = view.shape[1:3]
        chosen = rng.permutation(down * across)[:POSITIONS]
        found = view[:, chosen // across, chosen % across].reshape(self.groups, -1, len(chosen), shape[0] * shape[1])
        return found.swapaxes(1, 2).reshape(self.groups, len(chosen), -1)

    def _margins(self, size: Sequence[int], shape: tuple[int, int]) -> list[tuple[int, int]]:
        if not isinstance(self.padding, str):
            top, left, bottom, right = self.padding
            return [(top, bottom), (left, right)]
        margins = []
        for length, kernel, stride in zip(size, shape, self.strides, strict=True):
            whole = max((-(-length // stride) - 1) * stride + kernel - length, 0) if self.padding != "VALID" else 0
            small, large = whole // 2, whole - whole // 2
            margins.append((small, large) if self.padding != "SAME_LOWER" else (large, small))
        return margins


class _Moments:
    """Mean and covariance of a layer's inputs, group by group."""

    def __init__(self, groups: int, inputs: int) -> None:
        self._count = 0
        self._sum = np.zeros((groups, inputs))
        self._products = np.zeros((groups, inputs, inputs)) if inputs <= MOST_INPUTS else None

    def add(self, samples: Array) -> None:
        """Count (groups, n, inputs) samples."""
        self._count += samples.shape[1]
        self._sum += samples.sum(axis=1, dtype=np.float64)
        if self._products is not None:
            self._products += samples.swapaxes(1, 2) @ samples

    @property
    def mean(self) -> Array:
        """(groups, inputs)."""
        return self._sum / self._count

    def spread(self, *, around_mean: bool) -> Array | None:
        """(groups, inputs, inputs): the covariance, or the mean of the products themselves; None for more than MOST_INPUTS."""
        if self._products is None:
            return None
        raw = self._products / self._count
        return raw - self.mean[:, :, None] * self.mean[:, None, :] if around_mean else raw


def round_weights(source: Path, target: Path, feeds: Sequence[Feed], *, levels: int) -> None:
    """Write a model whose convolutions have rounded weights, and biases that make up for it.

    Args:
        source: float, with the shapes of its constants known.
        feeds: inputs of single runs, at least one.
        levels: how many steps a row's largest weight is away from zero.

    Cost:
        10 s for EfficientNet-Lite0 on one core.
    """
    import onnx  # noqa: PLC0415 - heavy
    from onnx import numpy_helper  # noqa: PLC0415

    model = onnx.load(str(source))
    constants = {entry.name: entry for entry in model.graph.initializer}
    uses = Counter(name for node in model.graph.node for name in node.input)
    own = {name: entry for name, entry in constants.items() if uses[name] == 1}  # what two layers share fits only one of them
    kernels = [kernel for node in model.graph.node if node.op_type == "Conv" and (kernel := _read(node, own))]
    weights = {kernel: numpy_helper.to_array(constants[kernel.weight]) for kernel in kernels}
    for kernel, moments in _observed(model, weights, feeds).items():
        weight = weights[kernel].astype(np.float64)
        rows = weight.reshape(kernel.groups, weight.shape[0] // kernel.groups, -1)
        rounded = round_rows(rows, moments.spread(around_mean=bool(kernel.bias)), levels)
        _put(constants[kernel.weight], rounded.reshape(weight.shape))
        if kernel.bias:
            shift = np.einsum("grk,gk->gr", rounded - rows, moments.mean).ravel()
            _put(constants[kernel.bias], numpy_helper.to_array(constants[kernel.bias]) - shift)
    onnx.save(model, str(target))


def round_rows(rows: Array, spread: Array | None, levels: int) -> Array:
    """The weights on their steps, so that the square of the outputs' error is small.

    Args:
        rows: (groups, outputs, inputs) float64.
        spread: (groups, inputs, inputs) float64, of the inputs; None where nothing is known of it: then each weight goes to its nearest step.
        levels: as for `round_weights`.

    Returns:
        (groups, outputs, inputs); each row's largest weight is as it was, all others multiples of that weight over `levels`.
    """
    largest = np.abs(rows).max(axis=2, keepdims=True)
    steps = np.where(largest > 0, largest, 1.0) / levels
    nearest = np.rint(rows / steps)
    if spread is None:
        return nearest * steps
    inputs = rows.shape[2]
    variances = np.einsum("gii->gi", spread)
    order = np.argsort(-variances.mean(axis=0), kind="stable")
    damped = spread + (DAMPING * variances.mean(axis=1) + 1e-12)[:, None, None] * np.eye(inputs)
    upper = np.linalg.cholesky(np.linalg.inv(damped[:, order][:, :, order])).swapaxes(1, 2)
    codes = _rounded(rows[:, :, order] / steps, upper, levels)
    rounded = np.empty_like(rows)
    rounded[:, :, order] = np.where(np.abs(rows[:, :, order]) == largest, nearest[:, :, order], codes) * steps
    return rounded


def _rounded(left: Array, upper: Array, levels: int) -> Array:
    """The steps of weights in the order in which they are rounded; changes what is `left` of them."""
    codes = np.empty_like(left)
    inputs = left.shape[2]
    for begin in range(0, inputs, BLOCK):
        end = min(begin + BLOCK, inputs)
        errors = np.empty_like(left[:, :, begin:end])
        for i in range(begin, end):
            codes[:, :, i] = np.clip(np.rint(left[:, :, i]), -levels, levels)
            errors[:, :, i - begin] = (left[:, :, i] - codes[:, :, i]) / upper[:, i, i, None]
            left[:, :, i + 1 : end] -= errors[:, :, i - begin, None] * upper[:, None, i, i + 1 : end]
        left[:, :, end:] -= errors @ upper[:, begin:end, end:]
    return codes


def _read(node: Any, constants: Mapping[str, Any]) -> _Kernel | None:
    """A convolution over pictures with constant weights; None for any other."""
    from onnx import helper  # noqa: PLC0415 - heavy

    said = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    weight, bias = node.input[1], node.input[2] if len(node.input) > len(("x", "weight")) else ""
    is_plain = weight in constants and len(constants[weight].dims) == len("oikk") and bias in {"", *constants}
    if not is_plain or set(said.get("dilations", (1,))) != {1}:
        return None
    automatic = said.get("auto_pad", b"NOTSET").decode()
    padding = tuple(said.get("pads", (0, 0, 0, 0))) if automatic == "NOTSET" else automatic
    down, across = said.get("strides", (1, 1))
    return _Kernel(node.input[0], weight, bias, said.get("group", 1), (down, across), padding)


def _observed(model: Any, weights: Mapping[_Kernel, Array], feeds: Sequence[Feed]) -> dict[_Kernel, _Moments]:
    """What each layer is given in the exact model."""
    moments = {kernel: _Moments(kernel.groups, int(np.prod(weight.shape[1:]))) for kernel, weight in weights.items()}
    rng = np.random.default_rng(0)
    sources = sorted({kernel.source for kernel in weights})
    for inputs in _runs(model, sources, feeds):
        for kernel, weight in weights.items():
            for x in inputs[kernel.source]:
                moments[kernel].add(kernel.windows(x, weight.shape[2:], rng))
    return moments


def _runs(model: Any, names: Sequence[str], feeds: Sequence[Feed]) -> Iterator[Mapping[str, Array]]:
    """For each input of the model what flows through these edges."""
    import onnxruntime  # noqa: PLC0415 - heavy
    from onnx import ModelProto, helper  # noqa: PLC0415

    open_model = ModelProto()
    open_model.CopyFrom(model)
    known = {edge.name for edge in (*model.graph.input, *model.graph.output)}
    open_model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names if name not in known)
    session = onnxruntime.InferenceSession(open_model.SerializeToString(), providers=["CPUExecutionProvider"])
    asked = [name for name in names if name not in {edge.name for edge in model.graph.input}]
    for feed in feeds:
        yield {**feed, **dict(zip(asked, session.run(asked, dict(feed)) if asked else (), strict=True))}


def _put(constant: Any, value: Array) -> None:
    from onnx import numpy_helper  # noqa: PLC0415 - heavy

    constant.CopyFrom(numpy_helper.from_array(value.astype(np.float32), constant.name))
