"""``roastery convert_cifar``. Caffe: examples/cifar10/convert_cifar_data.cpp."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Positional
from ..progress import progress_bar
from ..tool_log import tool_log


def _run(arguments: Arguments) -> None:
    from runtime.data.tools.cifar import convert_cifar

    with tool_log() as notes, progress_bar("images") as progress:
        convert_cifar(
            arguments.input_folder, arguments.output_folder, arguments.db_type, progress, notes
        )


COMMAND = Command(
    name="convert_cifar",
    summary="Turn CIFAR-10's binary batches into databases",
    group="Data",
    description="""
        Writes cifar10_train_lmdb and cifar10_test_lmdb (or _leveldb) into OUTPUT_FOLDER, with keys
        of five digits, as Caffe's convert_cifar_data does.
    """,
    positionals=(
        Positional("input_folder", "the unpacked binary version, cifar-10-batches-bin"),
        Positional("output_folder", "where to make the databases"),
        Positional("db_type", "lmdb or leveldb", required=False, default="lmdb"),
    ),
    examples=(Example("roastery convert_cifar cifar-10-batches-bin . lmdb", "both sets"),),
    aliases=("convert_cifar_data",),
    run=_run,
)
