"""``roastery resize_and_crop``. Caffe: tools/extra/resize_and_crop_images.py."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional
from ..progress import progress_bar
from ..reading import IMAGE_FLAG
from ..say import say
from ..tool_log import tool_log


def _run(arguments: Arguments) -> None:
    from runtime.data.tools.resize_and_crop import resize_and_crop

    from ...files.regular_file import read_regular_text

    files = None
    if arguments.input_file_list:
        text = read_regular_text(arguments.input_file_list)
        lines = text.splitlines()
        files = [line.strip() for line in lines if line.strip()]
    with tool_log() as notes, progress_bar("pictures") as progress:
        done = resize_and_crop(
            arguments.input_folder,
            arguments.output_folder,
            arguments.output_side_length,
            files,
            progress,
            notes,
        )
    say(f"Wrote {done.written} pictures to {arguments.output_folder}")


COMMAND = Command(
    name="resize_and_crop",
    summary="Turn pictures into squares of one size",
    group="Data",
    description="""
        Resizes the shorter side of every picture to OUTPUT_SIDE_LENGTH and cuts out the centre.
        Needs OpenCV: pip install roastery[images].
    """,
    positionals=(
        Positional("input_folder", "the pictures"),
        Positional("output_folder", "where the squares go; made if it is missing"),
    ),
    flags=(
        IMAGE_FLAG,
        Flag("output_side_length", "side of the squares in pixels", "int", 256, minimum=1),
        Flag(
            "input_file_list",
            "a file with one name per line; without it every picture is taken",
            default="",
            metavar="FILE",
        ),
    ),
    examples=(
        Example("roastery resize_and_crop photos squares --output_side_length=227", "227 x 227"),
    ),
    aliases=("resize_and_crop_images",),
    run=_run,
)
