"""Cut a text into streams of characters: train.h5 and test.h5, and the lists that name them.

    python make_data.py [--text FILE] [--folder FOLDER]

The text is by default the reference of the Python language, which comes with Python
(`pydoc_data.topics`). Its last tenth is held out.
"""

from __future__ import annotations

import argparse
import zlib
from pathlib import Path

import h5py
import numpy as np

STREAMS = 32
STEPS = 32
"""Characters of each stream in one batch: the batch_size in characters.prototxt."""

_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "."})


def python_reference() -> str:
    """The texts behind `help("topics")`, in alphabetical order."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


def encode(text: str) -> np.ndarray:
    """Numbers of characters: 0 is a new line, 1 to 95 are the printable ones of ASCII.

    Quotation marks and dashes become plain ones, all else a question mark.
    """
    codes = np.frombuffer(text.translate(_PLAIN).encode("ascii", "replace"), np.uint8)
    printable = np.where((codes >= 32) & (codes < 127), codes - 31, ord("?") - 31)
    return np.where(codes == 10, 0, printable).astype(np.int64)


def decode(numbers: np.ndarray) -> str:
    """The text of `encode`'s numbers."""
    return "".join("\n" if number == 0 else chr(int(number) + 31) for number in numbers)


def write_streams(path: Path, numbers: np.ndarray, steps: int = STEPS) -> int:
    """Write a text as STREAMS streams side by side, time going down; the number of batches.

    Batch after batch goes on where the last one ended, and so does the LSTM, which keeps its
    state. Only the very first characters have cont 0: there is no state yet.
    """
    length = (len(numbers) - 1) // (STREAMS * steps) * steps
    if length == 0:
        raise SystemExit(f"{path}: a text of {len(numbers)} characters is too short")
    starts = np.arange(STREAMS) * length
    at = starts + np.arange(length)[:, np.newaxis]
    cont = np.ones((length, STREAMS), np.float32)
    cont[0] = 0
    with h5py.File(path, "w") as file:
        file["data"] = numbers[at].astype(np.float32)
        file["label"] = numbers[at + 1].astype(np.float32)
        file["cont"] = cont
    path.with_suffix(".txt").write_text(f"{path.name}\n")
    return length // steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--text", type=Path, help="a text of your own")
    parser.add_argument("--folder", type=Path, default=Path())
    options = parser.parse_args()
    numbers = encode(options.text.read_text() if options.text else python_reference())
    held_out = len(numbers) // 10
    parts = {"train": numbers[:-held_out], "test": numbers[-held_out:]}
    for name, part in parts.items():
        batches = write_streams(options.folder / f"{name}.h5", part)
        print(f"{name}: {len(part)} characters, {batches} batches")
    packed = len(zlib.compress(decode(numbers).encode(), 9)) * 8 / len(numbers)
    shares = np.bincount(numbers) / len(numbers)
    alone = -(shares[shares > 0] * np.log2(shares[shares > 0])).sum()
    print(f"bits per character: {alone:.2f} by their frequencies, {packed:.2f} as zlib packs them")


if __name__ == "__main__":
    main()
