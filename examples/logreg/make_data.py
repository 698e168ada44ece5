"""Make input_leveldb: pictures of 8x8 pixels that are brighter on the left (0) or the right (1).

    python make_data.py [FOLDER]

Writing a LevelDB needs plyvel: pip install roastery[leveldb].
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

COUNT, SIDE = 512, 8


def make_pictures(seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Noise with one half brighter: uint8 pictures and their classes."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, COUNT).astype(np.uint8)
    pictures = random.integers(0, 160, (COUNT, SIDE, SIDE))
    for picture, label in zip(pictures, labels, strict=True):
        half = slice(SIDE // 2, SIDE) if label else slice(0, SIDE // 2)
        picture[:, half] += 60
    return pictures.astype(np.uint8), labels


def main(folder: Path) -> None:
    """Write MNIST's file format, then let `roastery convert_mnist` make the database."""
    pictures, labels = make_pictures()
    for name, magic, array in (("images", 2051, pictures), ("labels", 2049, labels)):
        header = np.array([magic, *array.shape], ">i4").tobytes()
        (folder / name).write_bytes(header + array.tobytes())
    command = [sys.executable, "-m", "roastery", "convert_mnist", "--backend=leveldb"]
    subprocess.run([*command, "images", "labels", "input_leveldb"], cwd=folder, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd())
