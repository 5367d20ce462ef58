"""Build all-MiniLM-L6-v2 as an ONNX graph: word pieces in, one unit vector a text out.

A BERT encoder (Devlin et al., arXiv:1810.04805) of 6 layers, 12 heads and 384 dimensions, distilled (MiniLM, arXiv:2002.10957) and trained on
pairs of sentences; the last two lines are what sentence-transformers puts behind it.

    ids, mask (n, s) int64
      -> word + position + segment embedding, layer norm
      -> 6 times:  x = norm(x + attention(x));  x = norm(x + W2 gelu(W1 x))
      -> mean over the word pieces that the mask marks
      -> divided by its length                                 output "vectors" (n, 384)

    attention(x) = softmax(Q K^T / sqrt(32) + bias) V, per head; the bias is 0 where the mask is 1, and so low elsewhere that exp makes it 0

Three things are done once, here, and not in each run: query, key and value matrices stand side by side as one; the division by sqrt(32) is in
the query's numbers; the segment embedding, always segment 0, is in the position table.

`runtime.graph` imports onnx, so this is itself imported only when a model has to be made. May import numpy and `runtime.graph`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.vectorizers.runtime.graph import KINDS, Graph, edge

Array = npt.NDArray[Any]
Tensors = Mapping[str, Array]

LAYERS = 6
HEADS = 12
HEAD = 32
WIDTH = HEADS * HEAD

EPSILON = 1e-12
"""Of the layer norms; the model's config.json."""

MASKED = -1e4
"""Added to the score of a padded position: exp(-1e4) is 0 in float32."""

INDICES = {"axis0": [0], "axis1": [1], "axis2": [2], "heads_axes": [1, 2], "to_heads": [0, 0, 3, HEADS, HEAD], "from_heads": [0, 0, WIDTH]}
"""Axes and shapes that nodes take as inputs; in a shape, 0 keeps what was there."""


def build(tensors: Tensors) -> bytes:
    """The model, as the bytes of an ONNX file.

    Args:
        tensors: the encoder's, by their PyTorch names.

    Raises:
        KeyError: a tensor is missing.
    """
    graph = Graph("all-minilm-l6-v2")
    for name, values in INDICES.items():
        graph.constant(name, values, "int64")
    mask = graph.node("Cast", "mask", to=KINDS["float32"])
    bias = _mask_bias(graph, mask)
    x = _embedded(graph, tensors)
    for index in range(LAYERS):
        x = _layer(graph, tensors, x, bias, f"encoder.layer.{index}")
    _pooled(graph, x, mask)
    inputs = [edge("ids", "int64", "n", "s"), edge("mask", "int64", "n", "s")]
    return graph.finish(inputs=inputs, outputs=[edge("vectors", "float32", "n", WIDTH)])


def _mask_bias(graph: Graph, mask: str) -> str:
    """(n, s) of 1 and 0 -> (n, 1, 1, s) of 0 and MASKED."""
    missing = graph.node("Sub", graph.constant("one", 1), mask)
    return graph.node("Unsqueeze", graph.node("Mul", missing, graph.constant("masked", MASKED)), "heads_axes")


def _embedded(graph: Graph, tensors: Tensors) -> str:
    words = graph.constant("words", tensors["embeddings.word_embeddings.weight"])
    places = graph.constant("places", tensors["embeddings.position_embeddings.weight"] + tensors["embeddings.token_type_embeddings.weight"][0])
    length = graph.node("Slice", graph.node("Shape", "ids"), "axis1", "axis2")
    used = graph.node("Slice", places, "axis0", length, "axis0")
    return _norm(graph, tensors, graph.node("Add", graph.node("Gather", words, "ids", axis=0), used), "embeddings.LayerNorm")


def _layer(graph: Graph, tensors: Tensors, x: str, bias: str, name: str) -> str:
    attended = _dense(graph, tensors, _attention(graph, tensors, x, bias, f"{name}.attention.self"), f"{name}.attention.output.dense")
    x = _norm(graph, tensors, graph.node("Add", attended, x), f"{name}.attention.output.LayerNorm")
    narrow = _dense(graph, tensors, _gelu(graph, _dense(graph, tensors, x, f"{name}.intermediate.dense")), f"{name}.output.dense")
    return _norm(graph, tensors, graph.node("Add", narrow, x), f"{name}.output.LayerNorm")


def _attention(graph: Graph, tensors: Tensors, x: str, bias: str, name: str) -> str:
    scale = np.float32(HEAD**-0.5)
    weight = np.concatenate([tensors[f"{name}.query.weight"] * scale, tensors[f"{name}.key.weight"], tensors[f"{name}.value.weight"]])
    shift = np.concatenate([tensors[f"{name}.query.bias"] * scale, tensors[f"{name}.key.bias"], tensors[f"{name}.value.bias"]])
    mixed = graph.node("Reshape", _linear(graph, x, name, weight, shift), "to_heads")  # (n, s, 3, heads, 32)
    heads = graph.node("Transpose", mixed, perm=[2, 0, 3, 1, 4])  # (3, n, heads, s, 32)
    query, key, value = (graph.node("Gather", heads, graph.constant(f"part{part}", part, "int64"), axis=0) for part in range(3))
    scores = graph.node("MatMul", query, graph.node("Transpose", key, perm=[0, 1, 3, 2]))
    shares = graph.node("Softmax", graph.node("Add", scores, bias), axis=-1)
    return graph.node("Reshape", graph.node("Transpose", graph.node("MatMul", shares, value), perm=[0, 2, 1, 3]), "from_heads")


def _linear(graph: Graph, x: str, name: str, weight: Array, bias: Array) -> str:
    """X W^T + b, as PyTorch stores W: (out, in)."""
    product = graph.node("MatMul", x, graph.constant(f"{name}.weight", weight.T))
    return graph.node("Add", product, graph.constant(f"{name}.bias", bias))


def _dense(graph: Graph, tensors: Tensors, x: str, name: str) -> str:
    return _linear(graph, x, name, tensors[f"{name}.weight"], tensors[f"{name}.bias"])


def _norm(graph: Graph, tensors: Tensors, x: str, name: str) -> str:
    scale, shift = (graph.constant(f"{name}.{part}", tensors[f"{name}.{part}"]) for part in ("weight", "bias"))
    return graph.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=EPSILON)


def _gelu(graph: Graph, x: str) -> str:
    """X Phi(x), exactly, spelled so that ONNX Runtime recognises and fuses it."""
    erf = graph.node("Erf", graph.node("Div", x, graph.constant("root_two", 2**0.5)))
    return graph.node("Mul", graph.node("Mul", x, graph.node("Add", erf, "one")), graph.constant("half", 0.5))


def _pooled(graph: Graph, x: str, mask: str) -> None:
    total = graph.node("ReduceSum", graph.node("Mul", x, graph.node("Unsqueeze", mask, "axis2")), "axis1", keepdims=0)
    mean = graph.node("Div", total, graph.node("ReduceSum", mask, "axis1", keepdims=1))
    graph.node("Div", mean, graph.node("ReduceL2", mean, axes=[1], keepdims=1), output="vectors")
