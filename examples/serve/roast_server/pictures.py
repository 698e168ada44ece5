"""Pictures in; classes and objects out."""

from __future__ import annotations

from typing import Any

import numpy as np

from ir.errors import RoasteryError
from roastery.tools.objects.rows import are_rows, objects_in_rows
from roastery.tools.picture_answers import usual_preprocessing
from runtime.data.image_codec import ImageError
from runtime.data.picture_file import picture_from_bytes
from runtime.pictures import Preprocessing

from .engine import Arrays, Engine
from .json_arrays import json_values
from .problems import Problem
from .rows import Rows, Sharing

_FEW = 64
"""Values of an output that is neither classes nor objects; of more its shape is told."""


class PictureRules:
    """How pictures become the input of a net that has one, and what is said of them."""

    def __init__(self, engine: Engine, rows: Rows) -> None:
        self._engine, self._rows = engine, rows
        self.guessed = engine.pictures.preprocessing is None
        self.why_not = ""
        self._rules: Preprocessing | None = None
        try:
            self._rules = engine.pictures.preprocessing or usual_preprocessing(engine.inputs)
        except RoasteryError as error:
            self.why_not = error.message
        if len(engine.inputs) != 1:
            self.why_not = f"the net has {len(engine.inputs)} inputs; pictures are one"

    @property
    def taken(self) -> str:
        """Whether pictures are taken, in a word; else why not."""
        return self.why_not or ("guessed" if self.guessed else "yes")

    def input_of(self, files: list[tuple[str, bytes]]) -> tuple[Arrays, list[tuple[int, int]]]:
        """The net's input, and the pictures' heights and widths. Raises Problem."""
        if self._rules is None or self.why_not:
            raise Problem(415, "picture", self.why_not, "send arrays; /info says which")
        most = self._rows.most
        if len(files) > most:
            raise Problem(
                422, "rows", f"{len(files)} pictures were sent; {most} run at once",
                "send several requests, or start the server with --max-batch",
            )  # fmt: skip
        port = self._engine.inputs[self._rules.input]
        count, channels, height, width = port.shape
        if self._rows.sharing is not Sharing.ALONE or port.accepted[0] is None:
            count = len(files)
        batch, sizes = np.zeros((count, channels, height, width), np.float32), []
        for row, (name, data) in zip(batch, files, strict=False):
            try:
                picture = picture_from_bytes(data, color=channels != 1)
            except ImageError as error:
                raise Problem(
                    422, "picture", f"{name or 'the body'}: cannot read the picture: {error}"[:300],
                    "JPEG, PNG and others that OpenCV reads; /info says how large they may be",
                ) from None  # fmt: skip
            row[...] = self._rules.apply(picture, (height, width))
            sizes.append(picture.shape[:2])
        return {self._rules.input: batch}, sizes

    def said(
        self, row: int, results: Arrays, size: tuple[int, int], top: int, threshold: float
    ) -> dict[str, Any]:
        """Of one picture: by output classes, objects, or values."""
        said: dict[str, Any] = {}
        for name, array in results.items():
            if are_rows(array.shape):
                said[name] = {"objects": self._objects(array, row, size, threshold)}
            elif array.ndim >= 2 and array[row].size == array.shape[1]:
                said[name] = {"classes": self._classes(array[row].reshape(-1), top)}
            elif array.ndim and array[row].size <= _FEW:
                said[name] = {"values": json_values(array[row])}
            else:
                said[name] = {"shape": list(array.shape), "dtype": str(array.dtype)}
        return said

    def _objects(
        self, array: np.ndarray, row: int, size: tuple[int, int], threshold: float
    ) -> list[dict[str, Any]]:
        rows = array[:, :, array[0, 0, :, 0] == row]
        found = sorted(objects_in_rows(rows, size, threshold), key=lambda thing: -thing.score)
        return [
            {**self._class(thing.label, thing.score), "box": [*map(float, thing.box)]}
            for thing in found
        ]

    def _classes(self, scores: np.ndarray, top: int) -> list[dict[str, Any]]:
        best = np.argsort(-scores, kind="stable")[:top]
        return [self._class(number, float(scores[number])) for number in best.tolist()]

    def _class(self, number: int, score: float) -> dict[str, Any]:
        label = self._engine.pictures.name_of(number)
        return {"class": number, "label": label, "score": score if np.isfinite(score) else None}
