"""Weights and gradients as histograms, and filters as pictures, every so often."""

from __future__ import annotations

from runtime.solver.solver import Solver

from .event_file import EventFile
from .filters import filter_picture, first_filters

_TIMES = 20
"""Histograms of a run whose solver says no interval."""


def usual_interval(solver: Solver) -> int:
    """As often as the solver tests, else as it writes snapshots, else some times in a run."""
    config = solver.config
    return config.test_interval or config.snapshot or max(1, config.max_iter // _TIMES)


def show_parameters(solver: Solver, file: EventFile, every: int = 0) -> None:
    """Have a solver write its parameters and their gradients each ``every`` iterations, and in the
    last one; 0: as :func:`usual_interval` says.

    Tags are ``weights/LAYER/0`` and ``gradients/LAYER/0``, by the numbers of a layer's blobs;
    parameters are those before the update, gradients the means over ``iter_size`` passes, without
    weight decay. ``filters/LAYER`` are pictures of the first layer that learns.
    """
    every = every or usual_interval(solver)

    def look() -> None:
        last = solver.iteration == solver.config.max_iter - 1
        if solver.iteration % every and not last:
            return
        try:
            _write(solver, file)
        except OSError as error:
            if not failed:
                failed.append(error)
                reason = error.strerror or error
                solver.log.warning(f"no histograms reach '{file.folder}' ({reason})")

    failed: list[OSError] = []
    solver.on_gradients_ready.append(look)


def _write(solver: Solver, file: EventFile) -> None:
    step, net = solver.iteration, solver.train
    for variable in net.program.variables.values():
        if variable.index < 0:
            continue
        place = f"{variable.owner or variable.layer}/{variable.index}"
        file.histogram(f"weights/{place}", step, net.store.data[variable.name].peek())
        if variable.learns:
            diff = net.store.diff[variable.name].peek() / solver.config.iter_size
            file.histogram(f"gradients/{place}", step, diff)
    if found := first_filters(net.program):
        name, shape = found
        layer = net.program.variables[name].layer
        weights = net.store.data[name].peek().reshape(shape)
        file.picture(f"filters/{layer}", step, filter_picture(weights))
    file.flush()
