"""``roastery convert_mnist``. Caffe: examples/mnist/convert_mnist_data.cpp."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional
from ..progress import progress_bar
from ..tool_log import tool_log


def _run(arguments: Arguments) -> None:
    from runtime.data.tools.mnist import convert_mnist

    with tool_log() as notes, progress_bar("images") as progress:
        convert_mnist(
            arguments.images,
            arguments.labels,
            arguments.database,
            arguments.backend,
            progress,
            notes,
        )


COMMAND = Command(
    name="convert_mnist",
    summary="Turn MNIST's files into a database",
    group="Data",
    description="""
        Reads an image file and its label file in MNIST's IDX format, compressed with gzip or not,
        and writes an LMDB or LevelDB of Datum records with keys of eight digits, as Caffe's
        convert_mnist_data does.
    """,
    positionals=(
        Positional("images", "the image file, such as train-images-idx3-ubyte.gz"),
        Positional("labels", "the label file of the same set"),
        Positional("database", "the database to make"),
    ),
    flags=(Flag("backend", "kind of database", default="lmdb", choices=("lmdb", "leveldb")),),
    examples=(
        Example(
            "roastery convert_mnist train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz "
            "mnist_train_lmdb",
            "the training set",
        ),
    ),
    aliases=("convert_mnist_data",),
    run=_run,
)
