"""Rewrite a model in 8-bit integers.

Two ways, chosen by what the graph is made of:

    convolutions   static: the range of every activation is measured on calibration inputs; convolutions and what lies between run in integers (QDQ form),
                   with weights that were rounded for the sake of the outputs (`runtime.rounding`)
    matrices       dynamic: only matrix products are rewritten, each measures its input's range as it runs; no calibration, nothing to go wrong with
                   an input unlike the calibration's. For a transformer it is as quick as the static way and much closer (cosine 0.999 against 0.92 to 0.998).
                   The range is that of the whole run, so such a model runs its inputs one by one

Weights are rounded channel by channel. Where the CPU lacks instructions that sum four products of bytes at once (VNNI on x86, dotprod on ARM), ONNX Runtime
adds pairs of products in 16 bits, which overflows at full range; there weights get 7 bits. Source: ONNX Runtime's documentation, "Quantize ONNX
Models"; measured in docs/design/vectorizers.md. May import onnx, onnxruntime and numpy (inside functions), `runtime.rounding`.
"""

import logging
import platform
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.vectorizers.runtime.rounding import round_weights

Feed = Mapping[str, npt.NDArray[Any]]

_CPU = Path("/proc/cpuinfo")
_FULL_RANGE = ("vnni", "asimddp", "amx_int8")

_LEVELS, _LEVELS_OF_7_BITS = 127, 64
"""How many steps the quantiser puts between zero and the largest weight, without and with `reduce_range`."""


def sums_full_range() -> bool:
    """Whether this CPU sums products of bytes without overflow."""
    if platform.system() == "Darwin":
        return platform.machine() == "arm64"
    try:
        text = _CPU.read_text("utf-8", errors="replace")
    except OSError:
        return False
    return any(flag in text for flag in _FULL_RANGE)


def is_convolutional(source: Path) -> bool:
    """Whether a model computes with convolutions; a transformer has one, which cuts the picture into patches."""
    import onnx  # noqa: PLC0415 - heavy

    kinds = [node.op_type for node in onnx.load(str(source), load_external_data=False).graph.node]
    return kinds.count("Conv") > kinds.count("MatMul") + kinds.count("Gemm")


def quantize(source: Path, target: Path, feeds: Sequence[Feed]) -> None:
    """Write a model in 8-bit integers.

    Args:
        feeds: inputs of single runs; used where ranges must be measured.

    Cost:
        Some seconds to a minute, and three times the model's memory.
    """
    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)  # the quantiser advises through the root logger, about steps that are taken below
    try:
        if is_convolutional(source):
            _static(source, target, feeds)
        else:
            _dynamic(source, target)
    finally:
        logger.setLevel(before)


def _static(source: Path, target: Path, feeds: Sequence[Feed]) -> None:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static  # noqa: PLC0415 - heavy
    from onnxruntime.quantization.shape_inference import quant_pre_process  # noqa: PLC0415

    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        prepared, rounded = Path(folder) / "prepared.onnx", Path(folder) / "rounded.onnx"
        quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        round_weights(prepared, rounded, feeds, levels=_LEVELS if sums_full_range() else _LEVELS_OF_7_BITS)
        quantize_static(
            str(rounded),
            str(target),
            _Reader(feeds),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=not sums_full_range(),
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )


def _dynamic(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415 - heavy

    quantize_dynamic(
        str(source), str(target), per_channel=True, weight_type=QuantType.QInt8, reduce_range=not sums_full_range(), op_types_to_quantize=["MatMul"]
    )


class _Reader:
    """Gives the quantiser one input after the other; it asks for no more than this of its `CalibrationDataReader`."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds: Iterator[Feed] = iter(feeds)

    def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
        """The next input, or None."""
        feed = next(self._feeds, None)
        return None if feed is None else dict(feed)


def overlap(exact: npt.NDArray[np.float32], rounded: npt.NDArray[np.float32], *, k: int = 10) -> float:
    """How many of each row's k nearest rows, by cosine, are the same under both; 0 to 1.

    Args:
        exact, rounded: (n, dims) of the same inputs, n > k.
    """
    shared = 0
    for_both = [_nearest(rows, k) for rows in (exact, rounded)]
    for one, other in zip(*for_both, strict=True):
        shared += len(set(one.tolist()) & set(other.tolist()))
    return shared / (k * len(exact))


def _nearest(rows: npt.NDArray[np.float32], k: int) -> npt.NDArray[np.int64]:
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    similarities = unit @ unit.T
    np.fill_diagonal(similarities, -np.inf)
    return np.argsort(-similarities, axis=1, kind="stable")[:, :k]
