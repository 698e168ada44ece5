"""``roastery extract_features``. Caffe: tools/extract_features.cpp."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..compilation import LAYOUT_FLAG, PASSES_FLAG, PRECISION_FLAG, THREADS_FLAG
from ..devices import DEVICE_BRIEF, DEVICES
from ..nets import PYTHON_FLAG, python_layers
from ..progress import progress_bar
from ..reading import IMAGE_FLAG
from ..tool_log import tool_log


def _run(arguments: Arguments) -> None:
    from ...tools.extract_features import extract_features

    try:
        batches = int(arguments.num_mini_batches)
    except ValueError:
        raise UsageError(f"{arguments.num_mini_batches}: must be a number of batches") from None
    with tool_log() as notes, progress_bar("batches") as progress:
        extract_features(
            arguments.pretrained_net_param,
            arguments.feature_extraction_proto_file,
            arguments.extract_feature_blob_names.split(","),
            arguments.save_feature_dataset_names.split(","),
            batches,
            arguments.db_type,
            _device(arguments),
            progress,
            notes=notes,
            precision=arguments.precision,
            passes=arguments.passes,
            layout=arguments.layout,
            threads=arguments.threads,
            allow_python=python_layers(arguments),
        )


def _device(arguments: Arguments) -> str | None:
    """Caffe's ``GPU 1`` or ``GPU DEVICE_ID=1``; ``--device`` wins."""
    if arguments.device is not None:
        return str(arguments.device)
    mode, number = arguments.mode, arguments.device_id.removeprefix("DEVICE_ID=")
    if mode not in ("", "CPU", "GPU"):
        raise UsageError(f"{mode}: must be CPU or GPU")
    if not number.isdecimal():
        raise UsageError(f"{arguments.device_id}: must be the number of a GPU")
    return {"": None, "CPU": "cpu", "GPU": f"cuda:{number}"}[str(mode)]


COMMAND = Command(
    name="extract_features",
    summary="Write blobs of a trained net into databases or arrays",
    group="Models",
    description="""
        Runs a net with a data layer, and writes one record for every row of each named blob: a
        Datum of floats, under keys of ten digits from 0 on. One database for each blob.

        With npy each blob becomes an array in numpy's format, (rows, ...) as the blob is, and with
        h5 an HDF5 file with a data set of the blob's name, which an HDF5Data layer reads again.
    """,
    positionals=(
        Positional("pretrained_net_param", "the weights: a .caffemodel"),
        Positional("feature_extraction_proto_file", "the net, with a data layer"),
        Positional("extract_feature_blob_names", "blobs, separated by commas"),
        Positional("save_feature_dataset_names", "databases or files to make, one for each blob"),
        Positional("num_mini_batches", "how many batches to run"),
        Positional("db_type", "lmdb, leveldb, npy or h5"),
        Positional("mode", "CPU or GPU", required=False, default=""),
        Positional("device_id", "the number of the GPU", required=False, default="0"),
    ),
    flags=(
        IMAGE_FLAG,
        Flag(
            "device",
            f"where to run: {DEVICES}; goes before CPU and GPU",
            metavar="DEVICE",
            brief=DEVICE_BRIEF,
        ),
        PRECISION_FLAG,
        PASSES_FLAG,
        LAYOUT_FLAG,
        THREADS_FLAG,
        PYTHON_FLAG,
    ),
    examples=(
        Example(
            "roastery extract_features net.caffemodel val.prototxt fc7 fc7_lmdb 10 lmdb",
            "the blob fc7 of ten batches",
        ),
        Example(
            "roastery extract_features net.caffemodel val.prototxt fc7 fc7.npy 10 npy",
            "as an array for numpy",
        ),
        Example(
            "roastery extract_features net.caffemodel val.prototxt fc6,fc7 six,seven 10 leveldb "
            "GPU 0",
            "two blobs at once, on a GPU",
        ),
    ),
    run=_run,
)
