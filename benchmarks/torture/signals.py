"""SIGINT, SIGTERM and SIGHUP at random moments, from the start of the process on."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from roastery.training.snapshots import newest_snapshot

from .kills import COMMANDS
from .material import Material
from .processes import PATIENCE, duration, litter, run, start
from .rows import Plan, Row

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


def training(material: Material, plan: Plan) -> Row:
    """Each stop leaves a snapshot of the last iteration, or says that nothing was trained."""
    row = Row("SIGINT, SIGTERM, SIGHUP to training, start-up included")
    place = material.place("signalled")
    solver = material.solver(place, max_iter=1_000_000, snapshot=0, display=1)
    slowest = 0.0
    while plan.goes_on(least=40):
        row.tries += 1
        number = plan.draw.choice(_NUMBERS)
        with start(place, "train", solver, "--snapshot=auto") as process:
            time.sleep(plan.draw.choice((plan.draw.uniform(0.0, 0.8), plan.draw.uniform(0.8, 3.0))))
            if plan.draw.random() < 0.3:
                process.send_signal(signal.SIGHUP)
                time.sleep(plan.draw.uniform(0.0, 0.3))
            process.send_signal(number)
            slowest = max(slowest, _check_end(row, process, place, number))
        row.expect(not litter(place), f"left over: {litter(place)}")
    return row.end(f"ends within {slowest:.1f} s")


def _check_end(
    row: Row, process: subprocess.Popen[str], place: Path, number: signal.Signals
) -> float:
    """Wait for the end and check it; returns the seconds that it took."""
    began = time.monotonic()
    try:
        _, error = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        row.failures.append(f"{number.name}: no end within {PATIENCE} s")
        return PATIENCE
    code = process.returncode
    if _was_python(code, number, error) or (code == -signal.SIGHUP and not error):
        return 0.0
    row.expect("Traceback" not in error, f"{number.name}: {error[-1500:]}")
    if code == 0:
        newest = newest_snapshot(str(place / "small"))
        said = [line for line in error.splitlines() if "Snapshotting solver state" in line]
        row.expect(
            newest is not None and bool(said) and said[-1].endswith(Path(newest).name),
            f"{number.name}: exit code 0, and the newest snapshot is {newest}",
        )
    else:
        row.expect(
            code == 128 + number and "nothing was trained" in error,
            f"{number.name}: exit code {code}: {error[-500:]}",
        )
    return time.monotonic() - began


def _was_python(code: int, number: signal.Signals, error: str) -> bool:
    """Whether the signal came while Python itself started, before it had read a line of ours."""
    return "roastery" not in error and (
        (code == -number and not error) or "KeyboardInterrupt" in error
    )


def commands(material: Material, plan: Plan) -> Row:
    """Signalled converters end at once with 130 or 143, and clean up themselves."""
    row = Row("SIGINT and SIGTERM to converters and tools")
    slowest = 0.0
    while plan.goes_on(least=10):
        for name, words in COMMANDS.items():
            place = material.folder / f"signal {name}"
            if not place.exists():
                place.mkdir()
                row.expect(run(place, *words).returncode == 0, f"{name} failed")
            for path in place.glob("out"):
                path.rename(material.folder / f"made {time.monotonic_ns()}")
            row.tries += 1
            number = plan.draw.choice(_NUMBERS)
            with start(place, *words) as process:
                time.sleep(plan.draw.uniform(0.1, 1.5))
                process.send_signal(number)
                slowest = max(slowest, duration(process.wait))
                assert process.stderr is not None
                error = process.stderr.read()
            code = process.returncode
            if _was_python(code, number, error):
                continue
            row.expect(
                code in (0, 128 + number),
                f"{name}: exit code {code} after {number.name}: {error[-500:]}",
            )
            row.expect("Traceback" not in error, f"{name}: {error[-1500:]}")
            row.expect(not litter(place), f"{name} left over {litter(place)}")
    return row.end(f"ends within {slowest:.1f} s")
