"""Files by `file:` URLs: only below one folder, only plain files."""

import os
import socket
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from nearimage.domain.errors import FetchFailed, InvalidInput, InvalidUrl, PictureTooLarge, UrlRefused
from nearimage.media.allowance import Allowance
from nearimage.media.folder import PictureFolder

BODY = b"\xff\xd8\xff the bytes of a picture"
LIMIT = 1_000


def allowance(size: int = 1_000_000) -> Allowance:
    """Of one request."""
    return Allowance(size, time.monotonic() + 60)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with a picture in it, and a secret beside it."""
    folder = tmp_path / "pictures"
    (folder / "dogs").mkdir(parents=True)
    (folder / "dogs" / "corgi ü.jpg").write_bytes(BODY)
    (tmp_path / "secret").write_bytes(b"a secret")
    (tmp_path / "pictures-of-others").mkdir()
    (tmp_path / "pictures-of-others" / "a.jpg").write_bytes(b"a secret")
    return folder


def refusal(root: Path, url: str) -> InvalidInput:
    """Why a file is not read."""
    with pytest.raises(InvalidInput) as caught:
        PictureFolder(root, max_bytes=LIMIT).read(url, allowance())
    return caught.value


@pytest.mark.parametrize("prefix", ["file://", "file:", "FILE://localhost"])
def test_a_file_below_the_folder_is_read(root: Path, prefix: str) -> None:
    """Whoever keeps a million pictures on the server's disk must not send them through a socket."""
    url = prefix + quote(str(root / "dogs" / "corgi ü.jpg"))

    assert PictureFolder(root, max_bytes=LIMIT).read(url, allowance()) == BODY


@pytest.mark.parametrize(
    "path",
    [
        "{parent}/secret",
        "{root}/../secret",
        "{root}/dogs/../../secret",
        "{root}/%2e%2e/secret",
        "{root}%2F..%2Fsecret",
        "{parent}/pictures-of-others/a.jpg",
        "/etc/passwd",
        "/proc/self/environ",
        "/dev/zero",
        "/there/is/nothing/here",
        "{root}",
        "{root}/",
        "{root}/dogs/..",
        "//etc/passwd",
    ],
)
def test_nothing_outside_the_folder_is_read(root: Path, path: str) -> None:
    """And the answer is the same whether there is something or not: it must tell nothing about the disk."""
    assert isinstance(refusal(root, "file://" + path.format(root=root, parent=root.parent)), UrlRefused)


def test_links_are_judged_by_where_they_lead(root: Path) -> None:
    """A link inside the folder is as good as its end."""
    (root / "inside.jpg").symlink_to(root / "dogs" / "corgi ü.jpg")
    (root / "outside.jpg").symlink_to(root.parent / "secret")
    (root / "nowhere.jpg").symlink_to(root.parent / "not there")
    (root / "others").symlink_to(root.parent / "pictures-of-others")
    (root / "circle").symlink_to(root / "circle")

    assert PictureFolder(root, max_bytes=LIMIT).read(f"file://{root}/inside.jpg", allowance()) == BODY
    for name in ("outside.jpg", "nowhere.jpg", "others/a.jpg"):
        assert isinstance(refusal(root, f"file://{root}/{name}"), UrlRefused), name
    assert isinstance(refusal(root, f"file://{root}/circle"), FetchFailed)


def test_the_folder_itself_may_be_a_link(root: Path) -> None:
    """Data disks are often mounted behind one."""
    link = root.parent / "link"
    link.symlink_to(root)

    assert PictureFolder(link, max_bytes=LIMIT).read(f"file://{link}/dogs/corgi%20%C3%BC.jpg", allowance()) == BODY


def test_a_folder_swapped_for_a_link_after_the_check_is_not_followed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and opening, whoever may write in the folder has time to swap."""
    folder = PictureFolder(root, max_bytes=LIMIT)
    checked = folder._resolved

    def swapping(url: str) -> Path:
        path = checked(url)
        (root / "dogs").rename(root / "moved")
        (root / "dogs").symlink_to(root.parent / "pictures-of-others")
        return path.parent / "a.jpg"

    monkeypatch.setattr(folder, "_resolved", swapping)

    with pytest.raises(FetchFailed):
        folder.read(f"file://{root}/dogs/corgi%20%C3%BC.jpg", allowance())


def test_only_plain_files_are_read(root: Path) -> None:
    """A pipe would wait for ever, a device never ends."""
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(root / "socket"))
        started = time.monotonic()
        for name in ("pipe", "socket", "dogs", "not-there.jpg", "dogs/corgi%20%C3%BC.jpg/more"):
            assert isinstance(refusal(root, f"file://{root}/{name}"), FetchFailed), name
    assert time.monotonic() - started < 10


def test_the_limits_hold(root: Path) -> None:
    """On one file, and on all files of one request."""
    (root / "large.jpg").write_bytes(bytes(LIMIT + 1))
    (root / "full.jpg").write_bytes(bytes(LIMIT))
    folder, some = PictureFolder(root, max_bytes=LIMIT), allowance(LIMIT + 1)

    assert refusal(root, f"file://{root}/large.jpg").detail == {"limit": LIMIT, "got": LIMIT + 1}
    assert isinstance(refusal(root, f"file://{root}/large.jpg"), PictureTooLarge)
    assert len(folder.read(f"file://{root}/full.jpg", some)) == LIMIT
    with pytest.raises(FetchFailed, match="fewer at a time"):
        folder.read(f"file://{root}/full.jpg", some)


@pytest.mark.parametrize("url", ["file:", "file:dogs/a.jpg", "file://other.example/pictures/a.jpg", "file:///a%00b", "file:///a?b", "file:///" + "x" * 5_000])
def test_a_url_that_names_no_file_here_is_refused(root: Path, url: str) -> None:
    """What another machine's file would be, nobody can say."""
    assert isinstance(refusal(root, url), InvalidUrl | FetchFailed | UrlRefused)
