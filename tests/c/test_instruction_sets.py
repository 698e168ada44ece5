"""Kernels for CPUs of other instructions than this one has, or of less, and under sanitizers.

``make test-cpus`` runs all of it, and writes down what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from compiler.image_layout import CHANNELS_LAST, ROW_MAJOR
from tests.support import golden, sample_nets
from tests.support.checked_program import Checked, groups, program, records
from tests.support.cpu_machines import MACHINES, CpuMachine
from tests.support.op_cases import kernel_cases
from tests.support.training_run import lowered

QUICK = ("AVX2, gcc", "SSE2, gcc", "NEON, zig, qemu", "AVX-512, gcc, sanitized")
LAYOUTS = (ROW_MAJOR, CHANNELS_LAST, "channels-by-2", "channels-by-4")
ALL = [
    pytest.param(
        machine,
        id=machine.name.replace(", ", "-"),
        marks=[] if machine.name in QUICK else [pytest.mark.exhaustive],
    )
    for machine in MACHINES
]


def check(machine: CpuMachine, folder: Path, found: Iterator[Checked]) -> None:
    if reason := machine.missing():
        pytest.skip(reason)
    text, count = program(found, machine.target)
    done = machine.run(text, folder)
    said = [line for line in done.stdout.splitlines() if line.endswith("DIFFERS")]
    assert done.returncode == 0 and not said, (said, done.stdout[-500:], done.stderr[:4000])
    assert count > 10 and done.stdout.count("relative error") >= count // 2


@pytest.mark.parametrize("machine", ALL)
def test_records_of_ops(machine: CpuMachine, tmp_path: Path) -> None:
    """Forward and backward, in several layouts."""
    cases = kernel_cases()
    check(machine, tmp_path, (one for name in LAYOUTS for one in records(cases, name)))


@pytest.mark.exhaustive
@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.name.replace(", ", "-"))
def test_recorded_nets(machine: CpuMachine, tmp_path: Path) -> None:
    """The groups of all that Caffe recorded, and of nets whose channels fill vectors."""
    texts = [golden.recorded_net(path)[0] for path in golden.LAYERS]
    texts += [sample_nets.inception(), sample_nets.residual(units=2), sample_nets.lenet(batch=64)]
    nets = [lowered(text) for text in texts]
    check(
        machine,
        tmp_path,
        (one for net in nets for one in groups(net, machine.target, backward=net.trains)),
    )
