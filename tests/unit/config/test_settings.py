"""Settings: the flag wins, then the environment, then the file."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from nearimage.config.settings import InvalidSetting, Settings, commented_file, load_settings


def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """The nearer to the person, the stronger."""
    file = tmp_path / "nearimage.toml"
    file.write_text('port = 1\ngrpc_port = 1\nhost = "file"\n')

    settings = load_settings({"port": 3, "grpc_port": None}, {"PORT": "2", "GRPC_PORT": "2", "UNRELATED": "x"}, file)

    assert (settings.port, settings.grpc_port, settings.host, settings.data) == (3, 2, "file", "data")


def test_the_commented_file_lists_every_setting_with_its_default() -> None:
    """It is the reference page: uncommented, it must be the defaults."""
    uncommented = "\n".join(line[2:] for line in commented_file().splitlines() if " = " in line)

    assert tomllib.loads(uncommented) == {f.name: f.default for f in fields(Settings)}


@pytest.mark.parametrize(
    ("flags", "environment", "names"),
    [
        ({"port": "eighty"}, {}, "--port"),
        ({}, {"GRPC_PORT": "many"}, "GRPC_PORT"),
        ({"port": 70_000}, {}, "port"),
        ({"threads": 0}, {}, "threads"),
        ({"log_level": "loud"}, {}, "log_level"),
    ],
)
def test_a_wrong_value_names_where_it_came_from(flags: dict[str, object], environment: dict[str, str], names: str) -> None:
    """Or the search for it takes an hour."""
    with pytest.raises(InvalidSetting, match=names):
        load_settings(flags, environment)


@pytest.mark.parametrize("text", ["colour = 1", "port = ", "port = true", "host = 7", "\xff\xfe"])
def test_a_wrong_file_is_named(tmp_path: Path, text: str) -> None:
    """With the name of the file in the message."""
    file = tmp_path / "nearimage.toml"
    file.write_text(text, "latin-1")

    with pytest.raises(InvalidSetting, match=r"nearimage\.toml"):
        load_settings({}, {}, file)
