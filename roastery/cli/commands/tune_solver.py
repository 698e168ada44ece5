"""``roastery tune_solver``: search for the settings with which a net trains best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional, UsageError
from ..compilation import COMPILATION_FLAGS, requested_compilation
from ..devices import DEVICE_FLAGS, requested_device
from ..nets import PYTHON_FLAG, STATE_FLAGS, python_layers, stages
from ..progress import progress_bar
from ..say import say, say_note

if TYPE_CHECKING:
    from frontends.prototxt import Message

    from ...searching import SearchRequest, SearchSpace

_LOOKS = 10
"""At a trial whose solver says no test_interval."""


def _run(arguments: Arguments) -> None:
    from ...searching import search
    from ...searching.search import SearchTold

    request = _request(arguments)
    with progress_bar("iterations") as bar:

        def line(text: str) -> None:
            with bar.apart():
                say(text)

        def note(text: str) -> None:
            with bar.apart():
                say_note(text)

        search(request, SearchTold(line, note, bar))


def _request(arguments: Arguments) -> SearchRequest:
    from pathlib import Path

    from ...reading.solver_settings import read_solver_file
    from ...searching import SearchRequest, SearchSpace, searchable_fields
    from ...searching.one_trial import TrialSettings
    from ...training.solvers import gpu_note, solver_device

    path = arguments.solver_file or arguments.solver
    if not path:
        raise UsageError("tune_solver needs a solver file; see `roastery tune_solver --help`")
    if arguments.solver_file and arguments.solver:
        raise UsageError(f"--solver and '{arguments.solver_file}': give one of the two")
    own = {flag.name for flag in COMMAND.flags}
    names = [name for name in searchable_fields() if name in arguments.given - own]
    space = SearchSpace({name: getattr(arguments, name) for name in names})
    file = read_solver_file(path)
    written = file.message
    if file.prefix == "unset":
        written.clear("snapshot_prefix")  # it follows from the name of the file
    _state(arguments, written)
    solver = written.copy()
    space.apply(solver, {name: str(t) for name, t in space.tried.items() if t.size == 1})
    longest = _longest(space, solver)
    if longest < 1:
        raise UsageError(f"'{path}' has max_iter {longest}: there is nothing to train")
    iterations = arguments.iterations or longest
    if iterations > longest:
        raise UsageError(f"--iterations={iterations} is more than max_iter, which is {longest}")
    every = arguments.every or solver.test_interval or max(1, iterations // _LOOKS)
    requested = requested_device(arguments)
    if remark := gpu_note(solver, requested):
        say_note(remark)
    settings = TrialSettings(
        iterations,
        min(every, iterations),
        solver_device(solver, requested),
        requested_compilation(arguments),
        python_layers(arguments),
    )
    return SearchRequest(
        solver,
        written,
        space,
        Path(arguments.output),
        arguments.trials,
        settings,
        arguments.metric,
        arguments.direction or "",
        arguments.pruner,
        arguments.seed,
    )


def _longest(space: SearchSpace, solver: Message) -> int:
    """The largest max_iter of all trials."""
    tried = space.tried.get("max_iter")
    if tried is None:
        return int(solver.max_iter)
    values = tried.values()
    return values[-1] if isinstance(values, range) else max(map(int, values))


def _state(arguments: Arguments, solver: Message) -> None:
    """What --level and --stage say, as `roastery train` has it; the best solver has it, too."""
    if "level" in arguments.given:
        solver.mutable("train_state").set("level", arguments.level)
    if "stage" in arguments.given:
        for stage in stages(arguments):
            solver.mutable("train_state").add("stage", stage)


def _field_flags() -> Mapping[str, Flag]:
    """A flag for each field of a solver."""
    from ...searching import searchable_fields

    return {
        name: Flag(name, f"what to try of {name}", metavar="A..B|A,B,C")
        for name in searchable_fields()
    }


COMMAND = Command(
    name="tune_solver",
    summary="Search for the solver settings with which a net trains best",
    group="Nets",
    description="""
        Trains the net of a solver file again and again, each time with other values of the fields
        that are named as flags, and tells which were best. Any field of a solver can be searched:
        --base_lr=1e-4..1e-1 is a range, by orders of magnitude, since its ends are ten times apart
        or more (lin:1e-4..1e-1 is even, log:1..2 is not); --type=SGD,Adam are values to choose
        from; --momentum=0.9 is one that all trials have. Values of a repeated field are joined by
        a plus: --stepvalue=1000+2000,500+1500.

        What is compared is --metric: an output of the test net (test1/NAME is one of the second),
        test_loss or train_loss; without it the accuracy of the test net, else its loss, else the
        loss of the train net. A trial is as good as that number is in the end, when it has made all
        its iterations, however good it was before. Every --every iterations a trial is looked at;
        one that is worse than others were by then ends early, and one whose loss is no number any
        more ends at once.
        Optuna chooses what is tried (the extra `search`); the same --seed tries the same values,
        and all nets begin with the same weights.

        The folder --output gets a log of each trial, trials.csv, curves.png with all curves (as
        plot_log draws them), and best.prototxt, a solver that is ready to train. Ctrl-C loses
        nothing: the same command goes on, and with a larger --trials it searches further. Trials
        write no snapshots. `roastery tune` is another thing: it finds the fastest kernels.
    """,
    positionals=(Positional("solver_file", "the solver file", required=False, default=""),),
    flags=(
        Flag("solver", "the solver file, as `roastery train` has it", default="", metavar="FILE"),
        Flag("trials", "how many trainings, with those of earlier calls", "int", 20, minimum=1),
        Flag(
            "iterations",
            "iterations of each training; without it the solver's max_iter",
            "int",
            None,
            minimum=1,
        ),
        Flag(
            "every",
            "iterations between two looks at a training; without it the solver's test_interval, "
            "else a tenth of it",
            "int",
            None,
            minimum=1,
        ),
        Flag("metric", "what is compared", default="", metavar="NAME"),
        Flag(
            "direction",
            "whether that should be small or large; without it losses small, accuracies large",
            choices=("minimize", "maximize"),
        ),
        Flag(
            "pruner",
            "which trainings end early: those that are worse than the median of the others at that "
            "iteration, those that Hyperband gives up, or none",
            default="median",
            choices=("median", "hyperband", "none"),
        ),
        Flag("seed", "of what is tried, and of nets whose solver has no random_seed", "int", 0,
             minimum=0, metavar="N"),
        Flag("output", "the folder of the search", default="search", metavar="DIR"),
        *STATE_FLAGS,
        PYTHON_FLAG,
        *DEVICE_FLAGS,
        *COMPILATION_FLAGS,
    ),
    others=_field_flags,
    examples=(
        Example(
            "roastery tune_solver solver.prototxt --base_lr=1e-4..1e-1 --weight_decay=1e-5..1e-2 "
            "--trials=20",
            "learning rate and weight decay",
        ),
        Example(
            "roastery tune_solver solver.prototxt --type=SGD,Adam --base_lr=1e-4..1e-1 "
            "--iterations=500 --pruner=hyperband --output=runs/adam",
            "short trainings, most of them ended early",
        ),
        Example(
            "roastery train --solver=runs/adam/best.prototxt", "then train with what was found"
        ),
    ),
    run=_run,
)  # fmt: skip
