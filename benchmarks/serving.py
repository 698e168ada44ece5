"""The server of examples/serve under load, beside itself with ONNX Runtime in Roastery's place.

    python benchmarks/serving.py                          # SqueezeNet, pictures and arrays
    python benchmarks/serving.py --net resnet50 --seconds 5 --output serving.md

Both are the same program: HTTP, pictures and batches are what they share, the net is what differs.
Clients ask again as soon as they are answered, so many at once as the table says. They run on this
machine, too, and take processor time from the servers. Servers take turns, each alone.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.contest.job import write_job
from benchmarks.http_load.clients import Load, load, post
from benchmarks.http_load.servers import ROOT, RunningServer, start
from benchmarks.zoo import ZOO
from roastery.cli.main import main as roastery

OURS, OTHERS = "Roastery", "ONNX Runtime"
_NEEDS = (
    "cv2",
    "fastapi",
    "onnx",
    "onnxruntime",
    "prometheus_client",
    "python_multipart",
    "uvicorn",
)
_PICTURE = (320, 240)
KINDS = {"picture": "image/jpeg", "array": "application/x-npy"}
BATCHES = ("off", "gathered", "waiting")
_TITLES = {"picture": f"JPEG pictures of {_PICTURE[0]} x {_PICTURE[1]}", "array": "Arrays (.npy)"}


@dataclass
class Row:
    """Of one server: what so many clients found, round by round."""

    kind: str
    engine: str
    setting: str
    clients: int
    loads: list[Load] = field(default_factory=list)
    processor_seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Answers per second: the median of rounds."""
        return statistics.median(len(each.latencies) / each.seconds for each in self.loads)

    @property
    def cost(self) -> float:
        """Milliseconds of processor time that the server takes for an answer."""
        return 1e3 * self.processor_seconds / sum(len(each.latencies) for each in self.loads)

    def milliseconds(self, percent: float) -> float:
        """A percentile of all latencies."""
        found = [latency for each in self.loads for latency in each.latencies]
        return float(np.percentile(found, percent)) * 1e3


def main() -> int:
    options = _options()
    lacking = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if lacking:
        print(f"not installed: {', '.join(lacking)}: pip install 'roastery[images,bench,serve]'")
        return 1
    with tempfile.TemporaryDirectory(prefix="roastery-serving-") as name:
        folder = Path(name)
        bodies = _write(folder, options.net)
        servers: list[RunningServer] = []
        try:
            servers = _start(folder, options)
            for kind in options.kinds:
                _compare(servers, bodies[kind], kind)
            rows = _measure(servers, bodies, options)
        finally:
            codes = [server.stop() for server in servers]
    assert codes == [0] * len(codes), codes
    text = _report(rows, options)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--net", choices=[*ZOO], default="squeezenet", help="default: squeezenet")
    parser.add_argument(
        "--clients", nargs="+", type=int, default=[1, 4, 16], help="default: 1 4 16"
    )
    parser.add_argument("--batches", nargs="+", choices=BATCHES, default=[*BATCHES],
                        help="default: all")  # fmt: skip
    parser.add_argument("--batch", type=int, default=8, help="with batches on (default: 8)")
    parser.add_argument("--wait", type=float, default=2.0, help="--max-wait-ms (default: 2)")
    parser.add_argument("--threads", type=int, default=1, help="of a net (default: 1)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: 3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of a turn (default: 3)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=[*KINDS], help="default: both")
    parser.add_argument("--output", metavar="FILE", type=Path, help="write the report too")
    return parser.parse_args()


def _write(folder: Path, net: str) -> dict[str, bytes]:
    """The net as an artifact and as an ONNX model for any batch; what clients send, by kind."""
    import cv2
    import onnx

    write_job(folder, ZOO[net], 1, trains=False)
    words = [f"--weights={folder / 'net.caffemodel'}", f"--output={folder / 'net.roast'}"]
    if roastery(["export", str(folder / "net.prototxt"), *words, "--raw-scale=1"]):
        raise SystemExit(1)
    model = onnx.load(folder / "net.onnx")
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    onnx.save(model, folder / "net.onnx")
    rng = np.random.default_rng(0)
    width, height = _PICTURE
    small = rng.integers(0, 256, (height // 16, width // 16, 3), np.uint8)
    picture = cv2.resize(small, _PICTURE, interpolation=cv2.INTER_CUBIC)
    array = (folder / "data.npy").read_bytes()
    return {"picture": cv2.imencode(".jpg", picture)[1].tobytes(), "array": array}


def _settings(options: argparse.Namespace) -> dict[str, list[str]]:
    """What is asked for of: no batches; what has come while the last one ran; waiting for more."""
    on = f"--max-batch={options.batch}"
    found = {
        "off": ("off", ["--max-batch=1", "--max-wait-ms=0"]),
        "gathered": (f"{options.batch}, no wait", [on, "--max-wait-ms=0"]),
        "waiting": (f"{options.batch}, {options.wait:g} ms", [on, f"--max-wait-ms={options.wait}"]),
    }
    return dict(found[name] for name in options.batches)


def _start(folder: Path, options: argparse.Namespace) -> list[RunningServer]:
    artifact = folder / "net.roast"
    scripts: dict[str, Sequence[str | Path]] = {
        OURS: (ROOT / "examples/serve/serve.py", artifact, "--device=cpu"),
        OTHERS: (ROOT / "benchmarks/http_load/onnx_server.py", folder / "net.onnx", artifact),
    }
    return [
        start(engine, setting, [*script, *flags, f"--threads={options.threads}"])
        for setting, flags in _settings(options).items()
        for engine, script in scripts.items()
    ]


def _compare(servers: Sequence[RunningServer], body: bytes, kind: str) -> None:
    """All must say the same."""
    said = []
    for server in servers:
        request = urllib.request.Request(
            f"{server.url}/predict?top=1000", body, {"Content-Type": KINDS[kind]}
        )
        with urllib.request.urlopen(request) as answer:
            content = json.load(answer)
        if kind == "array":
            said.append(np.ravel(content["outputs"]["prob"]))
        else:
            scores = {x["class"]: x["score"] for x in content["predictions"][0]["prob"]["classes"]}
            said.append(np.array([scores[number] for number in sorted(scores)]))
    for other in said[1:]:
        np.testing.assert_allclose(other, said[0], rtol=1e-3, atol=1e-5)


def _measure(
    servers: Sequence[RunningServer], bodies: dict[str, bytes], options: argparse.Namespace
) -> list[Row]:
    rows = []
    for kind in options.kinds:
        for clients in options.clients:
            turn = [(s, Row(kind, s.engine, s.setting, clients)) for s in servers]
            for number in range(-1, options.rounds):
                for server, row in turn:
                    request = post(f"{server.url}/predict", bodies[kind], KINDS[kind])
                    seconds = options.seconds if number >= 0 else min(1.0, options.seconds)
                    before = server.processor_seconds()
                    found = load(server.url, request, clients, seconds)
                    if number >= 0:  # before it, they grow warm
                        row.loads.append(found)
                        row.processor_seconds += server.processor_seconds() - before
            rows += [row for _, row in turn]
            print(f"{kind}, {clients} at once: done", file=sys.stderr, flush=True)
    return rows


def _report(rows: Sequence[Row], options: argparse.Namespace) -> str:
    packages = ("numpy", "onnxruntime", "fastapi", "uvicorn")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    lines = [
        f"# {ZOO[options.net].name} served over HTTP",
        "",
        f"Machine: {_processor()}, {os.cpu_count()} processors, which the clients use, too; load "
        f"{os.getloadavg()[0]:.1f} at the end. Python {platform.python_version()}, {versions}.",
        "",
        f"    python benchmarks/serving.py {' '.join(sys.argv[1:])}".rstrip(),
        "",
        f"The same server with either engine, {options.threads} thread(s) a net. Batches: off; of "
        f"at most {options.batch}, of what came while the last one ran; and of what comes within "
        f"{options.wait:g} ms. Answers per second (the median of "
        f"{options.rounds} turns of {options.seconds:g} s), and milliseconds from a request to its "
        "answer. Cost: milliseconds of processor time that the server takes for an answer, which "
        "depends least on what else the machine does. Ratios: of answers per second, and of costs; "
        "over 1, Roastery gives more, or takes less.",
    ]
    for kind in options.kinds:
        lines += [
            "",
            f"## {_TITLES[kind]}",
            "",
            f"| clients | batches | {OURS}: per s | p50 | p95 | p99 | cost "
            f"| {OTHERS}: per s | p50 | p95 | p99 | cost | ratio | of costs |",
            f"|{'---|' * 14}",
        ]
        chosen = {(r.clients, r.setting, r.engine): r for r in rows if r.kind == kind}
        for clients in options.clients:
            for setting in _settings(options):
                both = [chosen[clients, setting, engine] for engine in (OURS, OTHERS)]
                cells = [c for row in both for c in _cells(row)]
                ratios = both[0].rate / both[1].rate, both[1].cost / both[0].cost
                cells += [f"{ratio:.2f}" for ratio in ratios]
                lines.append(f"| {clients} | {setting} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(row: Row) -> list[str]:
    times = [f"{row.milliseconds(percent):.1f}" for percent in (50, 95, 99)]
    return [f"{row.rate:.0f}", *times, f"{row.cost:.1f}"]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


if __name__ == "__main__":
    sys.exit(main())
