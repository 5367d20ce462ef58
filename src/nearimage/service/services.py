"""All use cases of one database, as the doors get them. May import `domain`, `ports` and `service` only."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nearimage.domain.errors import NearimageError
from nearimage.domain.query import DEFAULT_LIMIT, MAXIMUM_RESULTS
from nearimage.ports.clock import Clock
from nearimage.ports.engine import Engine
from nearimage.ports.media import Media
from nearimage.ports.vectorizer import VectorizerModule
from nearimage.service.aggregate import Aggregates
from nearimage.service.aliases import Aliases
from nearimage.service.auto_schema import AutoSchema, AutoSettings
from nearimage.service.backups import Backups
from nearimage.service.classification import Classifications
from nearimage.service.cluster import Cluster
from nearimage.service.collections import Collections
from nearimage.service.deletion import Deletions
from nearimage.service.objects import Objects
from nearimage.service.pace import Pace
from nearimage.service.picture_choice import Modalities
from nearimage.service.pictures import Pictures
from nearimage.service.references import References
from nearimage.service.search import Searches
from nearimage.service.shards import Shards
from nearimage.service.sweeping import Expiries
from nearimage.service.tenants import Tenants
from nearimage.service.tokenizing import Tokenizing
from nearimage.service.values import ValueReader
from nearimage.service.vectorize import ObjectVectorizer
from nearimage.service.whereabouts import Whereabouts

_log = logging.getLogger(__name__)


AUTO = AutoSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The implementations behind the ports.

    Attributes:
        backups: the folder where backups by request are kept; None where there is none.
    """

    engine: Engine
    media: Media
    modules: Sequence[VectorizerModule]
    clock: Clock
    backups: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The use cases: one object a door calls for anything."""

    collections: Collections
    aliases: Aliases
    backups: Backups
    classifications: Classifications
    cluster: Cluster
    tenants: Tenants
    objects: Objects
    whereabouts: Whereabouts
    deletions: Deletions
    references: References
    searches: Searches
    aggregates: Aggregates
    pictures: Pictures
    tokenizing: Tokenizing
    expiries: Expiries
    pace: Pace
    modules: Mapping[str, VectorizerModule]

    @property
    def modalities(self) -> Modalities:
        """What each module can be asked about."""
        return {name: module.modalities for name, module in self.modules.items()}

    def warm_up(self) -> None:
        """Open every collection and load its models, so that no request waits for that; what cannot be opened is logged.

        Blocks for seconds; meant for a thread of its own.
        """
        for collection in self.collections.all():
            try:
                if not collection.tenancy.enabled:  # tenants may be many; each opens when it is asked for
                    self.objects.shards.reading(collection, "").count()
                self.objects.vectorizer.load_models(collection)
            except NearimageError as failed:
                _log.warning("collection %r cannot be used in full: %s", collection.name, failed.message)


def build_services(
    parts: Parts,
    *,
    default_limit: int = DEFAULT_LIMIT,
    maximum_results: int = MAXIMUM_RESULTS,
    maximum_collections: int | None = None,
    auto: AutoSettings = AUTO,
) -> Services:
    """Wire the use cases to their ports."""
    modules = {module.name: module for module in parts.modules}
    vectorizer = ObjectVectorizer(media=parts.media, modules=modules)
    shards = Shards(engine=parts.engine)
    collections = Collections(engine=parts.engine, modules=modules, dropped=shards.forget, maximum=maximum_collections)
    whereabouts = Whereabouts(collections=collections, shards=shards)
    auto_schema = AutoSchema(collections=collections, whereabouts=whereabouts, clock=parts.clock, settings=auto)
    objects = Objects(
        collections=collections,
        shards=shards,
        values=ValueReader(media=parts.media),
        vectorizer=vectorizer,
        clock=parts.clock,
        auto=auto_schema,
        whereabouts=whereabouts,
    )
    searches = Searches(
        collections=collections,
        shards=shards,
        vectorizer=vectorizer,
        clock=parts.clock,
        default_limit=default_limit,
        maximum_results=maximum_results,
    )
    return Services(
        collections=collections,
        aliases=Aliases(engine=parts.engine, collections=collections),
        backups=Backups(parts.engine, parts.clock, parts.backups),
        classifications=Classifications(collections=collections, shards=shards, objects=objects, clock=parts.clock),
        cluster=Cluster(collections=collections, shards=shards),
        tenants=Tenants(collections=collections, engine=parts.engine, shards=shards),
        objects=objects,
        whereabouts=whereabouts,
        deletions=Deletions(collections=collections, shards=shards, maximum=maximum_results),
        references=References(collections=collections, objects=objects, whereabouts=whereabouts),
        searches=searches,
        aggregates=Aggregates(collections=collections, shards=shards, vectorizer=vectorizer),
        pictures=Pictures(objects=objects, media=parts.media),
        expiries=Expiries(collections=collections, shards=shards, clock=parts.clock),
        tokenizing=Tokenizing(collections=collections),
        pace=Pace(),
        modules=modules,
    )
