"""Build an EfficientNet-Lite as an ONNX graph from its PyTorch weights.

The network (Tan & Le, arXiv:1905.11946; the Lite variant: no squeeze-and-excitation, ReLU6 for swish):

    pixels (n, side, side, 3) uint8
      -> (x - 127) / 128, channels first                     in the graph, so that it runs without the GIL
      -> stem      3 x 3, stride 2, 32 channels
      -> blocks    expand 1 x 1 -> depthwise k x k -> project 1 x 1, plus the input where the shapes agree
      -> head      1 x 1, 1280 channels
      -> mean over the positions                             output "embedding"      (n, 1280)
      -> linear, softmax                                     output "probabilities"  (n, 1000)

Each convolution is followed by a batch norm, which at inference is one multiplication and one addition per channel, so it is folded into the
convolution: with s = gamma / sqrt(variance + epsilon),

    s * (w * x - mean) + beta  =  (s w) * x + (beta - s mean)

Padding is TensorFlow's "same": as little as needed, the odd pixel on the right and below. ONNX calls that SAME_UPPER.

`runtime.graph` imports onnx, so this is itself imported only when a model has to be made. May import numpy and `runtime.graph`.
"""

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.vectorizers.runtime.graph import KINDS, Graph, edge

Array = npt.NDArray[Any]
Tensors = Mapping[str, Array]

CLASSES = 1000
EMBEDDING = 1280

EPSILON = 1e-3
"""Of the batch norms; TensorFlow's EfficientNet was trained with it (PyTorch's default would be 1e-5)."""

STAGES = ((1, 1, False), (2, 2, True), (2, 2, True), (3, 2, True), (3, 1, True), (4, 2, True), (1, 1, True))
"""Blocks, stride of the first block, whether it expands; arXiv:1905.11946, table 1. Kernels and channels are read off the weights. The larger variants repeat
the blocks of all stages but the first and the last more often."""


def build(tensors: Tensors, *, side: int, depth: float) -> bytes:
    """The model, as the bytes of an ONNX file.

    Args:
        tensors: the checkpoint's, by their PyTorch names.
        side: of the pictures.
        depth: how many times as many blocks as Lite0 has.

    Raises:
        KeyError: a tensor is missing.
    """
    graph = Graph("efficientnet-lite")
    x = _convolution(graph, tensors, _normalised(graph), "_conv_stem", "_bn0", stride=2)
    for index, (stride, expands) in enumerate(_blocks(depth)):
        x = _block(graph, tensors, x, f"_blocks.{index}", stride=stride, expands=expands)
    x = _convolution(graph, tensors, x, "_conv_head", "_bn1")
    x = graph.node("Flatten", graph.node("GlobalAveragePool", x), output="embedding")
    x = graph.node("Gemm", x, graph.constant("classifier.weight", tensors["_fc.weight"]), graph.constant("classifier.bias", tensors["_fc.bias"]), transB=1)
    graph.node("Softmax", x, output="probabilities", axis=-1)
    outputs = [edge("embedding", "float32", "n", EMBEDDING), edge("probabilities", "float32", "n", CLASSES)]
    return graph.finish(inputs=[edge("pixels", "uint8", "n", side, side, 3)], outputs=outputs)


def _normalised(graph: Graph) -> str:
    """(x - 127) / 128, as the weights' first publisher has it; ImageNet's mean and deviation instead cost 0.09 of top-1 accuracy."""
    x = graph.node("Cast", "pixels", to=KINDS["float32"])
    x = graph.node("Sub", x, graph.constant("centre", 127))
    x = graph.node("Mul", x, graph.constant("scale", 1 / 128))
    return graph.node("Transpose", x, perm=[0, 3, 1, 2])


def _convolution(graph: Graph, tensors: Tensors, x: str, name: str, norm: str, *, stride: int = 1, relu6: bool = True) -> str:
    """A convolution with its batch norm folded in; depthwise where the weights are (channels, 1, k, k)."""
    weight, (scale, shift) = tensors[f"{name}.weight"], _folded(tensors, norm)
    kernel = graph.constant(f"{name}.weight", weight * scale[:, None, None, None])
    bias = graph.constant(f"{name}.bias", shift)
    group = weight.shape[0] if weight.shape[1] == 1 else 1
    x = graph.node("Conv", x, kernel, bias, auto_pad="SAME_UPPER", strides=[stride, stride], kernel_shape=list(weight.shape[2:]), group=group)
    return graph.node("Clip", x, graph.constant("zero", 0), graph.constant("six", 6)) if relu6 else x


def _folded(tensors: Tensors, norm: str) -> tuple[Array, Array]:
    gamma, beta, mean, variance = (tensors[f"{norm}.{part}"].astype(np.float64) for part in ("weight", "bias", "running_mean", "running_var"))
    scale = gamma / np.sqrt(variance + EPSILON)
    return scale, beta - scale * mean


def _blocks(depth: float) -> Iterator[tuple[int, bool]]:
    for number, (blocks, stride, expands) in enumerate(STAGES):
        is_inner = 0 < number < len(STAGES) - 1
        yield stride, expands
        yield from ((1, expands) for _ in range((ceil(blocks * depth) if is_inner else blocks) - 1))


def _block(graph: Graph, tensors: Tensors, x: str, name: str, *, stride: int, expands: bool) -> str:
    start, entering = x, tensors[f"{name}._depthwise_conv.weight"].shape[0]
    if expands:
        entering = tensors[f"{name}._expand_conv.weight"].shape[1]
        x = _convolution(graph, tensors, x, f"{name}._expand_conv", f"{name}._bn0")
    x = _convolution(graph, tensors, x, f"{name}._depthwise_conv", f"{name}._bn1", stride=stride)
    x = _convolution(graph, tensors, x, f"{name}._project_conv", f"{name}._bn2", relu6=False)
    leaving = tensors[f"{name}._project_conv.weight"].shape[0]
    return graph.node("Add", x, start) if stride == 1 and entering == leaving else x
