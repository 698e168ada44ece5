"""``roastery parse_log``: a training log as CSV. Caffe: tools/extra/parse_log.py."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional
from ..say import say


def _run(arguments: Arguments) -> None:
    from ...tools.log_columns import save_columns
    from ...tools.parse_log import parse_log, save_csv_files

    if arguments.columns:
        for path in save_columns(arguments.logfile_path, arguments.output_dir):
            if arguments.verbose:
                say(f"Wrote {path}")
        return
    parsed = parse_log(arguments.logfile_path)
    written = save_csv_files(
        arguments.logfile_path, arguments.output_dir, parsed, arguments.delimiter
    )
    if arguments.verbose:
        for path in written:
            say(f"Wrote {path}")
        for kind, rows in (("train", parsed.train), ("test", parsed.test)):
            if not rows:
                say(f"Not writing the {kind} table; no lines to write")


COMMAND = Command(
    name="parse_log",
    summary="Turn a training log into CSV tables",
    group="Logs and pictures",
    description="""
        Writes LOGFILE_PATH.train and LOGFILE_PATH.test into OUTPUT_DIR, with the columns NumIters,
        Seconds, LearningRate and one for each output of the net. Where there are several test
        nets, TestNet says which one a row is of; an output of several values (accuracy per class)
        has a column for each, NAME[0], NAME[1] and so on. Reads the logs of roastery, those of
        Caffe and its forks, with or without a year in front of their lines, and JSON logs
        (train --log_json); a log may hold several runs.

        With --columns the tables are those of Caffe's parse_log.sh: #Iters, Seconds, TestAccuracy
        and TestLoss (the first two outputs), and #Iters, Seconds, TrainingLoss and LearningRate.
    """,
    positionals=(
        Positional("logfile_path", "what training wrote to standard error, or to --log_json"),
        Positional("output_dir", "the folder for the tables"),
    ),
    flags=(
        Flag("verbose", "say which files were written", kind="bool", default=False),
        Flag("columns", "write columns of text, as parse_log.sh does", "bool", False),
        Flag("delimiter", "what separates columns", default=",", metavar="CHAR"),
    ),
    examples=(
        Example(
            "roastery train --solver=solver.prototxt 2>&1 | tee train.log",
            "keep the log of a run",
        ),
        Example("roastery parse_log train.log .", "write train.log.train and train.log.test"),
    ),
    run=_run,
)
