"""Pictures and what is in them into a database. weiliu89/caffe: tools/convert_annoset.cpp."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ir.errors import RoasteryError
from ir.types import shape_text

from ...logging.records import Severity
from ..annotated_datum import BBOX, AnnotatedDatum, serialize_annotated
from ..annotations.coco_json import parse_coco
from ..annotations.found import FoundObjects, boxes_of, read_annotation, remarks
from ..annotations.text_lines import parse_lines
from ..annotations.voc_xml import parse_voc
from ..boxes.boxes import no_boxes
from ..database_writer import check_backend, check_target, new_database
from ..draws import SHUFFLE, Draws
from ..image_codec import import_cv2
from ..image_limit import check_pixels
from ..image_list import read_image_list
from ..notes import NoteKind, Notes, to_logger
from ..pair_list import read_labelled_lines
from .progress import Progress, silent
from .stored_picture import (
    LargePicture,
    PictureStore,
    StoredPicture,
    folder_prefix,
    load_in_order,
)

_ORIGIN = "convert_annoset.cpp"
_SHUFFLING = NoteKind(_ORIGIN, "Shuffling data")
_TOTAL = NoteKind(_ORIGIN, "A total of {count} images.")
_ENCODED = NoteKind(_ORIGIN, "encode_type specified, assuming encoded=true.")
_PROCESSED = NoteKind(_ORIGIN, "Processed {count} files.")
_FAILED = NoteKind(_ORIGIN, "Failed to read {path}", severity=Severity.WARNING)
_REMARK = NoteKind("io.cpp", "{path} {remark}", severity=Severity.WARNING)
_UNANNOTATED = NoteKind(
    "io.cpp", "there is no {path}: {image} is stored without boxes", severity=Severity.WARNING
)

ANNOTATION_TYPES = ("classification", "detection")
_READERS = {"xml": parse_voc, "json": parse_coco, "txt": parse_lines}
LABEL_TYPES = tuple(_READERS)


@dataclass(frozen=True, slots=True)
class ConvertedAnnotations:
    """How many pictures were written, with how many boxes, and the paths of those that could not
    be read."""

    written: int
    boxes: int
    skipped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Listed:
    """A picture, and its class, or the file that says what is in it."""

    path: str
    line: int
    label: int = -1
    annotation: str | None = None


@dataclass(frozen=True, slots=True)
class _Loaded:
    value: bytes
    size: tuple[int, ...]
    boxes: int


def create_annoset(
    root_folder: str,
    list_file: str | os.PathLike[str],
    database: str | os.PathLike[str],
    *,
    anno_type: str = "classification",
    label_type: str = "xml",
    labels: Mapping[str, int] | None = None,
    gray: bool = False,
    shuffle: bool = False,
    backend: str = "lmdb",
    min_dim: int = 0,
    max_dim: int = 0,
    resize_width: int = 0,
    resize_height: int = 0,
    check_size: bool = False,
    encoded: bool = False,
    encode_type: str = "",
    redo: bool = False,
    seed: int = 0,
    progress: Progress = silent,
    notes: Notes = to_logger,
) -> ConvertedAnnotations:
    """Write the pictures of a list as AnnotatedDatum records, keyed "%08d_PATH".

    Args:
        root_folder: put before every path of the list.
        anno_type: "detection": a line of the list is a picture and the file that says what is in
            it; "classification": a picture and the number of its class.
        label_type: kind of these files: "xml" (Pascal VOC), "json" (COCO, a picture a file), "txt"
            (a label's number and a box a line).
        labels: numbers by the names in XML, or by the category_id in JSON.
        gray, shuffle, resize_width, resize_height, check_size, encoded, encode_type, seed: as of
            `convert_imageset`.
        min_dim, max_dim: least length of a picture's smaller side, greatest of its larger one;
            pictures beyond them are scaled. They go before resize_width and resize_height.
        redo: replace a database that exists, once the new one is complete.

    Pictures that cannot be read are noted and left out; one whose file of annotations is not there
    is noted and stored without boxes. Raises RoasteryError for a list that is missing or damaged,
    annotations that cannot be understood, a database that exists, or when no picture can be read.
    """
    _check_choice("anno_type", anno_type, ANNOTATION_TYPES)
    _check_choice("label_type", label_type, LABEL_TYPES)
    target = Path(database)
    check_backend(backend)
    check_target(target, replace=redo)
    check_pixels(resize_height, resize_width)
    import_cv2()
    encode_type = encode_type.lower().lstrip(".")
    store = PictureStore(
        color=not gray,
        resize_height=max(0, resize_height),
        resize_width=max(0, resize_width),
        min_dim=max(0, min_dim),
        max_dim=max(0, max_dim),
        encoded=encoded or bool(encode_type),
        encode_type=encode_type,
        sized=True,
        notes=notes,
    )
    store.check()
    images = _read_list(Path(list_file), anno_type)
    if shuffle:
        notes(_SHUFFLING())
        order = Draws(seed).permutation(SHUFFLE, 0, len(images))
        images = [images[int(i)] for i in order]
    notes(_TOTAL(count=len(images)))
    if encode_type and not encoded:
        notes(_ENCODED())
    reader = _Pictures(folder_prefix(root_folder), store, label_type, labels or {}, notes)
    first: tuple[_Listed, tuple[int, ...]] | None = None
    written, boxes, skipped = 0, 0, []
    loaded_images = load_in_order(images, reader.load, store.most_pixels)
    with new_database(target, backend, notes, replace=redo) as writer:
        for index, (listed, loaded) in enumerate(loaded_images):
            progress(index + 1, len(images))
            if loaded is None:
                notes(_FAILED(path=listed.path))
                skipped.append(listed.path)
                continue
            if first is None:
                first = listed, loaded.size
            elif check_size and loaded.size != first[1]:
                raise RoasteryError(
                    f"image '{listed.path}' ({os.fspath(list_file)}, line {listed.line}) is "
                    f"{shape_text(loaded.size)}, but '{first[0].path}' is {shape_text(first[1])} "
                    "(height x width x channels)",
                    hint="give --resize_height and --resize_width, or leave out --check_size",
                )
            key = f"{index:08d}_{listed.path}".encode("utf-8", "surrogateescape")
            writer.put(key, loaded.value)
            written += 1
            boxes += loaded.boxes
            if written % 1000 == 0:
                notes(_PROCESSED(count=written))
        if not written:
            raise RoasteryError(
                f"none of the {len(images)} images of '{list_file}' could be read; the first is "
                f"'{reader.root}{images[0].path}'",
                hint="ROOTFOLDER is put before every path of the list as it stands",
            )
    if written % 1000:
        notes(_PROCESSED(count=written))
    return ConvertedAnnotations(written, boxes, tuple(skipped))


class _Pictures:
    """Makes records of what a list names; on any thread."""

    def __init__(
        self,
        root: str,
        store: PictureStore,
        label_type: str,
        labels: Mapping[str, int],
        notes: Notes,
    ) -> None:
        self.root = root
        self._store = store
        self._parse = _READERS[label_type]
        self._labels = labels
        self._notes = notes

    def load(self, listed: _Listed, most_pixels: int | None) -> _Loaded | LargePicture | None:
        """A picture's record, with its boxes; None if the picture cannot be read."""
        stored = self._store.load(self.root + listed.path, listed.label, most_pixels)
        if not isinstance(stored, StoredPicture):
            return stored
        record = AnnotatedDatum(stored.datum, None, no_boxes())
        if listed.annotation is not None:
            height, width = stored.original
            found = self._annotations(listed)
            record.type = BBOX
            for remark in remarks(found, height, width):
                self._notes(_REMARK(path=self.root + listed.annotation, remark=remark))
            record.boxes = boxes_of(found, height, width, self._labels)
        return _Loaded(serialize_annotated(record), stored.size, len(record.boxes))

    def _annotations(self, listed: _Listed) -> FoundObjects:
        path = f"{self.root}{listed.annotation}"
        try:
            data = read_annotation(path)
        except FileNotFoundError:
            self._notes(_UNANNOTATED(path=path, image=listed.path))
            return FoundObjects(())
        return self._parse(data, path)


def _read_list(path: Path, anno_type: str) -> list[_Listed]:
    if anno_type == "classification":
        return [_Listed(image.path, image.line, image.label) for image in read_image_list(path)]
    return [
        _Listed(pair.path, pair.line, annotation=pair.label)
        for pair in read_labelled_lines(path, "annotation file")
    ]


def _check_choice(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise RoasteryError(f"{name} is {value!r}", hint=f"one of: {', '.join(allowed)}")
