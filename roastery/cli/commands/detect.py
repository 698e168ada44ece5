"""``roastery detect``. Caffe: python/detect.py."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..picture_net import input_channels
from ..preprocessing import INPUT_FLAGS, MODEL_FLAGS, transformer_options
from ..say import say


def _run(arguments: Arguments) -> None:
    import time

    from ...caffe import Detector
    from ...files.regular_file import read_regular_text
    from ...tools.windows import windows_by_picture, write_detections

    kind = arguments.output_file.lower().rpartition(".")[2]
    if kind not in ("csv", "h5"):
        raise UsageError(f"{arguments.output_file}: the output must be a .csv or .h5 file")
    options = transformer_options(arguments, input_channels(arguments.model_def))
    mean = options["mean"]
    if mean is not None and mean.ndim == 3:
        options["mean"] = mean.mean((1, 2))  # windows are warped: a mean per channel
    started = time.perf_counter()
    say("Loading input...")
    if arguments.crop_mode == "list":
        windows = windows_by_picture(arguments.input_file)
    else:
        lines = read_regular_text(arguments.input_file).splitlines()
        names = [line.strip() for line in lines if line.strip()]
    detector = Detector(
        arguments.model_def,
        arguments.pretrained_model,
        context_pad=arguments.context_pad,
        **options,
    )
    if arguments.crop_mode == "list":
        detections = detector.detect_windows(windows)
    else:
        detections = detector.detect_selective_search(names)
    seconds = time.perf_counter() - started
    say(f"Processed {len(detections)} windows in {seconds:.3f} s.")
    write_detections(arguments.output_file, detections)
    say(f"Saved to {arguments.output_file}")


COMMAND = Command(
    name="detect",
    summary="Classify windows of pictures with a trained net",
    group="Models",
    description="""
        Cuts windows out of pictures, with their surroundings, warps them to the net's input and
        saves what the net says of each, as R-CNN does.

        With --crop_mode=list the input is a CSV file whose first line names its columns:
        filename, ymin, xmin, ymax, xmax, in any order. With selective_search it is a text file
        of picture names, and the package selective_search_ijcv_with_python must be installed.

        A .csv output has the columns filename, ymin, xmin, ymax, xmax, class0, class1 ...; an .h5
        output the same as a table, which pandas.read_hdf(output, "df") reads, and the data sets
        filename, window and prediction.
    """,
    positionals=(
        Positional("input_file", "a .csv file of windows, or a .txt file of picture names"),
        Positional("output_file", "where the predictions go: a .csv or .h5 file"),
    ),
    flags=(
        *MODEL_FLAGS,
        Flag(
            "crop_mode",
            "where windows come from",
            default="selective_search",
            choices=("list", "selective_search"),
        ),
        Flag("context_pad", "pixels of surroundings at each border", "int", 16, minimum=0),
        *INPUT_FLAGS,
    ),
    examples=(
        Example(
            "roastery detect windows.csv found.csv --crop_mode=list "
            "--model_def=deploy.prototxt --pretrained_model=net.caffemodel",
            "the windows of a list",
        ),
    ),
    run=_run,
)
