"""SIGKILL at random moments."""

from __future__ import annotations

import hashlib
import shutil
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from subprocess import DEVNULL

from ir.errors import RoasteryError
from roastery.training.snapshots import newest_snapshot
from runtime.data.database import open_database

from .material import Material
from .processes import duration, litter, run, start
from .rows import Plan, Row


def training(material: Material, plan: Plan) -> Row:
    """A training that is killed again and again ends as the unbroken one, bit for bit."""
    row = Row("SIGKILL of training, resumed with --snapshot=auto; the end equals the unbroken run")
    whole, place = material.place("whole"), material.place("killed")
    iterations = 60 if plan.short else 3000
    for folder in (whole, place):
        solver = material.solver(folder, max_iter=iterations, snapshot=7)
    seconds = duration(lambda: run(whole, "train", solver))
    reached = 0
    while plan.goes_on(least=20):
        row.tries += 1
        _kill_after(place, plan.draw.uniform(0.0, max(2.5, 0.1 * seconds)), "train", solver)
        newest = newest_snapshot(str(place / "small"), row.failures.append)
        at = int(newest.rpartition("_iter_")[2].partition(".")[0]) if newest else 0
        row.expect(at >= reached, f"iteration {reached} was reached, and then {at}")
        reached = max(at, reached)
        if reached >= iterations:
            for path in place.glob("small_iter_*"):
                path.unlink()
            reached = 0
    done = run(place, "train", solver, "--snapshot=auto")
    row.expect(done.returncode == 0, f"the last run ended with {done.returncode}: {done.stderr}")
    name = f"small_iter_{iterations}.caffemodel"
    row.expect((place / name).read_bytes() == (whole / name).read_bytes(), "the end is another one")
    row.expect(not litter(place), f"left over: {litter(place)}")
    return row.end()


COMMANDS = {
    "convert_mnist": ("convert_mnist", "../images.gz", "../labels", "out"),
    "convert_mnist leveldb": (
        "convert_mnist", "--backend=leveldb", "../images.gz", "../labels", "out",
    ),
    "convert_imageset": ("convert_imageset", "../pictures/", "../pictures/list.txt", "out"),
    "convert_imageset leveldb": (
        "convert_imageset", "--backend=leveldb", "../pictures/", "../pictures/list.txt", "out",
    ),
    "create_annoset": ("create_annoset", "../pictures/", "../pictures/list.txt", "out"),
    "compute_image_mean": ("compute_image_mean", "../mnist_lmdb", "out"),
    "extract_features": (
        "extract_features", "../small.caffemodel", "../test.prototxt", "ip", "out", "40", "lmdb",
    ),
    "resize_and_crop": (
        "resize_and_crop", "../pictures", "out", "--output_side_length=16",
    ),
    "upgrade_net_proto_binary": ("upgrade_net_proto_binary", "../small.caffemodel", "out"),
}  # fmt: skip


def converters(material: Material, plan: Plan) -> Row:
    """Killed converters leave no half output, and the next run removes what else they left."""
    return _commands(
        Row(f"SIGKILL of {len(COMMANDS)} converters and tools"), COMMANDS, material, plan
    )


def export(material: Material, plan: Plan) -> Row:
    """The same of export."""
    words = (
        "export", "--model=../deploy.prototxt", "--weights=../small.caffemodel", "--output=out",
    )  # fmt: skip
    return _commands(Row("SIGKILL of export"), {"export": words}, material, plan)


def _commands(
    row: Row, commands: dict[str, tuple[str, ...]], material: Material, plan: Plan
) -> Row:
    places, wanted, seconds = {}, {}, {}
    for name, words in commands.items():
        place = places[name] = material.place(f"kill {name}")
        seconds[name] = duration(partial(run, place, *words))
        wanted[name] = _digest(place)
        row.expect(bool(wanted[name]), f"{name} made nothing")
        _remove(place / "out")
    while plan.goes_on(least=20):
        for name, words in commands.items():
            row.tries += 1
            place = places[name]
            _kill_after(place, plan.draw.uniform(0.3, 1.1) * seconds[name], *words)
            # Pictures are many files, each of which appears whole.
            if (place / "out").exists() and name != "resize_and_crop":
                row.expect(_digest(place) == wanted[name], f"{name} left a half output")
                _remove(place / "out")
    for name, words in commands.items():
        place = places[name]
        done = run(place, *words)
        row.expect(done.returncode == 0, f"{name} ended with {done.returncode}: {done.stderr}")
        row.expect(_digest(place) == wanted[name], f"{name} made something else after kills")
        row.expect(not litter(place), f"{name} left over {litter(place)}")
    return row.end()


def _kill_after(place: Path, seconds: float, *words: str) -> None:
    if words[0] == "train":
        words = (*words, "--snapshot=auto")
    with start(place, *words, log=DEVNULL) as process:
        time.sleep(seconds)
        process.kill()


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _digest(place: Path) -> str:
    """What a database holds, or the bytes of other outputs; empty where there are none."""
    out = place / "out"
    if not out.exists():
        return ""
    found = hashlib.sha256()
    if out.is_file():
        found.update(out.read_bytes())
        return found.hexdigest()
    if any(path.suffix == ".png" for path in out.iterdir()):
        for path in sorted(out.iterdir()):
            found.update(path.name.encode() + path.read_bytes())
        return found.hexdigest()
    try:
        with closing(open_database(out, "LMDB", None)) as database:
            for record in database.records():
                found.update(record.key + record.read())
    except RoasteryError as error:
        return f"damaged: {error}"
    return found.hexdigest()
