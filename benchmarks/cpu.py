"""Roastery on this machine's CPU beside ONNX Runtime, OpenCV 4 and PyTorch eager.

    python benchmarks/cpu.py                          # all nets; inference, then training
    python benchmarks/cpu.py --quick --net squeezenet --batch 1 --threads 1
    python benchmarks/cpu.py --memory                 # peak memory of whole processes, no times
    python benchmarks/cpu.py --layers --net resnet50  # every kernel, of what the machine can do

Every contender runs in a process of its own, which answers requests to run its net; they take
turns, and the median of all passes counts. A pass before each turn does not count: the others had
the caches. At first results are compared: probabilities, or loss and diffs. A ratio is their time
over Roastery's: over 1, Roastery is faster. PyTorch has the faster of two memory formats. Weights
are random, and equal for all. A training step is forward, backward and update by SGD with
momentum. What is not installed is named and left out: pip install 'roastery[bench]'. OpenCV comes
in an environment that is made in ~/.cache/roastery. Ends with 1 where results differ.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.contest import opencv_environment, report
from benchmarks.contest.child import ROOT, Child, Failed, thread_variables
from benchmarks.contest.contenders import ENTRIES, Entry
from benchmarks.contest.job import write_job
from benchmarks.contest.rounds import Bout, fight
from benchmarks.zoo import ZOO
from compiler.options import CompileOptions
from roastery.bench.report import limits_json, speed_line
from roastery.devices.backends import open_backend
from runtime.backends.speed import speed_of
from runtime.machine.processor import cpu_target

INFERENCE = ("squeezenet", "googlenet", "caffenet", "mobilenet", "resnet50")
TRAINING = {"lenet": 64, "cifar10_quick": 100, "googlenet": 8, "resnet50": 8, "mobilenet": 8}
BATCHES = (1, 8)
TOLERANCE, TRAINING_TOLERANCE = 1e-4, 1e-3  # deep nets' diffs grow roundings


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--net",
        nargs="+",
        choices=[*ZOO],
        help="default: those of the table in benchmarks/README.md",
    )
    parser.add_argument("--batch", type=int, nargs="+",
                        help="default: 1 and 8; in training what suits the net")  # fmt: skip
    parser.add_argument("--threads", type=int, nargs="+", help="default: 1 and all")
    parser.add_argument("--only", choices=("inference", "training"), help="default: both")
    parser.add_argument("--without", nargs="+", default=[], metavar="NAME",
                        help=f"contenders to leave out: {', '.join(report.NAMES[1:])}",
                        )  # fmt: skip
    parser.add_argument("--rounds", type=int, help="turns of each (default: 9; quick: 2)")
    parser.add_argument("--seconds", type=float, help="of a turn (default: 0.3; quick: 0.05)")
    parser.add_argument("--quick", action="store_true", help="few and short rounds")
    parser.add_argument("--memory", action="store_true", help="peak memory instead of times")
    parser.add_argument("--layers", action="store_true", help="each kernel instead of whole nets")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the numbers too")
    parser.add_argument("--plot", metavar="FILE", type=Path, help="draw the ratios (.png, .svg)")
    options = parser.parse_args()
    options.threads = options.threads or sorted({1, cpu_target().processors})
    options.rounds = options.rounds or (2 if options.quick else 9)
    options.seconds = options.seconds or (0.05 if options.quick else 0.3)
    if unknown := {*options.without} - {*report.NAMES[1:]}:
        parser.error(f"--without: no contender is called {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory(prefix="roastery-contest-") as folder:
        if options.layers:
            return _layers(options, Path(folder))
        entries = _entries(options.without)
        if options.memory:
            return _memory(options, entries, Path(folder))
        return _times(options, entries, Path(folder))


def _entries(without: Sequence[str]) -> list[Entry]:
    """Those that can take part."""
    found = []
    said = set()
    for entry in ENTRIES:
        if entry.name in without:
            continue
        reason = entry.missing()
        if reason is None:
            found.append(entry)
        elif entry.name not in said:
            said.add(entry.name)
            print(f"without {entry.name}: {reason}", file=sys.stderr)
    return found


def _cases(options: argparse.Namespace) -> Iterator[tuple[str, int, bool]]:
    """(net, batch, whether it trains)."""
    if options.only != "training":
        for name in options.net or INFERENCE:
            yield from ((name, batch, False) for batch in options.batch or BATCHES)
    if options.only != "inference":
        for name in options.net or TRAINING:
            usual = TRAINING.get(name, ZOO[name].train_batch)
            yield from ((name, batch, True) for batch in options.batch or (usual,))


def _times(options: argparse.Namespace, entries: Sequence[Entry], folder: Path) -> int:
    limits = _limits(options.threads)
    bouts: list[Bout] = []
    for name, batch, trains in _cases(options):
        if not bouts or bouts[-1].trains is not trains:
            print(f"\n{'training' if trains else 'inference'}, ms\n{report.head()}")
        job = folder / f"{name}-{batch}-{trains}"
        _tell(f"{name}, batch {batch}: weights")
        write_job(job, ZOO[name], batch, trains=trains)
        for threads in options.threads:
            bout = Bout(name, batch, threads, trains)
            case = f"{name}, batch {batch}, {threads} threads"
            able = [entry for entry in entries if entry.trains or not trains]
            fight(bout, able, job, options.rounds, options.seconds,
                  lambda what, case=case: _tell(f"{case}: {what}"))  # fmt: skip
            _tell("")
            bouts.append(bout)
            print(report.bout_line(bout), flush=True)
    wrong = []
    for trains, tolerance in ((False, TOLERANCE), (True, TRAINING_TOLERANCE)):
        chosen = [bout for bout in bouts if bout.trains is trains]
        if chosen:
            print(f"\n{'training' if trains else 'inference'}: Roastery is")
            print("\n".join(f"  {line}" for line in report.means(chosen)))
        wrong += report.differences(chosen, tolerance)
    print("\n".join(["", *wrong] if wrong else ["", "all results agree"]))
    if options.json:
        found = {"machine": _machine(), "limits": limits, "cases": report.data(bouts)}
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        from benchmarks.contest.plot import draw

        draw(bouts, options.plot)
    return 1 if wrong else 0


def _memory(options: argparse.Namespace, entries: Sequence[Entry], folder: Path) -> int:
    """Of each contender alone, after a few passes."""
    found: dict[str, dict[str, int]] = {}
    for name, batch, trains in _cases(options):
        case = f"{ZOO[name].name} b{batch}{' training' if trains else ''}"
        job = folder / f"{name}-{batch}-{trains}"
        write_job(job, ZOO[name], batch, trains=trains)
        sizes = found.setdefault(case, {})
        for entry in entries:
            if trains and not entry.trains:
                continue
            _tell(f"{case}: {entry}")
            try:
                with Child(entry, job, max(options.threads), compared=False) as child:
                    peak = child.peak_memory()
                    sizes[entry.name] = min(peak, sizes.get(entry.name, peak))
            except Failed as error:
                print(error, file=sys.stderr)
    _tell("")
    print(report.memory_table(found))
    if options.json:
        document = {"machine": _machine(), "peak_bytes": found}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


def _layers(options: argparse.Namespace, folder: Path) -> int:
    """`roastery bench` of each net."""
    worst, found = 0, []
    for name, batch, trains in _cases(options):
        for threads in options.threads:
            file, net = folder / "kernels.json", folder / "net.prototxt"
            net.write_text(ZOO[name].text(batch, deploy=not trains))
            print(f"\n{ZOO[name].name}, batch {batch}, {threads} threads"
                  f"{', training' if trains else ''}", flush=True)  # fmt: skip
            command = [sys.executable, "-m", "roastery", "bench", str(net), "--device=cpu"]
            command += [f"--phase={'TRAIN' if trains else 'TEST'}", f"--json={file}"]
            environment = {**os.environ, **thread_variables(threads)}
            worst = max(worst, subprocess.run(command, cwd=ROOT, env=environment).returncode)
            found.append({"batch": batch, "threads": threads, "trains": trains,
                          **json.loads(file.read_text("utf-8"))})  # fmt: skip
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return worst


def _limits(threads: Sequence[int]) -> dict[int, object]:
    """What the machine can do, by number of threads; shown, too."""
    backend = open_backend("cpu")
    found: dict[int, object] = {}
    for number in threads:
        options = CompileOptions(replace(backend.target, processors=number))
        speed = speed_of(backend, options)
        print(speed_line(f"{number} threads" if number > 1 else "1 thread", speed))
        found[number] = limits_json(speed)
    return found


def _machine() -> dict[str, object]:
    packages = ("numpy", "onnxruntime", "torch")
    return {
        "processor": cpu_target().name,
        "processors": cpu_target().processors,
        "python": platform.python_version(),
        "opencv": opencv_environment.PACKAGES[0],
        **{name: metadata.version(name) for name in packages if find_spec(name)},
    }


def _tell(text: str) -> None:
    """What is being done, in a line that the next one takes."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text[:99]}", end="", file=sys.stderr, flush=True)
    elif text.endswith((": weights", "loads")):
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
