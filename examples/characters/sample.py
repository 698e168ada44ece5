"""Let a trained net write: one character after the other, each drawn as the net says.

    python sample.py characters_iter_4000.caffemodel [--begin TEXT] [--temperature 0.5]

At temperature 0 the likeliest character is taken; at 1 characters come as often as the net
expects them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from make_data import decode, encode

import roastery

NET = Path(__file__).resolve().parent / "deploy.prototxt"


def sample(weights: Path, begin: str, length: int, temperature: float, seed: int) -> str:
    """``length`` characters that go on from ``begin``."""
    net = roastery.compile(NET, weights=weights, device="cpu")
    random = np.random.default_rng(seed)
    cont, written = 0.0, []

    def read(number: int) -> np.ndarray:
        """Scores of what comes after a character."""
        nonlocal cont
        out = net(data=np.full((1, 1), number, np.float32), cont=np.full((1, 1), cont, np.float32))
        cont = 1.0
        return out["scores"][0, 0].astype(np.float64)

    for number in encode(begin):
        scores = read(int(number))
    for _ in range(length):
        if temperature > 0:
            shares = np.exp((scores - scores.max()) / temperature)
            number = int(random.choice(len(shares), p=shares / shares.sum()))
        else:
            number = int(scores.argmax())
        written.append(number)
        scores = read(number)
    return decode(np.array(written))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--begin", default="The ", help="what the text begins with")
    parser.add_argument("--length", type=int, default=600)
    parser.add_argument("--temperature", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not options.begin or options.temperature < 0:
        parser.error("--begin needs a character, --temperature may not be below 0")
    if not options.weights.is_file():
        parser.error(f"there is no {options.weights}: training writes it")
    written = sample(
        options.weights, options.begin, options.length, options.temperature, options.seed
    )
    print(options.begin + written)


if __name__ == "__main__":
    main()
