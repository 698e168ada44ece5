"""Solver settings as plain fields with Caffe's names; `roastery` fills them from the message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from ir.errors import RoasteryError
from ir.location import Location

from .average_precision import VERSIONS
from .learning_rate import LearningRateConfig

EVALUATIONS = ("classification", "detection", "detection_segmentation")
SOLVER_TYPES = ("AdaDelta", "AdaGrad", "Adam", "Nesterov", "RMSProp", "SGD")

_FLOATS = (
    "base_lr",
    "gamma",
    "power",
    "momentum",
    "momentum2",
    "rms_decay",
    "delta",
    "weight_decay",
    "clip_gradients",
)
_LARGEST_FLOAT = 3.4028234663852886e38  # of 32 bits


@dataclass(frozen=True, kw_only=True)
class SolverConfig:
    """Caffe's SolverParameter, less the nets.

    ``regularization_type`` is "L2" or "L1"; ``clip_gradients`` below 0 means none;
    ``snapshot_format`` is "BINARYPROTO" or "HDF5". ``eval_type``, ``ap_version`` and
    ``show_per_class_result`` are SSD's: what tests make of a net's outputs.
    """

    type: str = "SGD"
    learning_rate: LearningRateConfig
    max_iter: int = 0
    display: int = 0
    average_loss: int = 1
    iter_size: int = 1
    momentum: float = 0.0
    momentum2: float = 0.999
    rms_decay: float = 0.99
    delta: float = 1e-8
    weight_decay: float = 0.0
    regularization_type: str = "L2"
    clip_gradients: float = -1.0
    test_iter: tuple[int, ...] = ()
    test_interval: int = 0
    test_initialization: bool = True
    test_compute_loss: bool = False
    eval_type: str = "classification"
    ap_version: str = "Integral"
    show_per_class_result: bool = False
    snapshot: int = 0
    snapshot_prefix: str = ""
    snapshot_format: str = "BINARYPROTO"
    snapshot_diff: bool = False
    snapshot_after_train: bool = True
    debug_info: bool = False
    random_seed: int = -1
    places: Mapping[str, Location] = field(default_factory=dict, compare=False)
    """Where the solver file gives each field; "" is the file itself."""

    @property
    def writes_snapshots(self) -> bool:
        """Whether training writes snapshots without being asked to."""
        return self.snapshot > 0 or self.snapshot_after_train

    def place(self, name: str) -> Location | None:
        """The place to show in an error about a field."""
        return self.places.get(name, self.places.get(""))

    def check(self) -> None:
        """Raises RoasteryError for settings that Caffe refuses."""
        if self.type not in SOLVER_TYPES:
            raise RoasteryError(
                f"unknown solver type '{self.type}'",
                location=self.place("type"),
                hint=_near(self.type) + f"known types: {', '.join(SOLVER_TYPES)}",
            )
        if self.type in ("AdaGrad", "RMSProp") and self.momentum != 0.0:
            raise RoasteryError(
                f"momentum is {self.momentum:g}, but {self.type} uses none",
                location=self.place("momentum"),
                hint="remove momentum, or choose another type",
            )
        if self.type == "RMSProp" and not 0.0 <= self.rms_decay < 1.0:
            raise RoasteryError(
                f"rms_decay is {self.rms_decay:g}; it must be in [0, 1)",
                location=self.place("rms_decay"),
            )
        if self.regularization_type not in ("L1", "L2"):
            raise RoasteryError(
                f"unknown regularization_type '{self.regularization_type}'",
                location=self.place("regularization_type"),
                hint='"L2" or "L1"',
            )
        for name, known in (("eval_type", EVALUATIONS), ("ap_version", tuple(VERSIONS))):
            if getattr(self, name) not in known:
                raise RoasteryError(
                    f"unknown {name} '{getattr(self, name)}'",
                    location=self.place(name),
                    hint=" or ".join(f'"{one}"' for one in known),
                )
        self._check_numbers()
        for name in ("average_loss", "iter_size"):
            if getattr(self, name) < 1:
                raise RoasteryError(
                    f"{name} is {getattr(self, name)}; it must be at least 1",
                    location=self.place(name),
                )

    def _check_numbers(self) -> None:
        for name in _FLOATS:
            rate = hasattr(self.learning_rate, name)
            value: float = getattr(self.learning_rate if rate else self, name)
            if not abs(value) <= _LARGEST_FLOAT:
                raise RoasteryError(
                    f"{name} is {value:g}; a finite number was expected", location=self.place(name)
                )
        for name in ("momentum", "momentum2") if self.type == "Adam" else ():
            value = getattr(self, name)
            if not 0.0 <= value < 1.0:
                raise RoasteryError(
                    f"{name} is {value:g}; Adam's must be in [0, 1): its estimates are divided by "
                    f"1 - {name} ^ t",
                    location=self.place(name),
                    hint="momentum: 0.9 and momentum2: 0.999 are usual",
                )
        if self.type == "AdaDelta" and not 0.0 <= self.momentum <= 1.0:
            raise RoasteryError(
                f"momentum is {self.momentum:g}; AdaDelta's must be in [0, 1]",
                location=self.place("momentum"),
            )
        if self.type in ("Adam", "AdaDelta", "AdaGrad", "RMSProp") and self.delta < 0:
            raise RoasteryError(
                f"delta is {self.delta:g}; it must be at least 0", location=self.place("delta")
            )


def _near(type: str) -> str:
    by_lower = {known.lower(): known for known in SOLVER_TYPES}
    close = get_close_matches(type.lower(), by_lower, n=1)
    return f"did you mean '{by_lower[close[0]]}'? " if close else ""
