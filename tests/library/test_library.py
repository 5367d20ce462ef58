"""The library call on real photographs and a real folder."""

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest

import nearimage
from nearimage import field
from nearimage.domain.errors import FolderInUse, InvalidInput, NotFound, NoVectorizer
from nearimage.library.connecting import Library
from nearimage.library.pictures import PICTURES_AT_ONCE, Pictures

ROOT = Path(__file__).resolve().parents[2]
PHOTOS = ("cheetah", "lion", "quokka", "motorcycle")


@pytest.fixture
def library(data_folder: Path) -> Iterator[Library]:
    """An open database without collections."""
    with nearimage.connect(data_folder) as opened:
        yield opened


@pytest.fixture
def animals(library: Library, photos: Mapping[str, Path]) -> Pictures:
    """Four photographs with their names."""
    collection = library.collection("animal")
    assert collection.add_many([{"image": photos[name], "name": name, "letters": len(name), "id": UUID(int=n)} for n, name in enumerate(PHOTOS, 1)]) == []
    return collection


def names(matches: list[Any]) -> list[object]:
    return [match.properties["name"] for match in matches]


def test_a_picture_finds_itself_by_path_by_bytes_and_by_text(animals: Pictures, photos: Mapping[str, Path]) -> None:
    """Whatever form a user has it in."""
    lion = photos["lion"]
    found = [animals.search(image, limit=2) for image in (lion, str(lion), lion.read_bytes())]

    assert [one[0].id for one in found] == [UUID(int=2)] * 3
    assert found[0] == found[1] == found[2]
    assert found[0][0].distance == pytest.approx(0, abs=1e-5)
    assert animals.name == "Animal"
    assert len(animals) == 4


def test_conditions_keywords_and_objects_narrow_and_rank(animals: Pictures, photos: Mapping[str, Path]) -> None:
    """Everything a search can start from, alone and together."""
    lion = photos["lion"]

    assert "lion" not in names(animals.search(lion, where=(field("letters") > 4) & ~(field("name") == "quokka")))
    assert names(animals.search(keywords="quokka motorcycle", limit=1)) in (["quokka"], ["motorcycle"])
    assert names(animals.search(like=UUID(int=2), limit=1)) == ["lion"]
    assert set(names(animals.search(where=field("letters") == 6))) == {"quokka"}
    assert set(names(animals.search())) == set(PHOTOS)
    fused = animals.search(lion, keywords="quokka")
    assert {"lion", "quokka"} == set(names(fused[:2]))
    assert fused[0].score is not None


def test_what_contradicts_itself_is_refused(animals: Pictures, photos: Mapping[str, Path]) -> None:
    """One clear message, and no guess."""
    with pytest.raises(InvalidInput, match="image and text"):
        animals.search(photos["lion"], text="a lion")
    with pytest.raises(InvalidInput, match="like must be a UUID"):
        animals.search(like="lion")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="not base64"):
        animals.search("no/such/file.jpg")
    with pytest.raises(NoVectorizer):
        animals.search(text="a lion")
    with pytest.raises(InvalidInput, match="cannot be read"):
        animals.add(Path("no/such/file.jpg"))
    with pytest.raises(InvalidInput, match="a path, bytes or base64"):
        animals.add(17)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        animals.add(photos["lion"], letters="many")
    with pytest.raises(InvalidInput):
        animals.search(vector=np.ones(3))
    assert len(animals) == 4


def test_of_many_only_the_wrong_ones_are_left_out(library: Library, photos: Mapping[str, Path]) -> None:
    """Over the borders of commits, and told by position."""
    small = io.BytesIO()
    from PIL import Image

    Image.new("RGB", (8, 8), "red").save(small, "PNG")
    count = PICTURES_AT_ONCE + 5
    given: list[dict[str, object]] = [{"image": small.getvalue(), "number": number} for number in range(count)]
    given[3] = {"number": 3}
    given[50]["image"] = b"no picture"
    given[count - 1]["id"] = "no id"
    red = library.collection("Red")

    failed = red.add_many(iter(given))

    assert [one.position for one in failed] == [3, 50, count - 1]
    assert "under 'image'" in failed[0].reason
    assert "UUID" in failed[2].reason
    assert len(red) == count - 3
    assert red.delete_where(field("number") < 20) == 19


def test_objects_are_shown_changed_and_deleted(animals: Pictures, photos: Mapping[str, Path]) -> None:
    """A changed picture is found by its new looks."""
    lion = UUID(int=2)
    assert animals.get(lion).properties["name"] == "lion"
    assert animals.picture(lion) == photos["lion"].read_bytes()
    assert animals.picture(lion, short_side=32)[:2] == b"\xff\xd8"

    animals.update(lion, name="bike", image=photos["motorcycle"], letters=None)

    assert set(names(animals.search(photos["motorcycle"], limit=2))) == {"bike", "motorcycle"}
    assert "letters" not in animals.get(lion).properties
    assert [animals.delete(lion), animals.delete(lion)] == [True, False]
    with pytest.raises(NotFound):
        animals.get(lion)
    with pytest.raises(NotFound):
        animals.update(uuid4(), name="nobody")


def test_what_was_added_is_there_when_the_folder_is_opened_again(data_folder: Path, photos: Mapping[str, Path]) -> None:
    """And a folder that is open is refused, not shared."""
    with nearimage.connect(data_folder) as library:
        added = library.collection("Animal").add(photos["lion"], name="lion")
        with pytest.raises(FolderInUse):
            nearimage.connect(data_folder)
    with nearimage.connect(data_folder) as library:
        assert library.collections() == ("Animal",)
        assert library.collection("Animal").get(added).properties == {"name": "lion"}
        assert [library.drop("Animal"), library.drop("Animal")] == [True, False]


def test_importing_costs_nothing_heavy() -> None:
    """A program that only may need the library must not pay for numpy, SQLite and models."""
    code = "import sys, nearimage; sys.exit(bool({'numpy', 'apsw', 'onnxruntime', 'faiss', 'PIL'} & set(sys.modules)))"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("document", "shown"), [("docs/guide/python.md", "lion 0.0"), ("README.md", "leonberger 0.0")])
@pytest.mark.usefixtures("data_folder")
def test_the_documents_do_what_they_say(document: str, shown: str, photos: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block that opens a folder, as it stands."""
    (tmp_path / "data").rename(tmp_path / "library")  # with the models converted
    for folder in ("photos", "dogs"):
        (tmp_path / folder).mkdir()
        for name in PHOTOS:
            shutil.copy(photos[name], tmp_path / folder / f"{name}.jpg")
    shutil.copy(photos["lion"], tmp_path / "query.jpg")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / document).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    code = "\n".join(block for block in blocks if "weaviate" not in block)
    printed = io.StringIO()

    with redirect_stdout(printed):
        exec(compile(code, document, "exec"), {})  # noqa: S102 - our own document

    assert shown in printed.getvalue()
