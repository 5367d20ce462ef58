"""Vectorizer modules, under Weaviate's names, and the models behind them."""

from nearimage.vectorizers.registry import Choices, Modules, modules
from nearimage.vectorizers.runtime.session import Provider
from nearimage.vectorizers.shelf import Described, ModelShelf
from nearimage.vectorizers.starter.vectorizer import STARTER_LIMITS
from nearimage.vectorizers.store.folder import ModelStore

__all__ = ["STARTER_LIMITS", "Choices", "Described", "ModelShelf", "ModelStore", "Modules", "Provider", "modules"]
