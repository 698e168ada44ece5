"""A process that reads inputs one after the other, within limits of memory.

It takes ``[target, number]`` as JSON lines and answers each with a verdict. Before it begins it
says ``"ready"``. It may die of an input; the supervisor then knows which.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gc
import io
import json
import os
import resource
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from ir.errors import RoasteryError

from .families.mistakes import SELF_TESTS
from .inputs import Sample, digests
from .mutants import Mutant, mutant
from .targets import Target, all_targets
from .verdict import Verdict, where

MEMORY = 1 << 30
"""Bytes that an input may take beyond what the process has."""
_RESERVED = 512 << 20
"""Of addresses an input may take so much more: threads and allocators reserve some."""
SECONDS = 10


class Reader:
    """Reads mutants of every target in one folder."""

    def __init__(self, folder: Path, seed: int, memory: int = MEMORY) -> None:
        self.folder = folder
        self.input = folder / "input"
        self.seed = seed
        self.memory = memory
        self.targets = all_targets() | {target.name: target for target in SELF_TESTS}
        self._samples: dict[str, list[Sample]] = {}
        self._values: dict[tuple[str, int], object] = {}

    def samples(self, target: Target) -> list[Sample]:
        """The valid inputs of a target; made once."""
        if target.name not in self._samples:
            room = self.folder / "samples" / target.name.replace(" ", "_")
            room.mkdir(parents=True)
            self._samples[target.name] = target.samples(room)
        return self._samples[target.name]

    def make(self, name: str, number: int) -> Mutant:
        """Input ``number`` of a target."""
        target = self.targets[name]
        room = self.folder / "room"
        room.mkdir(parents=True, exist_ok=True)
        return mutant(target, self.samples(target), self.seed, number, room)

    def verdict(self, name: str, number: int) -> Verdict:
        """Read input ``number`` of a target."""
        made = self.make(name, number)
        verdict = Verdict(name, number, made.change, "read")
        damaged = made.change == "damage" and made.base is not None
        whole = self._whole(name, made.base) if damaged and made.base is not None else None
        value = self.read(self.targets[name], made.sample, verdict)
        if made.change == "sample" and verdict.outcome == "refused":
            verdict.outcome, verdict.key = "invalid", "valid input refused"
        if damaged and verdict.outcome == "read" and value != whole:
            verdict.outcome, verdict.key = "loss", "silent loss"
        return verdict

    def _whole(self, name: str, base: int) -> object:
        """What the undamaged sample reads as."""
        if (name, base) not in self._values:
            target = self.targets[name]
            self._values[name, base] = self.read(
                target, self.samples(target)[base], Verdict(name, base, "sample", "read")
            )
        return self._values[name, base]

    def read(self, target: Target, sample: Sample, verdict: Verdict) -> object:
        """Read one sample and fill in the verdict; what was read."""
        path = sample.write(self.input)
        before = digests(self.input)
        os.chdir(self.input)
        value = None
        gc.collect()
        _forget_peak()
        memory, began = _memory(), time.process_time()
        try:
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                value = target.read(path)
        except (RoasteryError, *target.clean) as error:
            verdict.outcome, verdict.detail = "refused", str(error)[:200]
        except MemoryError as error:
            verdict.outcome = "memory"
            verdict.key, verdict.detail = where(error)
        except Exception as error:  # what is looked for
            verdict.outcome = "memory" if _is_memory(error) else "exception"
            verdict.key, verdict.detail = where(error)
        finally:
            os.chdir(self.folder)
        verdict.seconds = time.process_time() - began
        verdict.mebibytes = max(0, _peak() - memory) >> 20
        if verdict.mebibytes << 20 > self.memory:
            verdict.outcome, verdict.key = "memory", "too much memory"
        after = digests(self.input)
        for name in target.leaves:
            before.pop(name, None)
            after.pop(name, None)
        if verdict.outcome in ("read", "refused") and not target.writes and after != before:
            verdict.outcome, verdict.key = "wrote", "reading wrote"
        return value


def _is_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError) or "nsufficient memory" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) << 10
    return 0


def _memory() -> int:
    return _status("VmRSS:")


def _peak() -> int:
    return _status("VmHWM:")


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def serve(seed: int, seconds: float, memory: int) -> None:
    """Answer until the input ends; say where an input is that takes longer than ``seconds``."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not mix with the answers
    with tempfile.TemporaryDirectory(prefix="roastery-fuzz-") as folder:
        reader = Reader(Path(folder), seed, memory)
        _import_all()
        limit = _status("VmSize:") + memory + _RESERVED
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        faulthandler.enable()
        gc.freeze()
        print(json.dumps({"ready": str(reader.input)}), file=answers, flush=True)
        for line in sys.stdin:
            name, number = json.loads(line)
            faulthandler.dump_traceback_later(seconds)
            verdict = reader.verdict(name, number)
            faulthandler.cancel_dump_traceback_later()
            print(json.dumps(asdict(verdict)), file=answers, flush=True)


def _import_all() -> None:
    """Libraries are no memory of an input's."""
    import cv2
    import h5py
    import lmdb
    import matplotlib.figure
    import plyvel

    import roastery.caffe
    import roastery.training.solvers
    import runtime.artifact

    del cv2, h5py, lmdb, matplotlib, plyvel, roastery, runtime
    cv2_threads()


def cv2_threads() -> None:
    """OpenCV's own threads reserve memory that no input asked for."""
    import cv2

    cv2.setNumThreads(1)


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]))
