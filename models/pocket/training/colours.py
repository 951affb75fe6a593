"""What words for colours add to an embedding.

`python colours.py DRAWINGS.npz FITTED.npz OUT.npz` paints drawings in each colour of words.toml and writes
  word    str (colours)
  change  float32 (colours, dimensions): the mean difference between the embeddings of the painted and the plain drawings
"""

import argparse

import numpy

import features
import fit
import views
from words import TABLES

SEED = 23
DRAWINGS = 600
# how much of a thing's own colour a painter covers
COVER = 0.85


def painted(colour):
    """A function that paints premultiplied channels (4, side, side) in a colour (0 to 255), keeping light and shade."""
    full = numpy.array(colour, numpy.float32)[:, None, None] / 255

    def paint(pixels):
        alpha = pixels[3:]
        light = numpy.tensordot((0.3, 0.59, 0.11), pixels[:3], 1)[None] / numpy.maximum(alpha, 1e-3)
        shaded = full * (0.35 + 0.75 * numpy.clip(light, 0, 1))
        mixed = COVER * numpy.clip(shaded, 0, 1) * alpha + (1 - COVER) * pixels[:3]
        return numpy.concatenate((mixed, alpha)).astype(numpy.float32)

    return paint


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawings", metavar="DRAWINGS.npz")
    parser.add_argument("fitted", metavar="FITTED.npz")
    parser.add_argument("out", metavar="OUT.npz")
    options = parser.parse_args()
    fitted = numpy.load(options.fitted)
    rgba = numpy.load(options.drawings)["rgba"]
    rgba = rgba[:: max(1, len(rgba) // DRAWINGS)]
    extract = features.Extractor()

    def embeddings(tint):
        """Of all drawings with one tint; grounds are the same for every tint."""
        chance = numpy.random.default_rng(SEED)
        windows = numpy.stack([views.drawing_view(pixels, views.ground(chance), chance, tint) for pixels in rgba])
        return fit.anchored(extract(windows.astype(numpy.float32)) @ fitted["templates"].T + fitted["bias"])

    plain = embeddings(None)
    changes = [(embeddings(painted(colour)) - plain).mean(axis=0) for colour in TABLES["colours"].values()]
    numpy.savez(options.out, word=numpy.array(list(TABLES["colours"])), change=numpy.stack(changes))
    sizes = numpy.linalg.norm(changes, axis=1)
    print(f"{len(sizes)} colours, changes of length {sizes.min():.2f} to {sizes.max():.2f}")


if __name__ == "__main__":
    main()
