"""What every engine promises about tenants; part of `engine_contract`.

May import pytest, numpy, `domain`, `ports` and `testing`.
"""

from pathlib import Path
from typing import ClassVar

import pytest

from nearimage.domain.errors import (
    CollectionExists,
    CollectionNotFound,
    TenantNotActive,
    TenantNotAllowed,
    TenantNotFound,
    TenantRequired,
)
from nearimage.domain.objects import EVERYTHING_BUT_BLOBS, IDS_ONLY
from nearimage.domain.schema import Collection, DataType, Property, Tenancy, TenantState, VectorConfig
from nearimage.ports.engine import Engine, Shard
from nearimage.testing.engine_examples import photo, uid

ACTIVE, INACTIVE = TenantState.ACTIVE, TenantState.INACTIVE

SHARED = Collection(
    name="Shared",
    properties=(Property(name="int", data_type=DataType.INT),),
    vectors=(VectorConfig(name="clip"),),
    tenancy=Tenancy(enabled=True),
)
"""A collection that keeps its objects by tenant."""


class TenantsContract:
    """See `EngineContract`."""

    reopens: ClassVar[bool] = True

    def open_engine(self, folder: Path) -> Engine:
        """An engine over this folder, which may be new."""
        raise NotImplementedError

    @pytest.fixture
    def shared(self, engine: Engine) -> Engine:
        """A database with tenants anna and bert."""
        engine.create_collection(SHARED)
        engine.create_tenants("Shared", {"bert": ACTIVE, "anna": ACTIVE})
        return engine

    def test_tenants_come_in_the_order_of_names_and_making_one_again_changes_nothing(self, shared: Engine) -> None:
        """Clients make sure of their tenants at each start; that must neither fail nor wake what rests."""
        shared.set_tenants("Shared", {"bert": INACTIVE})
        shared.create_tenants("Shared", {"Anna": INACTIVE, "bert": ACTIVE, "anna": INACTIVE})
        assert list(shared.tenants("Shared").items()) == [("Anna", INACTIVE), ("anna", ACTIVE), ("bert", INACTIVE)]

    def test_a_tenant_sees_its_own_objects_only(self, shared: Engine) -> None:
        """That is what they are for: the same id, another object; another length of vectors even."""
        anna, bert = shared.shard("Shared", "anna"), shared.shard("Shared", "bert")
        anna.put([photo(1, [1, 0], int=1)])
        bert.put([photo(1, [1, 0, 0], int=2), photo(2)])
        assert anna.get([uid(1), uid(2)], EVERYTHING_BUT_BLOBS)[uid(1)].properties == {"int": 1}
        assert (anna.count(), bert.count()) == (1, 2)
        assert anna.delete([uid(2)]) == 0
        assert shared.shard("Shared", "bert").count() == 2

    def test_a_request_without_the_tenant_or_with_one_too_many_is_refused(self, shared: Engine) -> None:
        """To guess would show one customer the objects of another."""
        shared.create_collection(Collection(name="Plain"))
        with pytest.raises(TenantRequired):
            shared.shard("Shared")
        with pytest.raises(TenantNotAllowed):
            shared.shard("Plain", "anna")
        with pytest.raises(TenantNotFound) as caught:
            shared.shard("Shared", "zoe")
        assert caught.value.detail == {"collection": "Shared", "tenant": "zoe"}
        with pytest.raises(CollectionNotFound):
            shared.shard("Missing", "anna")

    def test_a_collection_without_tenants_has_none_to_speak_of(self, shared: Engine) -> None:
        """An empty list would look as if it could have some."""
        shared.create_collection(Collection(name="Plain"))
        for name, error in (("Plain", TenantNotAllowed), ("Missing", CollectionNotFound)):
            calls = (
                lambda name=name: shared.tenants(name),
                lambda name=name: shared.create_tenants(name, {"anna": ACTIVE}),
                lambda name=name: shared.set_tenants(name, {"anna": ACTIVE}),
                lambda name=name: shared.drop_tenants(name, ["anna"]),
            )
            for call in calls:
                with pytest.raises(error):
                    call()
        assert shared.shard("Plain").count() == 0

    def test_an_inactive_tenant_refuses_everything_and_forgets_nothing(self, shared: Engine) -> None:
        """It is put aside, not away; a shard that somebody still holds refuses as well, and works again afterwards."""
        held = shared.shard("Shared", "anna")
        held.put([photo(1, [1, 0])])
        for state in (INACTIVE, TenantState.OFFLOADED):
            shared.set_tenants("Shared", {"anna": state})
            calls = (lambda: shared.shard("Shared", "anna"), held.count, held.stats, lambda: held.put([photo(2)]), lambda: held.get([uid(1)], IDS_ONLY))
            for call in calls:
                with pytest.raises(TenantNotActive) as caught:
                    call()
                assert caught.value.detail == {"collection": "Shared", "tenant": "anna"}
            assert shared.shard("Shared", "bert").count() == 0
            shared.set_tenants("Shared", {"anna": ACTIVE})
            assert (held.count(), shared.shard("Shared", "anna").count()) == (1, 1)

    def test_a_tenant_may_be_made_inactive(self, shared: Engine) -> None:
        """Imports make their tenants first and open them one by one."""
        shared.create_tenants("Shared", {"cold": INACTIVE})
        with pytest.raises(TenantNotActive):
            shared.shard("Shared", "cold")
        shared.set_tenants("Shared", {"cold": ACTIVE})
        assert shared.shard("Shared", "cold").put([photo(1)]) == (None,)

    def test_a_resting_or_unknown_tenant_is_not_at_hand(self, shared: Engine) -> None:
        """A server answers on its event loop what is at hand; opening, or an error on the way, would hold up everybody."""
        shared.shard("Shared", "anna").count()
        assert shared.is_at_hand("Shared", "anna")
        assert not any(shared.is_at_hand(*unknown) for unknown in (("Shared", "zoe"), ("Shared",), ("Missing", "anna")))
        shared.set_tenants("Shared", {"anna": INACTIVE})
        assert not shared.is_at_hand("Shared", "anna")

    def test_changing_the_state_of_an_unknown_tenant_changes_none(self, shared: Engine) -> None:
        """Half a change is none that anybody asked for."""
        with pytest.raises(TenantNotFound):
            shared.set_tenants("Shared", {"anna": INACTIVE, "zoe": INACTIVE})
        assert shared.tenants("Shared") == {"anna": ACTIVE, "bert": ACTIVE}

    def test_a_dropped_tenant_leaves_nothing_to_its_successor(self, shared: Engine) -> None:
        """A customer who comes back must not find the old objects, and nobody the ones of a customer who left."""
        held = shared.shard("Shared", "anna")
        held.put([photo(1, [1, 0])])
        shared.drop_tenants("Shared", ["anna", "zoe"])
        assert list(shared.tenants("Shared")) == ["bert"]
        for call in (held.count, lambda: shared.shard("Shared", "anna")):
            with pytest.raises(TenantNotFound):
                call()
        shared.create_tenants("Shared", {"anna": ACTIVE})
        assert shared.shard("Shared", "anna").count() == 0
        assert shared.shard("Shared", "anna").put([photo(1, [1, 0, 0])]) == (None,)

    def test_dropping_a_collection_takes_its_tenants_along(self, shared: Engine) -> None:
        """A collection made anew has no tenants, whatever the old one had."""
        held = shared.shard("Shared", "anna")
        shared.drop_collection("Shared")
        with pytest.raises(CollectionNotFound):
            held.count()
        shared.create_collection(SHARED)
        assert shared.tenants("Shared") == {}
        with pytest.raises(CollectionExists):
            shared.create_collection(SHARED)

    def test_tenants_outlive_the_process(self, shared: Engine, tmp_path: Path) -> None:
        """Names, states and objects, also of those that rested."""
        if not self.reopens:
            pytest.skip("this engine keeps nothing")
        for name, number in (("anna", 1), ("bert", 2)):
            _put(shared.shard("Shared", name), number)
        shared.set_tenants("Shared", {"anna": INACTIVE})
        shared.create_tenants("Shared", {"carl": ACTIVE, "dora": ACTIVE})
        shared.drop_tenants("Shared", ["dora"])
        shared.close()

        again = self.open_engine(tmp_path / "data")
        try:
            assert again.tenants("Shared") == {"anna": INACTIVE, "bert": ACTIVE, "carl": ACTIVE}
            with pytest.raises(TenantNotActive):
                again.shard("Shared", "anna")
            again.set_tenants("Shared", {"anna": ACTIVE})
            assert [again.shard("Shared", name).count() for name in ("anna", "bert", "carl")] == [1, 2, 0]
        finally:
            again.close()


def _put(shard: Shard, number: int) -> None:
    shard.put([photo(one, [one, 1]) for one in range(1, number + 1)])
