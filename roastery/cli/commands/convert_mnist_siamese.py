"""``roastery convert_mnist_siamese``. Caffe: examples/siamese/convert_mnist_siamese_data.cpp."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional
from ..progress import progress_bar
from ..tool_log import tool_log


def _run(arguments: Arguments) -> None:
    from runtime.data.tools.siamese import convert_mnist_siamese

    with tool_log() as notes, progress_bar("pairs") as progress:
        convert_mnist_siamese(
            arguments.images,
            arguments.labels,
            arguments.database,
            arguments.backend,
            arguments.seed,
            progress,
            notes,
        )


COMMAND = Command(
    name="convert_mnist_siamese",
    summary="Turn MNIST's files into a database of pairs",
    group="Data",
    description="""
        Reads an image file and its label file in MNIST's IDX format, compressed with gzip or not,
        draws as many pairs of pictures as there are pictures, and writes a LevelDB or LMDB of Datum
        records with two channels and keys of eight digits, as Caffe's convert_mnist_siamese_data
        does. The label is 1 where both pictures show the same digit, else 0. A seed gives other
        pairs than Caffe's, in the same way.
    """,
    positionals=(
        Positional("images", "the image file, such as train-images-idx3-ubyte.gz"),
        Positional("labels", "the label file of the same set"),
        Positional("database", "the database to make"),
    ),
    flags=(
        Flag("backend", "kind of database", default="leveldb", choices=("leveldb", "lmdb")),
        Flag("seed", "of the drawing", "int", 0, minimum=0),
    ),
    examples=(
        Example(
            "roastery convert_mnist_siamese train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz "
            "mnist_siamese_train_leveldb",
            "pairs of the training set",
        ),
    ),
    aliases=("convert_mnist_siamese_data",),
    run=_run,
)
