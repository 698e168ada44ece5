"""Say what is on pictures, with a trained net.

    python caption.py captions_iter_5000.caffemodel                        # scores on test/
    python caption.py captions_iter_5000.caffemodel --beam=3 test/00000.png test/00001.png

Words are chosen one by one. With --beam=1 that is always the likeliest; with more, as many
beginnings of captions are followed at once, and the one that is likeliest as a whole is said.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from make_nets import HIDDEN
from scenes import SIDE, WORDS

import roastery

HERE = Path(__file__).resolve().parent
MEAN, SCALE = 110.0, 0.016  # as captions.prototxt has them
LONGEST = 9
_ZOOM = 3


class Captioner:
    """Both nets, with the weights that were trained as one."""

    def __init__(self, weights: Path) -> None:
        self._encoder = roastery.compile(HERE / "encoder.prototxt", weights, device="cpu")
        self._decoder = roastery.compile(HERE / "decoder.prototxt", weights, device="cpu")

    def captions(self, pictures: np.ndarray, beam: int = 1) -> list[str]:
        """What is said of pictures (count, SIDE, SIDE, 3) with values from 0 to 255, blue first."""
        values = (pictures.astype(np.float32) - MEAN) * SCALE
        features = self._encoder(image=values.transpose(0, 3, 1, 2))["features"]
        return [_text(numbers) for numbers in self._search(features, beam)]

    def _search(self, features: np.ndarray, beam: int) -> np.ndarray:
        """The likeliest of the captions that were followed: (pictures, LONGEST) words."""
        count = len(features)
        streams = count * beam
        features = np.repeat(features, beam, axis=0)
        hidden = dict.fromkeys(("h", "c"), np.zeros((1, streams, HIDDEN), np.float32))
        said = np.zeros((streams, LONGEST), np.int64)
        ended = np.zeros(streams, bool)
        # Beginnings of one picture are equal at first: only one of them counts.
        chances = np.where(np.arange(streams) % beam == 0, 0.0, -np.inf)
        last = np.zeros(streams, np.int64)
        for step in range(LONGEST):
            out = self._decoder(
                words=last[np.newaxis].astype(np.float32),
                cont=np.full((1, streams), float(step > 0), np.float32),
                features=features,
                **hidden,
            )
            each = np.log(out["prob"][0].astype(np.float64) + 1e-30)
            # What has ended goes on as it is: silence is sure.
            each[ended] = -np.inf
            each[ended, 0] = 0.0
            total = (chances[:, np.newaxis] + each).reshape(count, -1)
            best = np.argsort(-total, axis=1, kind="stable")[:, :beam]
            chances = np.take_along_axis(total, best, axis=1).ravel()
            origin, last = np.divmod(best, len(WORDS))
            origin = (origin + np.arange(count)[:, np.newaxis] * beam).ravel()
            last = last.ravel()
            said, ended = said[origin], ended[origin]
            said[:, step] = last
            ended |= last == 0
            hidden = {name: out[f"next_{name}"][:, origin] for name in hidden}
            if ended.all():
                break
        return said[::beam]


def _text(numbers: np.ndarray) -> str:
    words = []
    for number in numbers:
        if number == 0:
            break
        words.append(WORDS[number])
    return " ".join(words)


def read_picture(path: Path) -> np.ndarray:
    """A picture at the size that the net takes."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} is no picture that can be read")
    return cv2.resize(picture, (SIDE, SIDE)) if picture.shape[:2] != (SIDE, SIDE) else picture


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("pictures", type=Path, nargs="*")
    parser.add_argument("--beam", type=int, default=1, help="captions that are followed at once")
    parser.add_argument("--sheet", type=Path, help="also draw the pictures with their captions")
    options = parser.parse_intermixed_args()
    if not 1 <= options.beam <= len(WORDS):
        parser.error(f"--beam is from 1 to {len(WORDS)}")
    if not options.weights.is_file():
        parser.error(f"there is no {options.weights}: training writes it")
    truth = json.loads(Path("test_captions.json").read_text()) if not options.pictures else {}
    paths = options.pictures or list(map(Path, truth))
    pictures = np.stack([read_picture(path) for path in paths])
    captions = Captioner(options.weights).captions(pictures, options.beam)
    if options.sheet:
        draw_sheet(options.sheet, pictures[:12], captions)
    if options.pictures:
        for path, caption in zip(paths, captions, strict=True):
            print(f"{path}: {caption}")
        return
    right = [caption in truth[str(path)] for path, caption in zip(paths, captions, strict=True)]
    for path, caption in list(zip(paths, captions, strict=True))[:5]:
        print(f"{path}: {caption}")
    for path, caption, fine in zip(paths, captions, right, strict=True):
        if not fine:
            print(f"wrong: {path}: {caption!r}, it is {truth[str(path)][0]!r}")
    print(f"{sum(right)} of {len(right)} captions are true: {sum(right) / len(right):.1%}")


def draw_sheet(path: Path, pictures: np.ndarray, captions: list[str]) -> None:
    """Four pictures a row, enlarged, with their captions below."""
    side = _ZOOM * SIDE
    blank = np.full((side + 28, side + 112, 3), 255, np.uint8)
    cells = []
    for picture, caption in zip(pictures, captions, strict=False):
        cell = blank.copy()
        cell[:side, 4 : side + 4] = picture.repeat(_ZOOM, 0).repeat(_ZOOM, 1)
        spot = (4, side + 16)
        cv2.putText(cell, caption, spot, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 1, cv2.LINE_AA)
        cells.append(cell)
    cells += [blank] * (-len(cells) % 4)
    rows = [np.hstack(cells[i : i + 4]) for i in range(0, len(cells), 4)]
    cv2.imwrite(str(path), np.vstack(rows), [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
