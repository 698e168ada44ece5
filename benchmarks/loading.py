"""How long a process takes until an exported net is loaded, and where that time goes.

    python benchmarks/loading.py                     # a ResNet-50
    python benchmarks/loading.py --net squeezenet --write

The net is exported for this CPU. Then each start is a process of its own, from the interpreter's
first line to the first result; the table has the least of several. Checking goes on in a thread
beside the rest. ``--write`` puts the table into benchmarks/results/loading.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.contest.child import ROOT
from benchmarks.zoo import ZOO
from roastery.api.exporting import export_net
from runtime.machine.processor import cpu_target

_STARTS = 15

_RUN = """
import time
start = time.perf_counter()
times = {}
def done(what):
    global start
    times[what] = time.perf_counter() - start
    start = time.perf_counter()
import numpy
done("import numpy")
import roastery
load = roastery.load
done("import roastery")
import json, sys
if sys.argv[2] == "parts":
    from runtime.artifact.compiled_cpu import best_baseline
    from runtime.artifact.reader import Artifact
    from runtime.machine.processor import cpu_target
    start = time.perf_counter()
    artifact = Artifact.open(sys.argv[1])
    done("open, read the manifest")
    artifact.finish()
    done("compare all checksums, alone")
    entries = artifact.cpu_entries()
    best = best_baseline(entries, cpu_target().instructions)
    if best:
        artifact.cpu_code(entries[best])
    done("read and check plans")
    artifact.weights()
    done("map weights")
else:
    net = load(sys.argv[1], "cpu")
    done("load")
    data = {n: numpy.zeros(t.shape, t.dtype.numpy) for n, t in net.inputs.items()}
    start = time.perf_counter()
    net(**data)
    done("first run")
    net(**data)
    done("second run")
print(json.dumps(times))
"""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", choices=[*ZOO], default="resnet50")
    parser.add_argument("--write", action="store_true", help="benchmarks/results/loading.md too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "net.roast")
        prototxt = Path(folder, "net.prototxt")
        prototxt.write_text(ZOO[options.net].text(1, deploy=True))
        export_net(prototxt, None, file)
        nbytes = file.stat().st_size
        whole, parts = (_least(file, kind) for kind in ("whole", "parts"))
    text = _table(options.net, nbytes, whole, parts)
    print(text)
    if options.write:
        (ROOT / "benchmarks" / "results" / "loading.md").write_text(text)
    return 0


def _least(file: Path, kind: str) -> dict[str, float]:
    """Seconds by step: of the start that was the fastest in all."""
    found = []
    for _ in range(_STARTS):
        run = [sys.executable, "-c", _RUN, str(file), kind]
        out = subprocess.run(run, capture_output=True, text=True, check=True, cwd=ROOT).stdout
        found.append(json.loads(out))
    return min(found, key=lambda times: sum(times.values()))


def _table(net: str, nbytes: int, whole: dict[str, float], parts: dict[str, float]) -> str:
    loaded = sum(whole[name] for name in ("import numpy", "import roastery", "load"))
    target = cpu_target()
    lines = [
        "# Loading an exported net",
        "",
        f"`python benchmarks/loading.py --net {net} --write`, on {target.name}, "
        f"{target.processors} processors, Python {sys.version.split()[0]}.",
        f"The file has {nbytes:,} bytes. Other processes took {os.getloadavg()[0]:.1f} of the "
        "processors meanwhile (the load average).",
        f"Imports included it is loaded after **{1000 * loaded:.0f} ms**.",
        "",
        "| step | ms |",
        "|---|---:|",
        *(f"| {name} | {1000 * seconds:.1f} |" for name, seconds in whole.items()),
        "",
        "What happens in `load`, one after the other in another process (there checksums are",
        "compared in a thread beside the rest):",
        "",
        "| part | ms |",
        "|---|---:|",
        *(f"| {k} | {1000 * s:.1f} |" for k, s in parts.items() if not k.startswith("import")),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
