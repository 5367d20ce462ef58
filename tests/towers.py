"""CLIP's two towers as ONNX files with random weights, of any size: what users bring, for tests and benchmarks.

The weights are drawn by name from a seed, under the names that transformers' CLIPModel gives them, so the same numbers can be loaded there; how close both
come is checked against `tests/unit/vectorizers/parity_reference.json`. May import numpy and the graph writer of `nearimage.vectorizers.runtime`.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nearimage.vectorizers.runtime.graph import Graph, edge

EPSILON = 1e-5
QUICK = 1.702  # of the quick GELU, openai/CLIP model.py
MASKED = -1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a model."""

    width: int
    layers: int
    heads: int
    dimensions: int
    side: int = 0
    patch: int = 0
    words: int = 0
    context: int = 77


VISION_B32 = Shape(width=768, layers=12, heads=12, dimensions=512, side=224, patch=32)
TEXT_B32 = Shape(width=512, layers=12, heads=8, dimensions=512, words=49_408)
SMALL_VISION = Shape(width=64, layers=2, heads=4, dimensions=32, side=32, patch=8)
SMALL_TEXT = Shape(width=64, layers=2, heads=4, dimensions=32, words=49_408)


def tensors(shape: Shape, kind: str) -> Mapping[str, npt.NDArray[np.float32]]:
    """Random weights by their names in transformers; `kind` is "vision" or "text"."""
    width, prefix = shape.width, f"{kind}_model"
    sizes: dict[str, tuple[int, ...]] = {}
    if kind == "vision":
        tokens = (shape.side // shape.patch) ** 2 + 1
        sizes[f"{prefix}.embeddings.class_embedding"] = (width,)
        sizes[f"{prefix}.embeddings.patch_embedding.weight"] = (width, 3, shape.patch, shape.patch)
        sizes[f"{prefix}.embeddings.position_embedding.weight"] = (tokens, width)
        norms = ["pre_layrnorm", "post_layernorm"]
    else:
        sizes[f"{prefix}.embeddings.token_embedding.weight"] = (shape.words, width)
        sizes[f"{prefix}.embeddings.position_embedding.weight"] = (shape.context, width)
        norms = ["final_layer_norm"]
    for layer in range(shape.layers):
        name = f"{prefix}.encoder.layers.{layer}"
        norms += [f"encoder.layers.{layer}.layer_norm1", f"encoder.layers.{layer}.layer_norm2"]
        for part, (out, into) in _dense(width).items():
            sizes |= {f"{name}.{part}.weight": (out, into), f"{name}.{part}.bias": (out,)}
    for norm in norms:
        sizes |= {f"{prefix}.{norm}.weight": (width,), f"{prefix}.{norm}.bias": (width,)}
    sizes[f"{'visual' if kind == 'vision' else 'text'}_projection.weight"] = (shape.dimensions, width)
    return {name: _drawn(name, size) for name, size in sizes.items()}


def _dense(width: int) -> Mapping[str, tuple[int, int]]:
    attention = {f"self_attn.{part}_proj": (width, width) for part in ("q", "k", "v", "out")}
    return {**attention, "mlp.fc1": (4 * width, width), "mlp.fc2": (width, 4 * width)}


def _drawn(name: str, size: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """Numbers of the order that training leaves: layer norms near 1, matrices that keep the length of what goes through."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    scale = 0.02 if len(size) == 1 or "embedding" in name else 1 / np.sqrt(np.prod(size[1:]))
    around = 1 if "norm" in name and name.endswith("weight") else 0
    return (rng.standard_normal(size, np.float32) * np.float32(scale) + np.float32(around)).astype(np.float32)


def vision_tower(shape: Shape) -> bytes:
    """The image tower: `pixel_values` (n, 3, side, side) -> `image_embeds` (n, dimensions), not normalised."""
    graph, weights = Graph("vision"), tensors(shape, "vision")
    prefix = "vision_model"
    patches = graph.node(
        "Conv",
        "pixel_values",
        graph.constant("patch", weights[f"{prefix}.embeddings.patch_embedding.weight"]),
        strides=[shape.patch] * 2,
        kernel_shape=[shape.patch] * 2,
    )
    flat = graph.node("Reshape", patches, graph.constant("flat", [0, shape.width, -1], "int64"))
    rows = graph.node("Transpose", flat, perm=[0, 2, 1])
    count = graph.node("Gather", graph.node("Shape", "pixel_values"), graph.constant("first", [0], "int64"))
    like = graph.node("Concat", count, graph.constant("one_row", [1, shape.width], "int64"), axis=0)
    summary = graph.node("Expand", graph.constant("class", weights[f"{prefix}.embeddings.class_embedding"][None, None]), like)
    x = graph.node("Concat", summary, rows, axis=1)
    x = graph.node("Add", x, graph.constant("places", weights[f"{prefix}.embeddings.position_embedding.weight"]))
    x = _norm(graph, weights, x, f"{prefix}.pre_layrnorm")
    x = _encoder(graph, weights, x, shape, prefix, mask=None)
    x = graph.node("Gather", x, graph.constant("zero", 0, "int64"), axis=1)
    x = _norm(graph, weights, x, f"{prefix}.post_layernorm")
    graph.node("MatMul", x, graph.constant("projection", weights["visual_projection.weight"].T), output="image_embeds")
    pixels = edge("pixel_values", "float32", "n", 3, shape.side, shape.side)
    return graph.finish(inputs=[pixels], outputs=[edge("image_embeds", "float32", "n", shape.dimensions)])


def text_tower(shape: Shape, *, length: int | None = None) -> bytes:
    """The text tower: `input_ids` (n, s) -> `text_embeds` (n, dimensions), not normalised; s is fixed where `length` says so."""
    graph, weights = Graph("text"), tensors(shape, "text")
    prefix = "text_model"
    x = graph.node("Gather", graph.constant("words", weights[f"{prefix}.embeddings.token_embedding.weight"]), "input_ids", axis=0)
    for name, value in {"from": [0], "axis0": [0], "second": [1]}.items():
        graph.constant(name, value, "int64")
    tokens = graph.node("Gather", graph.node("Shape", "input_ids"), "second")
    places = graph.constant("places", weights[f"{prefix}.embeddings.position_embedding.weight"])
    x = graph.node("Add", x, graph.node("Slice", places, "from", tokens, "axis0"))
    square = graph.constant("causal", np.triu(np.full((shape.context, shape.context), MASKED, np.float32), 1))
    mask = graph.node("Slice", graph.node("Slice", square, "from", tokens, "axis0"), "from", tokens, graph.constant("axis1", [1], "int64"))
    x = _encoder(graph, weights, x, shape, prefix, mask=mask)
    x = _norm(graph, weights, x, f"{prefix}.final_layer_norm")
    end = graph.node("Unsqueeze", graph.node("ArgMax", "input_ids", axis=1, keepdims=0), "second")  # the end's id is the largest
    pooled = graph.node("GatherND", x, end, batch_dims=1)
    graph.node("MatMul", pooled, graph.constant("projection", weights["text_projection.weight"].T), output="text_embeds")
    return graph.finish(inputs=[edge("input_ids", "int64", "n", length or "s")], outputs=[edge("text_embeds", "float32", "n", shape.dimensions)])


def _encoder(graph: Graph, weights: Mapping[str, npt.NDArray[np.float32]], x: str, shape: Shape, prefix: str, *, mask: str | None) -> str:
    graph.constant("to_heads", [0, 0, shape.heads, shape.width // shape.heads], "int64")
    graph.constant("from_heads", [0, 0, shape.width], "int64")
    scale = graph.constant("scale", (shape.width // shape.heads) ** -0.5)
    for layer in range(shape.layers):
        name = f"{prefix}.encoder.layers.{layer}"
        normed = _norm(graph, weights, x, f"{name}.layer_norm1")
        query, key, value = (graph.node("Reshape", _linear(graph, weights, normed, f"{name}.self_attn.{part}_proj"), "to_heads") for part in ("q", "k", "v"))
        query = graph.node("Mul", graph.node("Transpose", query, perm=[0, 2, 1, 3]), scale)
        scores = graph.node("MatMul", query, graph.node("Transpose", key, perm=[0, 2, 3, 1]))
        scores = graph.node("Add", scores, mask) if mask else scores
        seen = graph.node("MatMul", graph.node("Softmax", scores, axis=-1), graph.node("Transpose", value, perm=[0, 2, 1, 3]))
        seen = graph.node("Reshape", graph.node("Transpose", seen, perm=[0, 2, 1, 3]), "from_heads")
        x = graph.node("Add", x, _linear(graph, weights, seen, f"{name}.self_attn.out_proj"))
        wide = _linear(graph, weights, _norm(graph, weights, x, f"{name}.layer_norm2"), f"{name}.mlp.fc1")
        wide = graph.node("Mul", wide, graph.node("Sigmoid", graph.node("Mul", wide, graph.constant("quick", QUICK))))
        x = graph.node("Add", x, _linear(graph, weights, wide, f"{name}.mlp.fc2"))
    return x


def _linear(graph: Graph, weights: Mapping[str, npt.NDArray[np.float32]], x: str, name: str) -> str:
    product = graph.node("MatMul", x, graph.constant(f"{name}.weight", weights[f"{name}.weight"].T))
    return graph.node("Add", product, graph.constant(f"{name}.bias", weights[f"{name}.bias"]))


def _norm(graph: Graph, weights: Mapping[str, npt.NDArray[np.float32]], x: str, name: str) -> str:
    scale, shift = (graph.constant(f"{name}.{part}", weights[f"{name}.{part}"]) for part in ("weight", "bias"))
    return graph.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=EPSILON)
