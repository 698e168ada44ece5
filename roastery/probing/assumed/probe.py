"""Answers lowering's questions where a net's data or code is not there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from frontends.lowering.foreign import refuse_foreign
from frontends.lowering.known_layers import find_layer
from frontends.lowering.probe import DataProbe, HostLayerProbe, OwnModule
from frontends.prototxt.message import Message
from ir.errors import RoasteryError
from runtime.data.config import SourceConfig
from runtime.data.sources.dummy_data import DummyDataConfig
from runtime.data.sources.memory_data import MemoryDataConfig
from runtime.python.layer import ModuleFailedError
from runtime.python.modules import PythonModuleError

from ..data_config import source_config
from ..probe import RuntimeProbe
from .made_up import made_up
from .shapes import (
    NO_DATA,
    NOTHING,
    Shape,
    derived,
    missing_mean,
    shape_flags,
    told,
    underivable,
)
from .unrun import UnrunLayer

_UNREAD = "nothing is read, a run gets made-up values"
_NOT_IMPORTED = (PythonModuleError, ModuleFailedError)


class AssumingProbe(RuntimeProbe):
    """A probe that needs no database, mean file or Python module where shapes are known.

    A data layer whose shapes are given is not opened. With ``derive``, one whose data is not there
    gets the shapes that its fields tell. Both are fed with made-up values. A Python layer whose
    tops' shapes are given, or that has none and cannot be set up, is not run.

    Args:
        inner: answers where everything is there.
        given: shapes by top.
        say: is told what was assumed, a sentence for each layer.
        derive: whether missing data needs no ``given`` where the net tells its shapes. A command
            that runs the net would otherwise measure what the user did not mean to give it.

    Attributes:
        unrun: names of the host layers that are not run.
    """

    def __init__(
        self,
        inner: RuntimeProbe,
        given: Mapping[str, Shape],
        say: Callable[[str], None],
        *,
        derive: bool = True,
    ) -> None:
        super().__init__()
        self._inner = inner
        self._given = dict(given)
        self._say = say
        self._derive = derive
        self._assumed: dict[str, DataProbe] = {}
        self._stand_ins: dict[str, UnrunLayer] = {}
        self.unrun: set[str] = set()

    # --- data -------------------------------------------------------------------------

    def data(self, layer: Message, phase: str, key: str) -> DataProbe:
        if key not in self._assumed:
            self._assumed[key] = self._look(layer, phase, key)
        return self._assumed[key]

    def _look(self, layer: Message, phase: str, key: str) -> DataProbe:
        config = replace(source_config(layer), key=key)
        tops = list(layer.top)
        given = [top for top in tops if top in self._given]
        if isinstance(config, DummyDataConfig):
            look = self._dummy if given else self._real
            return look(layer, config, phase, key)
        try:
            missing = config.missing()
        except RoasteryError:  # a damaged list, for its reader to tell if it must be read
            missing = None
        if given or (missing is not None and self._derive):
            shapes, why = self._shapes(layer, config, missing or NO_DATA)
            self._say(f"{_called(layer)}: {told(tops, shapes)}, {why}; {_UNREAD}")
            return DataProbe(tuple(shapes), made_up(config, shapes))
        mean = missing_mean(config)
        if self._derive and mean is not None and config.transform is not None:
            self._say(f"{_called(layer)}: there is no mean file '{mean}'; no mean is subtracted")
            refuse_foreign(find_layer(layer.type, layer.location), layer)
            plain = replace(config, transform=replace(config.transform, mean_file=""))
            found = self._inner.probed(plain, phase)
        else:
            found = self._real(layer, config, phase, key)
        if not isinstance(config, MemoryDataConfig):
            return found
        self._say(f"{_called(layer)}: {told(tops, found.shapes)}; made up, none is handed over")
        return DataProbe(found.shapes, made_up(config, found.shapes))

    def _real(self, layer: Message, config: SourceConfig, phase: str, key: str) -> DataProbe:
        try:
            return self._inner.data(layer, phase, key)
        except RoasteryError as error:
            try:
                known = derived(config)
            except RoasteryError:  # a mean file that cannot be read
                known = NOTHING
            flags = shape_flags(config, known, config.tops)
            raise _with_hint(error, f"nothing is read where shapes are given: {flags}") from error

    def _dummy(self, layer: Message, config: DummyDataConfig, phase: str, key: str) -> DataProbe:
        """DummyData at other shapes, with its own fillers."""
        tops = list(layer.top)
        if all(top in self._given for top in tops):
            own: Sequence[Shape] = [self._given[top] for top in tops]
        else:
            own = self._real(layer, config, phase, key).shapes
        shapes = tuple(self._given.get(top, shape) for top, shape in zip(tops, own, strict=True))
        changed = replace(config, shape=shapes, num=(), channels=(), height=(), width=())
        self._say(f"{_called(layer)}: {told(tops, shapes)}, as --shape says")
        return DataProbe(shapes, changed)

    def _shapes(
        self, layer: Message, config: SourceConfig, missing: str
    ) -> tuple[list[Shape], str]:
        """Shapes of all tops of a layer that is not opened, and what tells them."""
        tops = list(layer.top)
        found: list[Shape | None] = [self._given.get(top) for top in tops]
        sources = ["--shape"] if any(shape is not None for shape in found) else []
        labelled = config.labelled
        # Nothing is read that is not needed: a mean file may tell a size, or be damaged.
        known = NOTHING if labelled and found[0] is not None else derived(config)
        if labelled and found[0] is None:
            if len(found) > 1 and found[1] and config.beside(("N", "C", "H", "W"))[0][0] == "N":
                known = replace(known, axes=(found[1][0], *known.axes[1:]))
            if None not in known.axes:
                found[0] = tuple(axis for axis in known.axes if axis is not None)
                sources += known.fields
        if labelled and found[0] is not None:
            for i, shape in enumerate(config.beside(found[0])[: len(tops) - 1], 1):
                if found[i] is None and not any(isinstance(axis, str) for axis in shape):
                    found[i] = tuple(map(int, shape))
        shapes = [shape for shape in found if shape is not None]
        if len(shapes) != len(tops):
            raise underivable(config, missing, known, list(self._given), tops)
        if any(extent < 1 for shape in shapes for extent in shape):
            raise config.error(
                f"the tops of layer '{layer.name}' ({layer.type}) would be {told(tops, shapes)}",
                hint="data has at least one element: give every extent as 1 or more",
            )
        return shapes, f"as {_listed(sources)} {'says' if len(sources) == 1 else 'say'}"

    # --- the rest ---------------------------------------------------------------------

    def host_layer(
        self, layer: Message, phase: str, bottoms: Sequence[Shape], key: str
    ) -> HostLayerProbe:
        if key in self._stand_ins:
            return self._stand_ins[key]
        tops = list(layer.top)
        if tops and all(top in self._given for top in tops):
            shapes = [self._given[top] for top in tops]
            return self._stand_in(layer, key, shapes, "as --shape says")
        try:
            return self._inner.host_layer(layer, phase, bottoms, key)
        except RoasteryError as error:
            user_code = find_layer(layer.type, layer.location).user_code
            if user_code and not isinstance(error, _NOT_IMPORTED):
                raise  # the user's own code has failed
            in_place = dict(zip(layer.bottom, bottoms, strict=False))
            found = [self._given.get(top, in_place.get(top)) for top in tops]
            shapes = [shape for shape in found if shape is not None]
            if len(shapes) != len(tops):
                lost = [top for top, shape in zip(tops, found, strict=True) if shape is None]
                flags = " ".join(f"--shape {top}=DIM,DIM,..." for top in lost)
                hint = f"the layer need not run where its tops' shapes are given: {flags}"
                raise _with_hint(error, hint) from error
            return self._stand_in(layer, key, shapes, error.message.partition("\n")[0])

    def _stand_in(self, layer: Message, key: str, shapes: Sequence[Shape], why: str) -> UnrunLayer:
        what = f"{told(list(layer.top), shapes)}, {why}" if shapes else why
        self._say(f"{_called(layer)} is not run, and has no parameters here: {what}")
        self.unrun.add(layer.name)
        self._stand_ins[key] = UnrunLayer(shapes)
        return self._stand_ins[key]

    def stand_in(self, layer: Message, tops: Sequence[Shape], key: str) -> HostLayerProbe | None:
        if key not in self._stand_ins:
            self._stand_in(layer, key, tops, "it has nothing to read")
        return self._stand_ins[key]

    def own_module(self, layer: Message) -> OwnModule | None:
        return self._inner.own_module(layer)

    def python_layer(self, key: str) -> Any:
        return self._inner.python_layer(key)

    def blob_file(self, path: str, layer: Message, shape: Shape) -> Any:
        if Path(path).exists():
            return self._inner.blob_file(path, layer, shape)
        if len(shape) == 2:
            self._say(f"{_called(layer)}: there is no file '{path}'; a unit matrix stands for it")
            return np.eye(*shape, dtype=np.float32)
        self._say(f"{_called(layer)}: there is no file '{path}'; zeros stand for it")
        return np.zeros(shape, np.float32)

    def image_sizes(self, path: str, layer: Message) -> np.ndarray:
        if Path(path).exists():
            return self._inner.image_sizes(path, layer)
        self._say(f"{_called(layer)}: there is no file '{path}'; an image of 500x500 stands for it")
        return np.full((1, 2), 500, np.float32)


def _called(layer: Message) -> str:
    return f"layer '{layer.name}' ({layer.type})"


def _listed(words: Sequence[str]) -> str:
    words = list(dict.fromkeys(words))
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _with_hint(error: RoasteryError, further: str) -> RoasteryError:
    hint = f"{error.hint}; {further}" if error.hint else further
    return RoasteryError(
        error.message, location=error.location, hint=hint, detail=error.detail, field=error.field
    )
