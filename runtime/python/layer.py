"""Python layers: the class that users derive from, and the object that runs one.

Caffe: include/caffe/layers/python_layer.hpp, python/caffe/_caffe.cpp.
"""

from __future__ import annotations

import enum
import os
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from ir.errors import RoasteryError
from ir.location import Location

from .array_blob import ArrayBlob, BlobLike, BlobVec
from .layer_notes import add_note, shown
from .modules import is_layer_class, user_module


class Phase(enum.IntEnum):
    """What ``self.phase`` holds: the numbers of caffe.proto.

    ``str(self.phase)`` is the name: Fast and Faster R-CNN's Caffe shows it so, and layers look
    settings up by it.
    """

    TRAIN = 0
    TEST = 1

    def __str__(self) -> str:
        return self.name

    def __format__(self, spec: str) -> str:
        number = spec[-1:] in tuple("bcdoxXneEfFgG%")
        return format(int(self), spec) if number else format(self.name, spec)


_SHOWN = 20  # names of classes in a hint

_ROOTS = tuple(
    f"{Path(__file__).parents[2] / part}{os.sep}"
    for part in ("ir", "frontends", "compiler", "runtime", "roastery")
)


class Layer:
    """Base class of Python layers (``caffe.Layer``).

    Attributes:
        param_str: python_param.param_str; param_str_ is the same.
        phase: 0 in TRAIN, 1 in TEST; as text "TRAIN" and "TEST".
        blobs: parameters; ``self.blobs.add_blob(2, 3)`` in ``setup`` makes one.
    """

    param_str: str
    param_str_: str
    phase: Phase
    blobs: BlobVec

    def __init__(self, param: Any = None) -> None:
        self.blobs = BlobVec()

    @property
    def type(self) -> str:
        return "Python"

    def setup(self, bottom: Sequence[BlobLike], top: Sequence[BlobLike]) -> None:
        """Read ``param_str``, check the bottoms, make blobs. Called once."""

    def reshape(self, bottom: Sequence[BlobLike], top: Sequence[BlobLike]) -> None:
        """Give the tops their shapes. Called before every forward."""

    def forward(self, bottom: Sequence[BlobLike], top: Sequence[BlobLike]) -> None:
        """Fill the data of the tops."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def backward(
        self,
        top: Sequence[BlobLike],
        propagate_down: Sequence[bool],
        bottom: Sequence[BlobLike],
    ) -> None:
        """Fill the diff of every bottom whose ``propagate_down`` is true, and of the blobs."""
        raise NotImplementedError(f"{type(self).__name__} has no backward")


class PythonLayerError(RoasteryError):
    """A user's layer failed; ``raised`` is what it raised, if it raised something."""

    raised: BaseException | None = None


class ModuleFailedError(PythonLayerError):
    """A user's module raised something while it was imported."""


@dataclass(frozen=True)
class PythonLayerConfig:
    """What a net says of a Python layer.

    Attributes:
        module, name: of the class. module_place, name_place: where they stand.
        param_str: what the layer's object reads its settings from.
        tops: how many it has. in_place: numbers of the bottoms that are tops of these numbers too.
        place: of the layer.
        message: its LayerParameter, with which the class is called.
    """

    module: str
    name: str
    param_str: str
    tops: int
    in_place: tuple[int, ...]
    place: Location
    module_place: Location
    name_place: Location
    message: object


class PythonLayer:
    """A user's layer, set up. It stays the same object while its net is made for other shapes.

    Args:
        prepare: called before the user's module is imported (it makes ``import caffe`` work).
        allowed: whether the module may be one that is neither installed nor on PYTHONPATH.
    """

    def __init__(
        self,
        config: PythonLayerConfig,
        phase: str,
        bottoms: Sequence[tuple[int, ...]],
        prepare: Callable[[], None],
        allowed: bool,
    ) -> None:
        self._place = config.place
        self._in_place = config.in_place
        self._held: Sequence[np.ndarray] | None = None
        kind = self._find_class(config, allowed, prepare)
        self._bottom = [ArrayBlob(shape) for shape in bottoms]
        self._top = [ArrayBlob() for _ in range(config.tops)]
        self._layer = self._run("__init__", lambda: kind(config.message))
        if not isinstance(getattr(self._layer, "blobs", None), BlobVec):
            self._layer.blobs = BlobVec()
        self._layer.param_str = config.param_str
        self._layer.param_str_ = config.param_str  # its name before Caffe 1.0
        self._layer.phase = Phase[phase]
        self._call("setup", self._bottom, self._top)

    @property
    def instance(self) -> Any:
        """The user's object."""
        return self._layer

    # --- what lowering asks (frontends.lowering.probe.HostLayerProbe) ------------------

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [blob.shape for blob in self._top]

    @property
    def blobs(self) -> list[np.ndarray]:
        return [blob.data for blob in self._layer.blobs]

    def reshape(self, bottoms: Sequence[tuple[int, ...]]) -> None:
        """The bottoms have new shapes."""
        for blob, shape in zip(self._bottom, bottoms, strict=True):
            blob.reshape(*shape)
        self._call("reshape", self._bottom, self._top)

    def hold(self, results: Sequence[np.ndarray]) -> None:
        self._held = results

    def forward(
        self, inputs: Sequence[np.ndarray], tops: Sequence[tuple[int, ...]]
    ) -> list[np.ndarray]:
        """Bottoms and blobs -> tops. The layer may write its blobs in place."""
        if self._held is not None:
            held, self._held = list(self._held), None
            return held
        self._attach(inputs)
        for blob, shape in zip(self._top, tops, strict=True):
            if blob.shape != shape:  # somebody reshaped the net's blob
                blob.reshape(*shape)
        self._call("reshape", self._bottom, self._top)
        for i in self._in_place:
            np.copyto(self._top[i].data, self._bottom[i].data)
        self._call("forward", self._bottom, self._top)
        return [blob.data for blob in self._top]

    def backward(self, needed: Sequence[bool], arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """(inputs, results, cotangents) -> the cotangents of the inputs that need one."""
        count = len(self._bottom) + len(self._layer.blobs)
        inputs, rest = arrays[:count], arrays[count:]
        self._attach(inputs)
        results, cotangents = rest[: len(self._top)], rest[len(self._top) :]
        for blob, data, diff in zip(self._top, results, cotangents, strict=True):
            blob.attach(data, np.array(diff))
        for i in self._in_place:
            np.copyto(self._bottom[i].diff, self._top[i].diff)
        down = [bool(n) for n in needed[: len(self._bottom)]]
        self._call("backward", self._top, down, self._bottom)
        blobs = [*self._bottom, *self._layer.blobs]
        found = [blob.diff for blob, wanted in zip(blobs, needed, strict=True) if wanted]
        for i, (blob, array) in enumerate(zip(blobs, inputs, strict=True)):
            if blob.diff.shape != array.shape:
                raise self._error(f"backward gave input {i} a diff of shape {blob.diff.shape}")
        return found

    def _attach(self, inputs: Sequence[np.ndarray]) -> None:
        for blob, array in zip([*self._bottom, *self._layer.blobs], inputs, strict=True):
            blob.attach(array)

    # --- the user's code --------------------------------------------------------------

    def _find_class(
        self, config: PythonLayerConfig, allowed: bool, prepare: Callable[[], None]
    ) -> Callable[..., Any]:
        module = self._import(config, allowed, prepare)
        found = getattr(module, config.name, None)
        if not callable(found):
            known = sorted(
                name
                for name, value in vars(module).items()
                if isinstance(value, type) and value.__module__ == module.__name__
            )
            file = getattr(module, "__file__", None) or "without a file"
            raise RoasteryError(
                f"module '{config.module}' ({file}) has no class '{config.name}'",
                location=config.name_place,
                hint=f"it has: {', '.join(known[:_SHOWN])}" if known else "it has no class",
            )
        if not is_layer_class(found, Layer) and not (allowed and config.module != "__main__"):
            raise RoasteryError(
                f"'{config.name}' of module '{config.module}' is no class of layers",
                location=config.name_place,
                hint=f"class {config.name}(caffe.Layer); what else makes one needs --python-layers",
            )
        result: Callable[..., Any] = found
        return result

    def _import(
        self, config: PythonLayerConfig, allowed: bool, prepare: Callable[[], None]
    ) -> ModuleType:
        try:
            return user_module(config.module, config.module_place, allowed, prepare)
        except (RoasteryError, KeyboardInterrupt):
            raise
        except BaseException as error:
            told = self._error(
                f"importing module '{config.module}': {shown(error)}", error, ModuleFailedError
            )
            raise told from error

    def _call(self, method: str, *arguments: Any) -> None:
        function = getattr(self._layer, method, None)
        if function is None:
            raise self._error(f"class {type(self._layer).__name__} has no method `{method}`")
        self._run(method, lambda: function(*arguments))

    def _run(self, what: str, function: Callable[[], Any]) -> Any:
        try:
            return function()
        except RoasteryError as error:
            told = self._error(f"{what}: {error.message}", error)
            if error.location is None:
                raise told from error
            add_note(error, str(told))  # of another net, which the layer runs
            raise
        except KeyboardInterrupt as error:
            add_note(error, str(self._error(f"{what}: {shown(error)}", error)))
            raise
        except BaseException as error:  # sys.exit() in a layer is no way to end a training
            raise self._error(f"{what}: {shown(error)}", error) from error

    def _error(
        self,
        message: str,
        error: BaseException | None = None,
        kind: type[PythonLayerError] | None = None,
    ) -> RoasteryError:
        """An error at the layer that also shows the line of the user's code that failed."""
        frames = traceback.extract_tb(error.__traceback__) if error is not None else []
        outside = [f for f in frames if not f.filename.startswith(("<frozen", *_ROOTS))]
        own = [f for f in outside if "site-packages" not in f.filename] or outside
        message, *further = message.splitlines() or [""]
        if own:
            last = own[-1]
            further.append(f"{last.filename}:{last.lineno} in {last.name}: {last.line}")
        detail = "\n".join(f"    {line}" for line in further)
        hint = error.hint if isinstance(error, RoasteryError) else None
        told = (kind or PythonLayerError)(message, location=self._place, hint=hint, detail=detail)
        told.raised = error
        return told
