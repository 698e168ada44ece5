"""Nets as folders of C: exported, built by make as users build them, run as programs."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np

import roastery
from roastery.api.exporting import export_net
from tests.support import sample_nets

STRICT = "-std=c11 -Wall -Wextra -Werror"
SANITIZED = f"{STRICT} -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"

INCEPTION = "".join(
    [
        sample_nets.inputs(data=(1, 3, 9, 7), boost=(1, 1)),
        *(sample_nets.conv(f"c{size}", "data", 6, size, f"pad: {size // 2}") for size in (1, 3, 5)),
        sample_nets.pool("max", "data", "kernel_size: 3 pad: 1"),
        sample_nets.layer("inception", "Concat", "c1 c3 c5 max"),
        sample_nets.batch_norm("inception"),
        sample_nets.layer("lrn", "LRN", "inception", "lrn_param { local_size: 3 }"),
        sample_nets.layer("drop", "Dropout", "lrn"),
        sample_nets.dense("total", "drop", 5),
        sample_nets.layer("boosted", "Reshape", "boost", "reshape_param { shape { dim: 1 } }"),
        sample_nets.layer("out/put", "Scale", "total boosted", "scale_param { axis: 0 }"),
    ]
)
"""Concatenated branches; two inputs, of sizes that no vector divides; an output with a slash."""


def exported(text: str, folder: Path, **options: object) -> Path:
    """The folder of a net."""
    (folder / "net.prototxt").write_text(text)
    export_net(folder / "net.prototxt", None, folder / "c", ["c"], **options)  # type: ignore[arg-type]
    return folder / "c"


def built(folder: Path, compiler: str, flags: str, target: str = "net") -> None:
    """By make, without a word of the compiler."""
    command = ["make", "-C", str(folder), target, f"CC={compiler}", f"CFLAGS={flags}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def run(folder: Path, *words: str, program: str = "net") -> subprocess.CompletedProcess[str]:
    return subprocess.run([f"./{program}", *words], cwd=folder, capture_output=True, text=True)


def saved(folder: Path, arrays: Mapping[str, np.ndarray]) -> list[str]:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return [f"{name}={name}.npy" for name in arrays]


def arrays_for(folder: Path) -> dict[str, np.ndarray]:
    net = roastery.compile(folder.parent / "net.prototxt", device="cpu")
    rng = np.random.default_rng(0)
    return {
        name: rng.standard_normal(shape, dtype=np.float32) for name, shape in net.inputs.items()
    }


def on_cpu(folder: Path, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What device cpu computes of a net that was exported."""
    net = roastery.compile(folder.parent / "net.prototxt", device="cpu", freeze=True)
    return net(**arrays)
