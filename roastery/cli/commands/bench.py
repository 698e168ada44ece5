"""``roastery bench``: every kernel of a net against the reference, and against the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..command import Arguments, Command, Example, Flag, Positional
from ..compilation import COMPILATION_FLAGS, requested_compilation
from ..nets import BACKWARD_FLAG, PYTHON_FLAG, STATE_FLAGS, net_alone
from ..say import say, say_note
from ..shape_flags import SHAPE_FLAG

if TYPE_CHECKING:
    from ...bench.measure import KernelResult
    from ...building import LoweredNet


def _run(arguments: Arguments) -> int:
    from ...bench.devices import benched_devices
    from ...bench.measure import check_tolerance
    from ...bench.report import document
    from ...building import BuildReport, lower_net
    from ...files.atomic_file import atomic_write

    if arguments.tolerance is not None:
        check_tolerance(arguments.tolerance)
    devices = benched_devices(arguments.device)
    request = net_alone(arguments)
    lowered = lower_net(request, BuildReport(say_note, say_note))
    limits: dict[str, object] = {}
    rows: list[KernelResult] = []
    tolerance, wrong = 0.0, False
    for device in devices:
        found, allowed = _benched(arguments, lowered, device, limits)
        rows += found
        tolerance = max(tolerance, allowed)
        wrong |= not all(row.error <= allowed for row in found)
    if arguments.json:
        import json

        numbers = document(request.net.name, tolerance, rows, limits)
        with atomic_write(arguments.json, "w") as file:
            file.write(json.dumps(numbers, indent=1) + "\n")
    return 1 if wrong else 0


def _benched(
    arguments: Arguments, lowered: LoweredNet, device: str, limits: dict[str, object]
) -> tuple[list[KernelResult], float]:
    """And the largest error that is right."""
    from compiler.precision import kernel_tolerance
    from runtime.backends.speed import speed_of

    from ...bench.groups import groups_of
    from ...bench.measure import measured
    from ...bench.report import conclusion, kernel_table, limits_json, speed_line
    from ...devices.backends import open_backend
    from ...devices.compile_options import compile_options
    from ..progress import progress_bar

    backend = open_backend(device)
    options = compile_options(backend, requested_compilation(arguments), say_note)
    backward = lowered.program.trains if arguments.backward is None else arguments.backward
    groups = groups_of(lowered.program, options, backward=backward)
    repeats = 0 if device == "interpret" else arguments.repeats
    speed = speed_of(backend, options) if repeats else None
    rows: list[KernelResult] = []
    with progress_bar(f"kernels on {backend.name}") as draw:
        draw(0, len(groups))
        for row in measured(groups, backend, options, speed, repeats):
            rows.append(row)
            draw(len(rows), len(groups))
    limits[backend.name] = limits_json(speed)
    if repeats:
        say(speed_line(backend.name, speed))
    allowed = arguments.tolerance
    if allowed is None:
        allowed = kernel_tolerance(options.precision)
    print(kernel_table(rows, allowed), end="")
    say(f"{backend.name}: {conclusion(rows, allowed)}")
    return rows, allowed


COMMAND = Command(
    name="bench",
    summary="Hold a net's kernels against the reference, and time them",
    group="Compiling",
    description=(
        "Runs each kernel of the net alone, on random numbers, on every device that is there: in C "
        "on the CPU, and on a GPU. Shows its largest error against the reference in double "
        "precision, relative to the largest element; its time; and how much of what the device can "
        "do it reaches, for whichever binds: arithmetic, or memory. On a CPU that is measured "
        "right before and after, as its clock changes: multiply-adds in registers, and copies of "
        "as many bytes, which are faster where a cache holds them. Functions and random numbers "
        "count as the operations on vectors that they are. Kernels that compute the same "
        "from the same shapes are shown once. A kernel runs on what it has just run on, so that "
        "its operands are in a cache if they fit. Ends with 1 if an error exceeds --tolerance. As "
        "for `compile` no data need be there."
    ),
    positionals=(Positional("net", "a prototxt"),),
    flags=(
        Flag(
            "device",
            "cpu, cuda, cuda:N, or interpret (the GPU kernels on the CPU, without times); may be "
            "repeated; without it all of cpu and cuda that are there",
            repeated=True,
            default=(),
            metavar="DEVICE",
        ),
        Flag("phase", "TRAIN or TEST", default="TEST", choices=("TRAIN", "TEST")),
        BACKWARD_FLAG,
        Flag(
            "tolerance",
            "the largest error that is right; without it that of the precision "
            "(`roastery help precision`)",
            "float",
            None,
            metavar="X",
        ),
        Flag("repeats", "of each measurement; 0: no times", "int", 5, minimum=0, metavar="N"),
        Flag("json", "also write the numbers to a file", default="", metavar="FILE"),
        SHAPE_FLAG,
        *COMPILATION_FLAGS,
        *STATE_FLAGS,
        PYTHON_FLAG,
    ),
    examples=(
        Example("roastery bench deploy.prototxt", "inference, at the net's own shapes"),
        Example("roastery bench deploy.prototxt --shape data=8,3,224,224", "at another batch"),
        Example("roastery bench train_val.prototxt --phase TRAIN --device cpu", "with backward"),
        Example("roastery bench net.prototxt --json kernels.json", "for other programs"),
    ),
    run=_run,
)
