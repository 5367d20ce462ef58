"""Write an ONNX model down, node by node.

A thin shell around `onnx.helper`: it names what flows between nodes and collects the constants. The graphs themselves are in the folders of their
models. Imports onnx, so it is itself imported only when a model has to be made. May import numpy and onnx.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, ValueInfoProto, helper, numpy_helper

Array = npt.NDArray[Any]

OPSET = 17
"""The first operator set with a layer norm of its own; every onnxruntime since 1.12 runs it."""

IR_VERSION = 8
"""The file format that belongs to it; onnx would write its newest, which an older onnxruntime refuses."""

KINDS = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "uint8": TensorProto.UINT8}


class Graph:
    """A model in the making; its constants are written straight into it, since each copy of them costs as much memory as the model."""

    def __init__(self, name: str) -> None:
        self._model = helper.make_model(helper.make_graph([], name, [], []), opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        self._constants: set[str] = set()

    def constant(self, name: str, value: npt.ArrayLike, kind: str = "float32") -> str:
        """Keep an array in the model; the same name again is the same constant."""
        if name not in self._constants:
            self._constants.add(name)
            self._model.graph.initializer.append(numpy_helper.from_array(np.array(value, kind, order="C"), name))
        return name

    def node(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Apply an operator; returns its output's name."""
        output = output or f"t{len(self._model.graph.node)}"
        self._model.graph.node.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def finish(self, *, inputs: list[ValueInfoProto], outputs: list[ValueInfoProto]) -> bytes:
        """The model as the bytes of an ONNX file; the same bytes for the same graph."""
        self._model.graph.input.extend(inputs)
        self._model.graph.output.extend(outputs)
        return bytes(self._model.SerializeToString(deterministic=True))


def edge(name: str, kind: str, *shape: int | str) -> ValueInfoProto:
    """An input or output of the model; a side that varies is a letter."""
    return helper.make_tensor_value_info(name, KINDS[kind], list(shape))
