"""Draw pictures and write their captions in the form that the net reads.

    python make_data.py [--train 10000] [--test 500] [--folder FOLDER]

Both numbers are multiples of 50.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import h5py
import numpy as np
from scenes import WORDS, draw_scene

BATCH = 50
STEPS = 9
"""The batch_size of pictures and of captions in captions.prototxt: eight words and the end."""


def write_part(folder: Path, name: str, count: int, seed: int) -> None:
    """Pictures with the list that ImageData reads, and captions for HDF5Data.

    Captions are time x pictures: STEPS rows for each batch of BATCH pictures, so that both layers
    go on to the next batch together.
    """
    if count < BATCH or count % BATCH:
        raise SystemExit(f"{count} pictures cannot be cut into batches of {BATCH}")
    random = np.random.default_rng(seed)
    (folder / name).mkdir(parents=True, exist_ok=True)
    rows = count // BATCH * STEPS
    words = np.zeros((rows, BATCH), np.float32)
    wanted = np.full((rows, BATCH), -1, np.float32)
    cont = np.ones((rows, BATCH), np.float32)
    cont[::STEPS] = 0
    lines, truth = [], {}
    for i in range(count):
        picture, scene = draw_scene(random)
        file = f"{name}/{i:05}.png"
        cv2.imwrite(str(folder / file), picture)
        lines.append(f"{file} {i}\n")
        captions = scene.captions()
        truth[file] = captions
        numbers = [WORDS.index(word) for word in captions[random.integers(len(captions))].split()]
        first, stream = i // BATCH * STEPS, i % BATCH
        words[first + 1 : first + 1 + len(numbers), stream] = numbers
        wanted[first : first + len(numbers) + 1, stream] = [*numbers, 0]
    (folder / f"{name}.txt").write_text("".join(lines))
    (folder / f"{name}_captions.json").write_text(json.dumps(truth, indent=0))
    with h5py.File(folder / f"{name}.h5", "w") as file:
        file["words"], file["wanted"], file["cont"] = words, wanted, cont
    (folder / f"{name}_h5.txt").write_text(f"{name}.h5\n")
    print(f"{count} pictures in {name}: {captions[0]!r} is one of the last's captions")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--train", type=int, default=10000, help="pictures to train on")
    parser.add_argument("--test", type=int, default=500, help="pictures held out")
    parser.add_argument("--folder", type=Path, default=Path())
    options = parser.parse_args()
    write_part(options.folder, "train", options.train, seed=1)
    write_part(options.folder, "test", options.test, seed=2)


if __name__ == "__main__":
    main()
