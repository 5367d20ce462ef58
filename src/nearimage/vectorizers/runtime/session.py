"""One ONNX model, loaded and ready to run from several threads.

ONNX Runtime would start a thread pool of its own for each session. Here each run stays on the thread that called it (`intra_op_num_threads = 1`)
and the callers are as many as there are cores (`nearimage.vectorizers.runtime.runner`): two cores then work on two micro-batches without ever
waiting for each other, which is quicker than both sharing one (docs/design/vectorizers.md has the figures). Only where a single caller has the
machine to itself, `threads` gives one run every core.

onnxruntime is imported with the first session, not with this module: it takes 0.05 s and 20 MiB that a server without vectorizers never needs.
May import numpy, `domain` and, inside functions, onnxruntime.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from nearimage.domain.errors import Corrupt, InvalidInput

Array = npt.NDArray[Any]

QUIET = 3
"""ONNX Runtime's log level "error": its warnings are about graph optimisation and mean nothing to a user."""

DTYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


class Provider(StrEnum):
    """What models run on."""

    CPU = "cpu"
    OPENVINO = "openvino"
    CUDA = "cuda"


PROVIDERS = {Provider.CPU: "CPUExecutionProvider", Provider.OPENVINO: "OpenVINOExecutionProvider", Provider.CUDA: "CUDAExecutionProvider"}
PACKAGES = {Provider.CPU: "onnxruntime", Provider.OPENVINO: "onnxruntime-openvino", Provider.CUDA: "onnxruntime-gpu"}


@dataclass(frozen=True, slots=True)
class Edge:
    """An input or output of a model.

    Attributes:
        dtype: None for what is no array of a kind in `DTYPES`.
        shape: a side that varies is None.
    """

    name: str
    dtype: type[np.generic] | None
    shape: tuple[int | None, ...]


def check_provider(provider: Provider) -> None:
    """Refuse what the installed ONNX Runtime cannot do.

    Raises:
        InvalidInput: detail has "provider" and "have".
    """
    import onnxruntime  # noqa: PLC0415 - heavy, see above

    have = onnxruntime.get_available_providers()
    if PROVIDERS[provider] not in have:
        message = (
            f"models cannot run on {provider.value!r}: the installed ONNX Runtime has {', '.join(have)}; put {PACKAGES[provider]} in place of onnxruntime "
            f"(pip uninstall onnxruntime; pip install {PACKAGES[provider]}), or use cpu"
        )
        raise InvalidInput(message, provider=provider.value, have=have)


class Session:
    """A model file, loaded.

    Args:
        path: an ONNX file.
        threads: how many cores one run uses.
        provider: what it runs on; nodes that it cannot run stay on the CPU.

    Raises:
        Corrupt: ONNX Runtime cannot read the file; detail has "path".
        InvalidInput: see `check_provider`.
    """

    def __init__(self, path: Path, *, threads: int = 1, provider: Provider = Provider.CPU) -> None:
        import onnxruntime  # noqa: PLC0415 - heavy, see above

        check_provider(provider)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads would take the cores from searches
        options.inter_op_num_threads = 1
        options.log_severity_level = QUIET
        # The memory arena stays on, its default: without it glibc keeps more of what each run frees (91 MiB against 66 with pictures one by one,
        # 329 against 132 with four; docs/design/vectorizers.md).
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=[*dict.fromkeys((PROVIDERS[provider], PROVIDERS[Provider.CPU]))])
        except Exception as error:  # onnxruntime raises classes of its own without a common root
            raise Corrupt(f"the model file {path} cannot be loaded ({error}); delete it and it will be made again", path=str(path)) from error

    @property
    def inputs(self) -> tuple[Edge, ...]:
        """What the model takes."""
        return tuple(_edge(found) for found in self._session.get_inputs())

    @property
    def outputs(self) -> tuple[Edge, ...]:
        """What the model gives."""
        return tuple(_edge(found) for found in self._session.get_outputs())

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Array]) -> list[Array]:
        """Run the model on this thread; the GIL is free meanwhile.

        Args:
            outputs: names of the model's outputs.
            inputs: by name, of the shapes and dtypes that the graph states.

        Returns:
            One array for each name in `outputs`.
        """
        results = self._session.run(list(outputs), dict(inputs))
        return [np.asarray(result) for result in results]


def _edge(found: Any) -> Edge:
    return Edge(found.name, DTYPES.get(found.type), tuple(side if isinstance(side, int) and side > 0 else None for side in found.shape))
