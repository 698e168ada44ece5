"""Pascal VOC's XML. weiliu89/caffe: src/caffe/util/io.cpp, ReadXMLToAnnotatedDatum.

The files come from anywhere: entities are refused, so that none can grow or name a file, and
elements are not kept, but for the few that count.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from xml.parsers import expat

from ir.errors import RoasteryError
from ir.location import Location

from .found import FoundObject, FoundObjects, finite, place_in

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
_MOST_DEPTH = 64
_MOST_TEXT = 4096
"""Characters of a name or number, of which there are a few."""

_OBJECT = ("annotation", "object")
_SIZE = ("annotation", "size")


def parse_voc(data: bytes, path: str | os.PathLike[str]) -> FoundObjects:
    """The objects of an annotation, in their order.

    Args:
        path: of the file, for errors.

    Raises RoasteryError for bytes that are no XML, and objects without a name or a box.
    """
    return _Reader(path).read(data)


class _Object:
    """An object that is being read."""

    def __init__(self, place: Location) -> None:
        self.place = place
        self.name: str | None = None
        self.difficult = False
        self.corners: dict[str, float] = {}


class _Reader:
    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._elements: list[str] = []
        self._text: list[str] = []
        self._object: _Object | None = None
        self._found: list[FoundObject] = []
        self._size: dict[str, int | None] = {}
        self._mistake: RoasteryError | None = None
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._guarded(self._start)
        self._parser.EndElementHandler = self._guarded(self._end)
        self._parser.CharacterDataHandler = self._guarded(self._characters)
        self._parser.EntityDeclHandler = self._guarded(self._entity)

    def read(self, data: bytes) -> FoundObjects:
        try:
            self._parser.Parse(data, True)
        except (expat.ExpatError, LookupError, ValueError) as error:
            if self._mistake is None:
                code = getattr(error, "code", None)
                reason = expat.errors.messages[code] if code else str(error)
                json = data.lstrip()[:1] in (b"{", b"[")
                hint = "--label_type=json reads COCO's JSON" if json else None
                raise self._error(f"this is no XML: {reason}", hint) from None
        if self._mistake is not None:
            raise self._mistake
        return FoundObjects(tuple(self._found), self._size.get("height"), self._size.get("width"))

    def _guarded(self, handler: Callable[..., None]) -> Callable[..., None]:
        """What a handler refuses ends the reading; expat goes on without it otherwise."""

        def guarded(*arguments: object) -> None:
            if self._mistake is None:
                try:
                    handler(*arguments)
                except RoasteryError as mistake:
                    self._mistake = mistake
                    raise ValueError from None

        return guarded

    def _error(self, message: str, hint: str | None = None) -> RoasteryError:
        line, column = self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1
        return RoasteryError(message, location=place_in(self._path, line, column), hint=hint)

    def _entity(self, name: str, *_: object) -> None:
        raise self._error(f"the file declares an entity ({name[:80]}); annotations need none")

    def _start(self, name: str, _: object) -> None:
        if not self._elements and name != "annotation":
            raise self._error(
                f"the file is a <{name[:80]}>, not an <annotation>",
                "annotations are as those of Pascal VOC",
            )
        if len(self._elements) >= _MOST_DEPTH:
            raise self._error(f"elements lie {_MOST_DEPTH} deep in each other")
        self._elements.append(name)
        self._text = []
        if tuple(self._elements) == _OBJECT:
            self._object = _Object(place_in(self._path, self._parser.CurrentLineNumber))

    def _characters(self, text: str) -> None:
        if len(self._elements) > 2 and sum(map(len, self._text)) < _MOST_TEXT:
            self._text.append(text[:_MOST_TEXT])

    def _end(self, name: str) -> None:
        path = tuple(self._elements)
        text = "".join(self._text).strip()
        self._elements.pop()
        self._text = []
        if path[:2] == _SIZE and len(path) == 3 and name in ("height", "width"):
            self._size.setdefault(name, _whole(text))
        thing = self._object
        if thing is None or path[:2] != _OBJECT:
            return
        if path == _OBJECT:
            self._found.append(self._finished(thing))
            self._object = None
        elif len(path) == 3 and name == "name":
            thing.name = text
        elif len(path) == 3 and name == "difficult":
            thing.difficult = text == "1"
        elif len(path) == 4 and path[2] == "bndbox" and name in _CORNERS:
            number = _number(text)
            if number is None:
                raise self._error(f"{name} is '{text[:80]}', not a number of pixels")
            thing.corners[name] = number

    def _finished(self, thing: _Object) -> FoundObject:
        if not thing.name:
            raise RoasteryError("the object has no name", location=thing.place)
        lacking = [name for name in _CORNERS if name not in thing.corners]
        if lacking:
            raise RoasteryError(
                f"the object's bndbox has no {' and no '.join(lacking)}", location=thing.place
            )
        x1, y1, x2, y2 = (thing.corners[name] for name in _CORNERS)
        finite((x1, y1, x2, y2), thing.place, "the bndbox")
        return FoundObject(thing.name, (x1, y1, x2, y2), thing.difficult, thing.place)


def _number(text: str) -> float | None:
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None


def _whole(text: str) -> int | None:
    """A size in pixels; None for what is none: the picture's own counts then."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
