"""What all modules have in common: settings read by one set of rules, a model in this process or a container behind them.

Who makes the vectors:

    "model": "starter"           that model, in this process
    "inferenceUrl": "http://..."  that container
    neither                      the container that the server was started with, else the module's default model, if it has one

The choice is stored with the schema (`VectorConfig.model`), so that a server started otherwise goes on with the same model or refuses, but never
mixes vectors of two models. What a module is called, what it understands and which models it has is said by its `ModuleKind`.

May import `domain`, `ports` and `vectorizers`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from nearimage.domain.errors import InvalidSchema, ModelMissing
from nearimage.domain.vectorizing import CONTAINER, FP32, Modality, ModuleSettings
from nearimage.ports.vectorizer import Vectorizer
from nearimage.vectorizers.models import PRECISIONS, KnownModels, ModelChoice, Models, chosen
from nearimage.vectorizers.remote.containers import Containers
from nearimage.vectorizers.remote.contracts import Contract
from nearimage.vectorizers.settings import Settings, SettingsReader

OTHER_SPELLINGS = {"imuFields": "IMUFields"}
"""Weaviate's server reads the first, the official clients write the second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleKind:
    """What sets a module apart from the others.

    Attributes:
        fields: the setting that lists the properties of a modality.
        required: a setting that must be there.
        weighted: whether fields may have weights.
        choices: the models in this process, by name.
        default_model: of these, for schemas that name none; empty where they must.
        without_model: what to tell whoever names no model where there is no default.
        variable: the environment variable with the address of a container.
        contract: how a container is asked.
    """

    name: str
    fields: Mapping[Modality, str]
    required: str = ""
    weighted: bool = True
    choices: Mapping[str, ModelChoice]
    default_model: str = ""
    without_model: str = ""
    variable: str
    contract: Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleDefaults:
    """What whoever runs the server chose for a module.

    Attributes:
        model: for schemas that name none; empty for the module's own default.
        url: the container for schemas that name neither a model nor a container; empty for none.
        schema_urls: whether schemas may name a container of their own.
    """

    model: str = ""
    url: str = ""
    schema_urls: bool = True


class Module:
    """A vectorizer module; see the port.

    Args:
        kind: which one.
        models: where models are opened.
        containers: where containers are asked.

    Raises:
        InvalidSchema: a default that is no model of this module; detail has "setting".
    """

    def __init__(self, kind: ModuleKind, models: Models, containers: Containers, defaults: ModuleDefaults) -> None:
        self._kind = kind
        self._models = models
        self._containers = containers
        self._url = defaults.url
        self._schema_urls = defaults.schema_urls
        self._known = KnownModels(kind.name, (*kind.choices, CONTAINER), models.store)
        reader = SettingsReader(kind.name, {"model": defaults.model})
        self._default = reader.choice("model", self._known) or kind.default_model
        reader.check()

    @property
    def name(self) -> str:
        """See the port."""
        return self._kind.name

    @property
    def modalities(self) -> frozenset[Modality]:
        """See the port."""
        return frozenset(self._kind.fields)

    def check(self, settings: Settings) -> ModuleSettings:
        """See the port."""
        reader = SettingsReader(self.name, settings)
        if self._kind.required:
            reader.require(self._kind.required)
        return self._read(settings, reader)

    def unconfigured(self, model: str = "") -> ModuleSettings:
        """See the port."""
        settings = {"model": model}
        return self._read(settings, SettingsReader(self.name, settings))

    def open(self, settings: ModuleSettings) -> Vectorizer:
        """See the port."""
        if settings.model == CONTAINER:
            return self._containers.vectorizer(self._kind.contract, settings.inference_url)
        return self._models.vectorizer(chosen(self._models, self._kind.choices, settings.model), settings.precision)

    def about(self) -> Mapping[str, object]:
        """See the port."""
        if self._url:
            return self._containers.about(self._kind.contract, self._url)
        return {"model": self._default} if self._default and self._kind.contract.describes_itself else {}

    def _read(self, settings: Settings, reader: SettingsReader) -> ModuleSettings:
        fields, weights = dict[Modality, tuple[str, ...]](), dict[Modality, tuple[float, ...]]()
        for modality, setting in self._kind.fields.items():
            spelling = _spelling(setting, settings)
            if names := reader.fields(spelling):
                fields[modality] = names
            if self._kind.weighted and (numbers := reader.weights(_spelling(setting, settings.get("weights")), fields=len(names))):
                weights[modality] = numbers
        reader.require_weight(weights.values())
        model, url = reader.choice("model", self._known), reader.url("inferenceUrl")
        precision, exact = reader.choice("precision", PRECISIONS) or FP32, reader.flag("exact")
        reader.check()
        model, url = self._maker(model, url)
        if model != CONTAINER:
            self._check_choice(chosen(self._models, self._kind.choices, model), fields, precision)
        return ModuleSettings(fields=fields, weights=weights, model=model, precision=precision, exact=exact, inference_url=url)

    def _maker(self, model: str, url: str) -> tuple[str, str]:
        """The model and the container's address that settings mean.

        Raises:
            InvalidSchema: they contradict each other, or name no model where there is no default.
            ModelMissing: nobody says where the container is.
        """
        if url and not self._schema_urls:
            message = f"module {self.name!r}: this server takes no inferenceUrl (NEARIMAGE_INFERENCE_URLS); leave it out, or have {self._kind.variable} set"
            raise InvalidSchema(message, setting="inferenceUrl")
        if url and model not in ("", CONTAINER):
            raise InvalidSchema(f"module {self.name!r}: model {model!r} runs in this process, inferenceUrl is a container; leave one out", setting="model")
        url = url or self._url
        if model == CONTAINER and not url:
            how = f"set {self._kind.variable} to its address and start the server again"
            raise ModelMissing(
                f"module {self.name!r}: the vectors are made by an inference container, and its address is not known; {how}", model=model, how=how
            )
        if url and model in ("", CONTAINER):
            return CONTAINER, url
        model = model or self._default
        if not model:
            raise InvalidSchema(f"module {self.name!r}: {self._kind.without_model}", setting="model")
        return model, ""

    def _check_choice(self, choice: ModelChoice, fields: Mapping[Modality, object], precision: str) -> None:
        """Refuse what a model cannot do before the first object fails of it.

        Raises:
            InvalidSchema: it does not understand one of the fields, or has no such precision; detail has "setting".
            ModelMissing: its weights are not installed.
        """
        choice.check_installed()
        for modality in fields:
            if modality not in choice.modalities:
                known = ", ".join(sorted(choice.modalities))
                message = f"model {choice.name!r} understands {known}, not {modality}; leave {self._kind.fields[modality]} out or choose another model"
                raise InvalidSchema(f"module {self.name!r}: {message}", setting=self._kind.fields[modality])
        if precision not in choice.precisions:
            message = f"model {choice.name!r} computes in {', '.join(choice.precisions)}, not in {precision}; leave precision out or choose another model"
            raise InvalidSchema(f"module {self.name!r}: {message}", setting="precision")


def _spelling(setting: str, settings: object) -> str:
    """How these settings spell that one."""
    other = OTHER_SPELLINGS.get(setting)
    return other if other and isinstance(settings, Mapping) and settings.get(setting) is None and settings.get(other) is not None else setting
