"""Vectorizer modules, under Weaviate's names, and the models behind them."""

from nearimage.vectorizers.registry import Choices, Modules, modules
from nearimage.vectorizers.starter.vectorizer import STARTER_LIMITS

__all__ = ["STARTER_LIMITS", "Choices", "Modules", "modules"]
