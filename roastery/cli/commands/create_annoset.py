"""``roastery create_annoset``.

weiliu89/caffe: tools/convert_annoset.cpp, scripts/create_annoset.py.
"""

from __future__ import annotations

import os
from pathlib import Path

from ir.errors import RoasteryError

from ..command import Arguments, Command, Example, Flag, Positional
from ..progress import progress_bar
from ..reading import IMAGE_FLAG
from ..tool_log import tool_log


def _run(arguments: Arguments) -> None:
    from frontends.label_map import read_label_map
    from runtime.data.tools.annoset import create_annoset

    labels: dict[str, int] = {}
    named = arguments.anno_type == "detection" and arguments.label_type != "txt"
    if arguments.label_map_file:
        labels = read_label_map(arguments.label_map_file).labels(strict=arguments.check_label)
    elif named:
        raise RoasteryError(
            "no label map is given: it says which number stands for which name",
            hint="--label_map_file=labelmap.prototxt",
        )
    link = _link(arguments)
    with tool_log() as notes, progress_bar("images") as progress:
        create_annoset(
            arguments.rootfolder,
            arguments.listfile,
            arguments.db_name,
            anno_type=arguments.anno_type,
            label_type=arguments.label_type,
            labels=labels,
            gray=arguments.gray,
            shuffle=arguments.shuffle,
            backend=arguments.backend,
            min_dim=arguments.min_dim,
            max_dim=arguments.max_dim,
            resize_width=arguments.resize_width,
            resize_height=arguments.resize_height,
            check_size=arguments.check_size,
            encoded=arguments.encoded,
            encode_type=arguments.encode_type,
            redo=arguments.redo,
            seed=arguments.seed,
            progress=progress,
            notes=notes,
        )
    if link is not None:
        _make_link(link, Path(arguments.db_name))


def _link(arguments: Arguments) -> Path | None:
    """Where a link to the database shall be; refused before anything is written."""
    if not arguments.exampledir:
        return None
    link = Path(arguments.exampledir, Path(arguments.db_name).name)
    if link.exists() and not link.is_symlink():
        raise RoasteryError(f"'{link}' exists already and is no link", hint="remove it first")
    return link


def _make_link(link: Path, database: Path) -> None:
    try:
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.is_symlink():
            link.unlink()
        link.symlink_to(os.path.abspath(database))
    except OSError as error:
        raise RoasteryError(f"cannot make the link '{link}': {error.strerror}") from error


COMMAND = Command(
    name="create_annoset",
    summary="Turn pictures with boxes into a database",
    group="Data",
    description="""
        Reads a list with a picture and its annotations on each line ("cat/1.jpg cat/1.xml"; with
        --anno_type=classification a picture and a number) and writes AnnotatedDatum records, which
        AnnotatedData layers read. Annotations are Pascal VOC's XML, COCO's JSON (a picture a file),
        or text (the number of a label, xmin, ymin, xmax, ymax a line). Pictures that cannot be read
        are named and left out; annotations that cannot be understood are an error. The database
        appears when it is complete. Needs OpenCV: pip install roastery[images].
    """,
    positionals=(
        Positional("rootfolder", "put before every path of the list"),
        Positional("listfile", "the list of pictures and annotations"),
        Positional("db_name", "the database to make"),
        Positional(
            "exampledir", "a folder that gets a link to the database", required=False, default=""
        ),
    ),
    flags=(
        IMAGE_FLAG,
        Flag(
            "anno_type",
            "what the list says of a picture: its class, or a file of boxes",
            default="classification",
            choices=("classification", "detection"),
        ),
        Flag("label_type", "what such files are", default="xml", choices=("xml", "json", "txt")),
        Flag(
            "label_map_file",
            "the numbers of names (a LabelMap prototxt); for xml and json",
            default="",
            metavar="FILE",
        ),
        Flag("check_label", "refuse a label map that has a name twice", "bool", False),
        Flag("gray", "store one channel instead of three", "bool", False),
        Flag("shuffle", "store the pictures in random order", "bool", False),
        Flag("seed", "of the random order", "int", 0, minimum=0),
        Flag("backend", "kind of database: lmdb or leveldb", default="lmdb"),
        Flag("min_dim", "scale up pictures whose smaller side is shorter", "int", 0, minimum=0),
        Flag("max_dim", "scale down pictures whose larger side is longer", "int", 0, minimum=0),
        Flag("resize_width", "width to resize pictures to", "int", 0, minimum=0),
        Flag("resize_height", "height to resize pictures to", "int", 0, minimum=0),
        Flag("check_size", "refuse pictures of different sizes", "bool", False),
        Flag("encoded", "store picture files instead of pixels", "bool", False),
        Flag("encode_type", "store as this type of picture file", default="", metavar="png|jpg"),
        Flag("redo", "replace a database that exists, when the new one is complete", "bool", False),
    ),
    aliases=("convert_annoset",),
    examples=(
        Example(
            "roastery create_annoset --anno_type=detection --label_map_file=labelmap_voc.prototxt "
            "--encoded --encode_type=jpg VOCdevkit/ trainval.txt trainval_lmdb",
            "Pascal VOC, as SSD trains on it",
        ),
    ),
    run=_run,
)
