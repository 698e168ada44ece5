"""Random windows of pictures that hold objects in the way a batch_sampler asks for.

weiliu89/caffe: src/caffe/util/sampler.cpp. Many trials are drawn at once, and the first ones
that do are taken, which is what trying one after the other gives.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ir.errors import RoasteryError
from ir.philox import uniform

from ..augment.settings import Block
from ..config import SourceConfig
from ..draws import SAMPLE, SAMPLE_PICK, Draws
from .boxes import ObjectBoxes, coverage_of_boxes, coverage_of_windows, overlaps

_MOST_TRIALS = 1 << 20
_TRIALS_AT_ONCE = 256
_VALUES_AT_ONCE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class SamplerConfig(Block):
    """How large windows are (the root of their area), and their width over their height."""

    message = "Sampler"

    min_scale: float = 1.0
    max_scale: float = 1.0
    min_aspect_ratio: float = 1.0
    max_aspect_ratio: float = 1.0


@dataclass(frozen=True, kw_only=True)
class ConstraintConfig(Block):
    """What windows must have in common with boxes; None: anything."""

    message = "SampleConstraint"

    min_jaccard_overlap: float | None = None
    max_jaccard_overlap: float | None = None
    min_sample_coverage: float | None = None
    max_sample_coverage: float | None = None
    min_object_coverage: float | None = None
    max_object_coverage: float | None = None


@dataclass(frozen=True, kw_only=True)
class BatchSamplerConfig(Block):
    """Windows of the picture: at most ``max_sample`` (None: any number) in ``max_trials``.

    Without ``use_original_image`` it gives none.
    """

    message = "BatchSampler"

    use_original_image: bool = True
    sampler: SamplerConfig | None = None
    sample_constraint: ConstraintConfig | None = None
    max_sample: int | None = None
    max_trials: int = 100


def check_samplers(layer: SourceConfig, samplers: Sequence[BatchSamplerConfig]) -> None:
    """Refuse bounds that no window can meet, at the layer's batch_sampler."""
    for number, config in enumerate(samplers, 1):
        sampler = config.sampler or SamplerConfig()
        where = f" (batch_sampler {number} of {len(samplers)})" if len(samplers) > 1 else ""
        for fine, what, wanted in (
            (
                0 < sampler.min_scale <= sampler.max_scale <= 1,
                f"min_scale is {sampler.min_scale:g} and max_scale {sampler.max_scale:g}",
                "0 < min_scale <= max_scale <= 1",
            ),
            (
                0 < sampler.min_aspect_ratio <= sampler.max_aspect_ratio < float("inf"),
                f"min_aspect_ratio is {sampler.min_aspect_ratio:g} and max_aspect_ratio "
                f"{sampler.max_aspect_ratio:g}",
                "0 < min_aspect_ratio <= max_aspect_ratio",
            ),
            (
                config.max_trials <= _MOST_TRIALS,
                f"max_trials is {config.max_trials}",
                f"at most {_MOST_TRIALS}; SSD's samplers have 50",
            ),
        ):
            if not fine:
                raise _error(layer, what + where, wanted)


def _error(layer: SourceConfig, message: str, hint: str) -> RoasteryError:
    return layer.error(message, "batch_sampler", hint)


def sampled_window(
    boxes: ObjectBoxes, samplers: Sequence[BatchSamplerConfig], draws: Draws, number: int
) -> np.ndarray | None:
    """A window drawn for the picture with this number, (4,) float32; None: the whole picture."""
    found = [
        _windows(boxes, config, draws, number, i)
        for i, config in enumerate(samplers)
        if config.use_original_image and config.max_trials
    ]
    windows = np.concatenate(found) if found else np.empty((0, 4), np.float32)
    if not len(windows):
        return None
    picked: np.ndarray = windows[draws.word(SAMPLE_PICK, number) % len(windows)]
    return picked


def _windows(
    boxes: ObjectBoxes, config: BatchSamplerConfig, draws: Draws, number: int, sampler: int
) -> np.ndarray:
    """The windows that one sampler finds."""
    most = config.max_trials if config.max_sample is None else config.max_sample
    step = max(1, min(_TRIALS_AT_ONCE, _VALUES_AT_ONCE // max(1, len(boxes))))
    found = np.empty((0, 4), np.float32)
    for first in range(0, config.max_trials, step):
        if len(found) >= most:
            break
        trials = min(step, config.max_trials - first)
        words = draws.lanes(SAMPLE, number, trials * 4, first=(sampler << 24) + 4 * first)
        windows = drawn_windows(config.sampler or SamplerConfig(), uniform(words).reshape(-1, 4))
        good = satisfies(windows, boxes, config.sample_constraint or ConstraintConfig())
        found = np.concatenate([found, windows[good]])
    return found[:most]


def drawn_windows(sampler: SamplerConfig, numbers: np.ndarray) -> np.ndarray:
    """Windows (n, 4) for random numbers (n, 4) from 0 to 1: scale, aspect ratio, place."""
    with np.errstate(all="ignore"):
        return _drawn_windows(sampler, numbers)


def _drawn_windows(sampler: SamplerConfig, numbers: np.ndarray) -> np.ndarray:
    scale = _between(sampler.min_scale, sampler.max_scale, numbers[:, 0])
    aspect = _between(sampler.min_aspect_ratio, sampler.max_aspect_ratio, numbers[:, 1])
    area = scale.astype(np.float64) ** 2
    aspect = np.clip(aspect, area.astype(np.float32), (1 / area).astype(np.float32))
    root = np.sqrt(aspect)
    # Rounding may make them a little larger than the picture.
    wide = np.minimum(scale * root, np.float32(1))
    high = np.minimum(scale / root, np.float32(1))
    left = numbers[:, 2] * (np.float32(1) - wide)
    top = numbers[:, 3] * (np.float32(1) - high)
    return np.stack([left, top, left + wide, top + high], axis=1).astype(np.float32)


def _between(low: float, high: float, numbers: np.ndarray) -> np.ndarray:
    drawn = np.float32(low) + numbers * (np.float32(high) - np.float32(low))
    return np.minimum(drawn, np.float32(high))


def satisfies(windows: np.ndarray, boxes: ObjectBoxes, wanted: ConstraintConfig) -> np.ndarray:
    """Which windows are as wanted: (n,) bool.

    Of several kinds of constraint only the first that is given counts, as in weiliu89/caffe:
    a box that meets it decides, whatever the others say.
    """
    bounds: tuple[
        tuple[Callable[[np.ndarray, ObjectBoxes], np.ndarray], float | None, float | None], ...
    ] = (
        (overlaps, wanted.min_jaccard_overlap, wanted.max_jaccard_overlap),
        (coverage_of_windows, wanted.min_sample_coverage, wanted.max_sample_coverage),
        (coverage_of_boxes, wanted.min_object_coverage, wanted.max_object_coverage),
    )
    for measure, low, high in bounds:
        if low is None and high is None:
            continue
        values = measure(windows, boxes)
        bad = np.zeros(values.shape, np.bool_)
        if low is not None:
            bad |= values < np.float32(low)
        if high is not None:
            bad |= values > np.float32(high)
        return np.asarray((~bad).any(axis=1))
    return np.ones(len(windows), np.bool_)
