"""``roastery convert_imageset``. Caffe: tools/convert_imageset.cpp."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional
from ..progress import progress_bar
from ..reading import IMAGE_FLAG
from ..tool_log import tool_log


def _run(arguments: Arguments) -> None:
    from runtime.data.tools.imageset import convert_imageset

    with tool_log() as notes, progress_bar("images") as progress:
        convert_imageset(
            arguments.rootfolder,
            arguments.listfile,
            arguments.db_name,
            gray=arguments.gray,
            shuffle=arguments.shuffle,
            backend=arguments.backend,
            resize_width=arguments.resize_width,
            resize_height=arguments.resize_height,
            check_size=arguments.check_size,
            encoded=arguments.encoded,
            encode_type=arguments.encode_type,
            seed=arguments.seed,
            progress=progress,
            notes=notes,
        )


COMMAND = Command(
    name="convert_imageset",
    summary="Turn pictures into a database",
    group="Data",
    description="""
        Reads a list with a picture and a label on each line ("cat/1.jpg 3") and writes the
        pictures as Datum records. Pictures that cannot be read are named and left out; a line
        without a label is an error. With --encoded, files are stored as they are, or encoded
        anew where --gray or 8 bits per channel ask for other pixels. Needs OpenCV:
        pip install roastery[images].
    """,
    positionals=(
        Positional("rootfolder", "put before every path of the list"),
        Positional("listfile", "the list of pictures and labels"),
        Positional("db_name", "the database to make"),
    ),
    flags=(
        IMAGE_FLAG,
        Flag("gray", "store one channel instead of three", "bool", False),
        Flag("shuffle", "store the pictures in random order", "bool", False),
        Flag("seed", "of the random order", "int", 0, minimum=0),
        Flag("backend", "kind of database: lmdb or leveldb", default="lmdb"),
        Flag("resize_width", "width to resize pictures to", "int", 0, minimum=0),
        Flag("resize_height", "height to resize pictures to", "int", 0, minimum=0),
        Flag("check_size", "refuse pictures of different sizes", "bool", False),
        Flag("encoded", "store picture files instead of pixels", "bool", False),
        Flag("encode_type", "store as this type of picture file", default="", metavar="png|jpg"),
    ),
    examples=(
        Example(
            "roastery convert_imageset --resize_height=256 --resize_width=256 --shuffle "
            "images/ train.txt train_lmdb",
            "pictures of one size, in random order",
        ),
    ),
    run=_run,
)
