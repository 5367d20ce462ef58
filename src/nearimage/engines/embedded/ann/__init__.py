"""The approximate index of a named vector: built, tuned, searched, stored. The only package that knows faiss."""

from nearimage.engines.embedded.ann.building import Source, build, extend, is_in_reach, is_measured, renew
from nearimage.engines.embedded.ann.codes import Bitmap
from nearimage.engines.embedded.ann.files import load, save, without
from nearimage.engines.embedded.ann.gathered import inner_products, squared_distances
from nearimage.engines.embedded.ann.planner import (
    THRESHOLDS,
    Exact,
    Plan,
    Probe,
    Situation,
    Thresholds,
    caution,
    deepened,
    is_cheap,
    is_deep_enough,
    plan,
    widened,
)
from nearimage.engines.embedded.ann.training import Stopped
from nearimage.engines.embedded.ann.tuning import target_recall
from nearimage.engines.embedded.ann.vector_index import Coverage, VectorIndex

__all__ = [
    "THRESHOLDS",
    "Bitmap",
    "Coverage",
    "Exact",
    "Plan",
    "Probe",
    "Situation",
    "Source",
    "Stopped",
    "Thresholds",
    "VectorIndex",
    "build",
    "caution",
    "deepened",
    "extend",
    "inner_products",
    "is_cheap",
    "is_deep_enough",
    "is_in_reach",
    "is_measured",
    "load",
    "plan",
    "renew",
    "save",
    "squared_distances",
    "target_recall",
    "widened",
    "without",
]
