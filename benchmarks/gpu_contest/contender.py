"""One contender on one case, alone in its process: writes what it takes.

python -m benchmarks.gpu_contest.contender CONTENDER NET BATCH training|inference PRECISION FILE
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measured_net import MeasuredNet, measured_net
from roastery.devices.backends import choose_device, open_backend
from roastery.files.atomic_file import atomic_path
from runtime.backends.backend import Backend
from runtime.backends.reference import ReferenceBackend
from runtime.cuda.backend import CudaBackend

from .cases import COMPILED, ROASTERY, Case
from .roastery_run import RoasteryRun
from .timing import timed
from .torch_run import TorchRun


def net_of(case: Case) -> MeasuredNet:
    """Masks drop nothing, so that all contenders compute the same; they draw all the same."""

    def edit(text: str) -> str:
        return re.sub(r"dropout_ratio: [\d.]+", "dropout_ratio: 1e-9", text)

    return measured_net(case.net, case.batch, case.precision, trains=case.trains, edit=edit)


def arrays_of(chosen: MeasuredNet) -> dict[str, np.ndarray]:
    """Parameters and inputs, the same for all."""
    net = chosen.built(ReferenceBackend(), "ieee")
    arrays = {name: buffer.peek() for name, buffer in net.store.data.items()}
    return arrays | {name: np.array(blob.data.peek()) for name, blob in net.inputs.items()}


def measure(
    case: Case,
    contender: str,
    backend: Backend | None,
    *,
    device: str = "cuda",
    seconds: float = 3.0,
) -> dict[str, Any]:
    """``backend``: of Roastery; None for others, which run on ``device``."""
    chosen = net_of(case)
    if contender == ROASTERY:
        assert backend is not None
        own = RoasteryRun(chosen, backend, case.precision)
        times = timed(own.run, own.wait, seconds)
        memory = {"planned": own.planned_memory(), "taken": own.taken_memory()}
    else:
        compiled = contender == COMPILED
        arrays = arrays_of(chosen)
        theirs = TorchRun(
            chosen.message,
            chosen.program,
            arrays,
            case.precision,
            compiled=compiled,
            device=device,
        )
        times = timed(theirs.run, theirs.wait, seconds)
        memory = {"peak": theirs.peak_memory()}
    return {"single": times.single, "queued": times.queued, "memory": memory}


def main(words: list[str]) -> None:
    contender, net, batch, kind, precision, file = words
    case = Case(net, int(batch), kind == "training", precision)
    device = choose_device("cuda")
    found = measure(case, contender, open_backend(device) if contender == ROASTERY else None)
    if contender == ROASTERY and case.batch == 1:
        found["early"] = measure(case, contender, early_backend(device))
    found["device"] = open_backend(device).target.name if contender == ROASTERY else _torch_device()
    with atomic_path(Path(file)) as partial:
        partial.write_text(json.dumps(found), encoding="utf-8")
    print(f"{contender}: {found['single']:.3f} ms, {found['queued']:.3f} ms queued")


def early_backend(device: str) -> CudaBackend:
    """One whose kernels begin while those before them end."""
    return CudaBackend(int(device.partition(":")[2] or 0), early=True)


def _torch_device() -> str:
    import torch

    return str(torch.cuda.get_device_name())


if __name__ == "__main__":
    main(sys.argv[1:])
