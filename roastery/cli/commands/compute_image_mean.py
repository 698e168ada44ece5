"""``roastery compute_image_mean``. Caffe: tools/compute_image_mean.cpp."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional
from ..progress import progress_bar
from ..reading import IMAGE_FLAG
from ..tool_log import tool_log


def _run(arguments: Arguments) -> None:
    from runtime.data.tools.image_mean import compute_image_mean

    with tool_log() as notes, progress_bar("records") as progress:
        compute_image_mean(
            arguments.input_db,
            arguments.output_file or None,
            arguments.backend,
            progress,
            notes,
        )


COMMAND = Command(
    name="compute_image_mean",
    summary="Compute the mean picture of a database",
    group="Data",
    description="""
        Writes the mean of all pictures as a binaryproto, for mean_file in a transform_param, and
        shows the mean of each channel, for mean_value.
    """,
    positionals=(
        Positional("input_db", "the database"),
        Positional("output_file", "the mean file to write", required=False, default=""),
    ),
    flags=(IMAGE_FLAG, Flag("backend", "kind of database: lmdb or leveldb", default="lmdb")),
    examples=(Example("roastery compute_image_mean train_lmdb mean.binaryproto", "write a mean"),),
    run=_run,
)
