"""Runs launches as they were printed, before anything is planned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from compiler.kernel import Launch, Scratch
from ir.graph import Value
from runtime.backends.host_launcher import HostLauncher


def bind(
    launcher: HostLauncher, launch: Launch, resolve: Callable[[Value | Scratch], np.ndarray]
) -> Callable[[], None]:
    """A function that runs a launch on the arrays that ``resolve`` gives now."""
    return launcher.prepare(
        launch.kernel,
        launch.config,
        launch.grid,
        [resolve(a) if isinstance(a, Value | Scratch) else a for a in launch.arguments],
        [i for i, a in enumerate(launch.arguments) if a in launch.outputs],
        f"kernel {launch.label} (from {launch.location})",
    )
