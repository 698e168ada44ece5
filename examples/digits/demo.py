"""Train a small LeNet on scikit-learn's digits, with the commands a person would type.

    python examples/digits/demo.py [--output FOLDER]

Writes the digits into LMDBs, trains on the CPU, tests on 360 digits held out, and draws the
training log. Everything goes to demo-output/.
"""

from __future__ import annotations

import argparse
import re
import shutil
import struct
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.commands import newest_weights, roastery, training_line

HERE = Path(__file__).resolve().parent
NET = "lenet_digits_train_test.prototxt"
SOLVER = "lenet_digits_solver.prototxt"
HELD_OUT = 360
SPLIT_SEED = 7
GOAL = 0.97


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, default=HERE.parents[1] / "demo-output")
    folder = parser.parse_args().output.resolve()
    started = time.perf_counter()
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    for name in (NET, SOLVER):
        shutil.copy(HERE / name, folder)

    train, test = write_digits(folder)
    print(f"\n{train} digits to train on, {test} held out")
    roastery(folder, "train", f"--solver={SOLVER}", log="train.log", show=training_line)
    weights = newest_weights(folder)
    lines = roastery(
        folder,
        "test",
        f"--model={NET}",
        f"--weights={weights}",
        f"--iterations={HELD_OUT // 60}",
        log="test.log",
    )
    accuracy = mean_accuracy(lines)
    roastery(folder, "plot_log", "train.log", "--output=train.png", "--title=LeNet on 8x8 digits")

    right = round(accuracy * test)
    seconds = time.perf_counter() - started
    print(f"\n{right} of {test} held-out digits right: accuracy {accuracy:.4f} in {seconds:.0f} s")
    print(f"weights  {folder / weights}")
    print(f"picture  {folder / 'train.png'}")
    if accuracy < GOAL:
        print(f"that is below {GOAL}", file=sys.stderr)
        return 1
    return 0


def write_digits(folder: Path) -> tuple[int, int]:
    """Split the digits at random and turn both parts into LMDBs; their sizes.

    The way in is MNIST's file format: a magic number, the sizes, then bytes.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    pixels = np.round(digits.images * (255 / 16)).astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(pixels))
    parts = {"test": order[:HELD_OUT], "train": order[HELD_OUT:]}
    for part, chosen in parts.items():
        images, classes = f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte"
        header = struct.pack(">4i", 2051, len(chosen), 8, 8)
        (folder / images).write_bytes(header + pixels[chosen].tobytes())
        header = struct.pack(">2i", 2049, len(chosen))
        (folder / classes).write_bytes(header + labels[chosen].tobytes())
        roastery(folder, "convert_mnist", images, classes, f"digits_{part}_lmdb")
    return len(parts["train"]), len(parts["test"])


def mean_accuracy(lines: list[str]) -> float:
    """The mean accuracy that `roastery test` shows last."""
    found = re.findall(r"\] accuracy = ([\d.e+-]+)", "".join(lines))
    return float(found[-1])


if __name__ == "__main__":
    sys.exit(main())
