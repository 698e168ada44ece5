"""How long a process takes until its first pass has run: cold, and with all that is cached.

    python benchmarks/start.py                       # inference, pycaffe, and training steps
    python benchmarks/start.py --net resnet50 --json start.json

Each start is a process of its own, from the interpreter's start to the results of the first pass
over an image, with weights from a file; in training to the update after the first step on a batch.
In pycaffe a net runs layer by layer, and every blob keeps its data.
Cold: nothing is in the cache, kernels are compiled. Warm: the least of several starts after it.
Beside both: the first pass alone, run again, and the most memory that the warm process had.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.contest.child import ROOT
from benchmarks.contest.job import write_job
from benchmarks.zoo import ZOO

INFERENCE = ("squeezenet", "googlenet", "caffenet", "mobilenet", "resnet50")
PYCAFFE = ("resnet50",)
TRAINING = {"lenet": 64, "resnet50": 8}
KINDS = ("inference", "pycaffe", "training")
_WARM = 3

_RUN = """
import json, os, re, time
import numpy as np
folder = os.environ["FOLDER"]
if os.environ["KIND"] == "pycaffe":
    import roastery.caffe as caffe
    net = caffe.Net(f"{folder}/net.prototxt", f"{folder}/net.caffemodel", caffe.TEST)
    net.blobs["data"].data[...] = np.load(f"{folder}/data.npy")
    run = net.forward
elif os.environ["KIND"] == "training":
    from roastery.training.solvers import build_solver
    solver = build_solver(f"{folder}/solver.prototxt", device="cpu")
    given = {name: np.load(f"{folder}/{name}.npy") for name in ("data", "label")}
    solver.train.inputs.take(given)
    run = lambda: solver.step(1)
else:
    import roastery
    net = roastery.compile(
        f"{folder}/net.prototxt", f"{folder}/net.caffemodel", device="cpu", freeze=True
    )
    data = np.load(f"{folder}/data.npy")
    run = lambda: net(data=data)
run()
first = time.time()
run()
again = time.time() - first
status = open("/proc/self/status").read()
peak = 1024 * int(re.search(r"VmHWM:\\s*(\\d+)", status)[1])
print(json.dumps([first, again, peak]))
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", nargs="+", choices=[*ZOO], help="default: all")
    parser.add_argument("--only", choices=KINDS, help="default: all")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the numbers too")
    options = parser.parse_args()
    cases = [(name, 1, "inference") for name in options.net or INFERENCE]
    cases += [(name, 1, "pycaffe") for name in options.net or PYCAFFE]
    training = options.net or TRAINING
    cases += [(n, TRAINING.get(n, ZOO[n].train_batch), "training") for n in training]
    cases = [case for case in cases if options.only in (None, case[2])]
    print(f"{'net':28}{'cold s':>9}{'warm s':>9}{'a pass s':>10}{'peak MB':>9}")
    rows = []
    with tempfile.TemporaryDirectory(prefix="roastery-start-") as folder:
        for name, batch, kind in cases:
            job = Path(folder, f"{name}-{kind}")
            write_job(job, ZOO[name], batch, trains=kind == "training")
            environment = {**os.environ, "FOLDER": str(job), "PYTHONPATH": str(ROOT)}
            environment["KIND"] = kind
            environment["ROASTERY_CACHE"] = str(job / "cache")
            cold = _start(environment)
            warm = min(_start(environment) for _ in range(_WARM))
            case = f"{ZOO[name].name} b{batch}{'' if kind == 'inference' else f' {kind}'}"
            print(f"{case:28}{cold[0]:9.2f}{warm[0]:9.2f}{warm[1]:10.3f}{warm[2] / 1e6:9.0f}")
            rows.append({"case": case, "cold_s": cold[0], "warm_s": warm[0],
                         "pass_s": warm[1], "peak_bytes": warm[2]})  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


def _start(environment: dict[str, str]) -> tuple[float, float, int]:
    """Seconds to the first results and of another pass, bytes resident at most."""
    began = time.time()
    done = subprocess.run(
        [sys.executable, "-c", _RUN], env=environment, check=True, capture_output=True, text=True
    )
    first, again, peak = json.loads(done.stdout.splitlines()[-1])
    return first - began, again, peak


if __name__ == "__main__":
    sys.exit(main())
