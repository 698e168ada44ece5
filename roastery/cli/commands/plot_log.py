"""``roastery plot_log``: a picture of training logs."""

from __future__ import annotations

from ..command import Arguments, Command, Example, Flag, Positional
from ..say import say


def _run(arguments: Arguments) -> None:
    from ...tools.plot_log import plot_logs

    path = plot_logs(
        arguments.logs,
        arguments.output,
        x=arguments.x,
        title=arguments.title,
        log_x=arguments.log_x,
        log_y=arguments.log_y,
        smoothing=arguments.smoothing,
    )
    say(f"Wrote {path}")


COMMAND = Command(
    name="plot_log",
    summary="Draw loss, accuracy and learning rate of training logs",
    group="Logs and pictures",
    description="""
        Draws one picture with a panel for the loss, one for the other outputs (accuracy) and one
        for the learning rate. Several logs share it, to compare runs: each has one colour. Where
        values begin to be NaN or infinite is marked. Reads the same logs as parse_log, JSON logs
        too. Needs matplotlib: pip install roastery[plot].
    """,
    positionals=(Positional("logs", "one or several training logs", repeated=True),),
    flags=(
        Flag("output", "the picture: a .png, .svg or .pdf file", default="log.png", metavar="FILE"),
        Flag("x", "the horizontal axis", default="iterations", choices=("iterations", "seconds")),
        Flag("log_y", "losses on a logarithmic axis", "bool", False),
        Flag("log_x", "a logarithmic horizontal axis", "bool", False),
        Flag(
            "smoothing",
            "how much smoother train curves are, from 0 to below 1, such as 0.9, as in "
            "TensorBoard; test curves stay",
            "float",
            0.0,
            minimum=0,
        ),
        Flag("title", "a title above the panels", default=""),
    ),
    examples=(
        Example("roastery plot_log train.log", "draw one run into log.png"),
        Example(
            "roastery plot_log sgd.log adam.log --x=seconds --output=compare.svg",
            "compare two runs over time",
        ),
        Example("roastery plot_log runs/*.log --log_y --smoothing=0.9", "many runs, and long ones"),
    ),
    run=_run,
)
