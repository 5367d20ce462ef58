"""What every engine promises about aliases; part of `engine_contract`.

May import pytest, `domain`, `ports` and `testing`.
"""

from pathlib import Path
from typing import ClassVar

import pytest

from nearimage.domain.errors import CollectionNotFound
from nearimage.domain.schema import Collection
from nearimage.ports.engine import Engine


class AliasesContract:
    """See `EngineContract`."""

    reopens: ClassVar[bool] = True

    def open_engine(self, folder: Path) -> Engine:
        """An engine over this folder, which may be new."""
        raise NotImplementedError

    @pytest.fixture
    def named(self, engine: Engine) -> Engine:
        """A database with the collections One and Two."""
        for name in ("One", "Two"):
            engine.create_collection(Collection(name=name))
        return engine

    def test_an_alias_stands_for_one_collection_at_a_time(self, named: Engine) -> None:
        """So that a new collection takes the place of an old one in a single step."""
        named.set_alias("B", "One")
        named.set_alias("A", "Two")
        assert list(named.aliases().items()) == [("A", "Two"), ("B", "One")]
        named.set_alias("B", "Two")
        assert named.aliases() == {"A": "Two", "B": "Two"}
        assert [named.drop_alias("B"), named.drop_alias("B")] == [True, False]
        assert named.aliases() == {"A": "Two"}

    def test_an_alias_of_nothing_cannot_be(self, named: Engine) -> None:
        """And leaves nothing behind."""
        with pytest.raises(CollectionNotFound):
            named.set_alias("A", "Three")
        assert named.aliases() == {}

    def test_an_alias_outlives_its_collection(self, named: Engine) -> None:
        """Who replaces a collection may drop the old one before the name is set to the new one."""
        named.set_alias("A", "One")
        named.set_alias("B", "Two")
        named.drop_collection("One")
        assert named.aliases() == {"A": "One", "B": "Two"}
        named.set_alias("A", "Two")
        assert named.aliases() == {"A": "Two", "B": "Two"}

    def test_aliases_are_there_again_after_reopening(self, named: Engine, tmp_path: Path) -> None:
        """They are as durable as the collections."""
        if not self.reopens:
            pytest.skip("this engine forgets when it is closed")
        named.set_alias("A", "One")
        named.set_alias("B", "Two")
        named.drop_alias("B")
        named.close()
        again = self.open_engine(tmp_path / "data")
        assert again.aliases() == {"A": "One"}
        again.close()
