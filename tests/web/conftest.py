"""A live server, some pictures in it, and a real browser in front of it."""

import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.servers import start_server

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]

WAIT_MS = 20_000
"""Longer than the slowest step of a page on a machine that is busy with something else."""

SHAPES = ("disc", "bars", "cross", "rings", "checks")


def draw(name: str) -> Image.Image:
    """A picture of a shape, each unlike the others."""
    image = Image.new("RGB", (240, 160), "white")
    pen = ImageDraw.Draw(image)
    if name == "disc":
        pen.ellipse((60, 20, 180, 140), fill="crimson")
    elif name == "bars":
        for x in range(0, 240, 40):
            pen.rectangle((x, 0, x + 20, 160), fill="navy")
    elif name == "cross":
        pen.line((40, 20, 200, 140), fill="black", width=24)
        pen.line((200, 20, 40, 140), fill="black", width=24)
    elif name == "rings":
        for r in range(10, 80, 16):
            pen.ellipse((120 - r, 80 - r, 120 + r, 80 + r), outline="green", width=6)
    else:
        for x in range(0, 240, 40):
            pen.rectangle((x, 40 * (x // 40 % 2), x + 40, 40 * (x // 40 % 2) + 80), fill="orange")
    return image


@dataclass(frozen=True, slots=True)
class Server:
    """A running `nearimage serve`."""

    url: str
    grpc_port: int


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve a data folder on free ports."""
    running = start_server(folder, "--clip-model", "starter")
    yield Server(f"{running.url}/", running.grpc_port)
    assert running.stop() == 0


def fill(url: str, pictures: Path) -> None:
    """Three collections: seen by pictures only, described by words too, and of text without any picture."""
    properties = [{"name": "name", "dataType": ["text"]}, {"name": "sides", "dataType": ["int"]}, {"name": "photo", "dataType": ["blob"]}]
    by_picture = {"vectorizer": {"img2vec-neural": {"imageFields": ["photo"]}}}
    by_words = {"vectorizer": {"multi2vec-clip": {"imageFields": ["photo"], "model": "starter"}}}
    encoded = {name: b64encode((pictures / f"{name}.png").read_bytes()).decode() for name in SHAPES}
    objects = [
        {"class": collection, "properties": {"name": name, "sides": n, "photo": encoded[name]}}
        for collection in ("Shapes", "Things")
        for n, name in enumerate(SHAPES)
    ]
    notes = [{"class": "Notes", "properties": {"title": f"<img src=x onerror=alert({n})>"}, "vector": [1, n]} for n in range(2)]
    with httpx.Client(base_url=url, timeout=60) as client:
        shapes = {"vectorizer": "img2vec-neural", "moduleConfig": {"img2vec-neural": {"imageFields": ["photo"]}}}
        client.post("v1/schema", json={"class": "Notes", "properties": [{"name": "title", "dataType": ["text"]}]}).raise_for_status()
        client.post("v1/schema", json={"class": "Shapes", "properties": properties, **shapes}).raise_for_status()
        client.post("v1/schema", json={"class": "Things", "properties": properties, "vectorConfig": {"seen": by_picture, "said": by_words}}).raise_for_status()
        outcomes = client.post("v1/batch/objects", json={"objects": objects + notes}).raise_for_status().json()
    assert {outcome["result"]["status"] for outcome in outcomes} == {"SUCCESS"}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for name in SHAPES:
        draw(name).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("data")) as running:
        fill(running.url, pictures)
        yield running


@pytest.fixture
def empty_server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium, or any Chrome on the PATH")
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield running
        running.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """Opens pages, each as if in a browser of its own."""
    with ExitStack() as contexts:

        def opened(address: str, *, width: int = 1280, dark: bool = False) -> Page:
            context = contexts.enter_context(browser.new_context(viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light"))
            context.set_default_timeout(WAIT_MS)
            page = context.new_page()
            page.goto(address)
            return page

        yield opened
