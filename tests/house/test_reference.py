"""The reference pages are those of the code."""

import pytest

from tools.write_reference import FOLDER, reference_pages


@pytest.mark.parametrize("name", ["settings.toml", "errors.md"])
def test_the_reference_page_is_what_the_code_says(name: str) -> None:
    """A page that was right once misleads longest; `python tools/write_reference.py` writes it anew."""
    assert (FOLDER / name).read_text("utf-8") == reference_pages()[name]
