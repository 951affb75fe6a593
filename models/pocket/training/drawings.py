"""All drawings made by others, as one file.

`python drawings.py DATA_FOLDER OUT.npz [--few N]` writes, for the N drawings found:
  rgba    uint8 (N, 96, 96, 4)  premultiplied alpha, the drawing's opaque box fitted into the square
  large   uint8 (N, 144, 144, 4)  the same, for the networks of photographs
  name    str (N)               lower case words with spaces, "battle axe"; drawings of one name are alike in layout
  source  str (N)               fluent, noto, twemoji, game or openclipart
  weight  float32 (N)           how much a drawing should count, 0 to 1
DATA_FOLDER is what fetch.py filled; --few takes only the first N of each source, to try things.
"""

import argparse
import collections
from typing import NamedTuple

import numpy

import clipart
import iconsets
import pictures

# two drawings are alike if their small versions agree at least this much (0 to 1)
ALIKE = 0.6


class Drawing(NamedTuple):
    """A drawing in two sizes, premultiplied alpha in bytes."""

    rgba: numpy.ndarray
    large: numpy.ndarray
    name: str
    source: str
    weight: float

    def mirrored(self):
        return self._replace(rgba=_mirrored(self.rgba), large=_mirrored(self.large))


def _mirrored(pixels):
    return numpy.ascontiguousarray(pixels[:, ::-1])


def collect(data, few=None):
    """All drawings, in a fixed order."""
    sources = [(name, iconsets.emoji_drawings(data, name, few)) for name in iconsets.EMOJI_SETS]
    sources.append(("openclipart", clipart.clipart_drawings(data, few)))
    sources.append(("game", iconsets.game_drawings(data, few)))
    drawings = []
    for source, found in sources:
        before = len(drawings)
        for both, name, weight in found:
            drawings.append(Drawing(*map(pictures.to_bytes, both), name, source, weight))
        print(f"{source}: {len(drawings) - before} drawings", flush=True)
    return drawings


def small_alpha(rgba):
    """The drawing's shape at 16 x 16, 0 to 1."""
    return rgba[..., 3].reshape(16, 6, 16, 6).mean(axis=(1, 3)) / 255


def likeness(first, second):
    """Overlap of two shapes: shared over joint area, 0 to 1."""
    return float(numpy.minimum(first, second).sum() / max(1e-6, numpy.maximum(first, second).sum()))


def small_light(rgba):
    """The drawing's brightness on black at 16 x 16, 0 to 1."""
    return rgba[..., :3].mean(axis=2).reshape(16, 6, 16, 6).mean(axis=(1, 3)) / 255


def saturation(rgba):
    """Mean difference between the strongest and the weakest colour channel where the drawing is opaque, 0 to 1."""
    opaque = rgba[rgba[..., 3] > 128].astype(numpy.float32)
    if len(opaque) == 0:
        return 0.0
    return float((opaque[:, :3].max(axis=1) - opaque[:, :3].min(axis=1)).mean() / 255)


def model_of(group):
    """The drawing that the others of its name are compared with: of the emoji, if any, the most like the others."""
    emoji = [drawing for drawing in group if drawing.source in iconsets.EMOJI_SETS]
    shapes = [small_alpha(drawing.rgba) for drawing in emoji]
    if not emoji:
        return group[0]
    sums = [sum(max(likeness(one, other), likeness(one, other[:, ::-1])) for other in shapes) for one in shapes]
    return emoji[int(numpy.argmax(sums))]


def align(drawings):
    """Make drawings of one name alike: mirror those that face the other way, drop or weaken those laid out differently.

    Means of different layouts are mush: a drawing that overlaps the name's model too little is left out; emoji,
    which are few and clean, count less instead. Uncoloured clip art is left out where the model has colours.
    """
    groups = collections.defaultdict(list)
    for drawing in drawings:
        groups[drawing.name].append(drawing)
    kept = []
    for name in sorted(groups):
        model = model_of(groups[name])
        shape = small_alpha(model.rgba)
        light = small_light(model.rgba)
        coloured = saturation(model.rgba) > 0.2

        def agrees(rgba):
            return likeness(shape, small_alpha(rgba)) - numpy.abs(light - small_light(rgba)).mean()

        for drawing in groups[name]:
            if drawing is not model:
                other = drawing.mirrored()
                # a small gain is chance: symmetric things stay as they are
                if agrees(other.rgba) > agrees(drawing.rgba) + 0.04:
                    drawing = other
                if likeness(shape, small_alpha(drawing.rgba)) < ALIKE:
                    if drawing.source not in iconsets.EMOJI_SETS:
                        continue
                    drawing = drawing._replace(weight=drawing.weight * 0.4)
                if drawing.source == "openclipart" and coloured and saturation(drawing.rgba) < 0.06:
                    continue
            kept.append(drawing)
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", metavar="DATA_FOLDER")
    parser.add_argument("out", metavar="OUT.npz")
    parser.add_argument("--few", type=int, metavar="N")
    options = parser.parse_args()
    drawings = collect(options.data, options.few)
    kept = align(drawings)
    numpy.savez_compressed(
        options.out,
        rgba=numpy.stack([drawing.rgba for drawing in kept]),
        large=numpy.stack([drawing.large for drawing in kept]),
        name=numpy.array([drawing.name for drawing in kept]),
        source=numpy.array([drawing.source for drawing in kept]),
        weight=numpy.array([drawing.weight for drawing in kept], numpy.float32),
    )
    print(f"{len(kept)} of {len(drawings)} drawings, {len({drawing.name for drawing in kept})} names")


if __name__ == "__main__":
    main()
