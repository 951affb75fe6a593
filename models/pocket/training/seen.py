"""What the networks of photographs say of the drawings.

`python seen.py DRAWINGS.npz SCENES.npz FITTED.npz WORK_FOLDER OUT.npz` shows each name's most typical drawing to the robust networks
of WORK_FOLDER and writes
  name   str (names): the names of text_tower.drawn()
  code   float32 (names, RANK): what they say; 0 where nothing may be seen
  basis  float32 (networks, RANK, LABELS): code @ basis[k] are the logits of network k, less their mean; both together are of
         unit length

What is only drawn comes out soft: the filters see a window at 64 x 64 pixels. What a robust network says of a crisp drawing is said
of crisp pictures alone, so that a small share of it sharpens edges and takes the mottle out of the ground.
"""

import pathlib
import sys

import numpy
import torch

import names
import photographs
import robust
import text_tower
from fit import unit
from image_tower import LABELS, NETWORKS, SIDE

SEED = 5
# numbers that stand for 2 x 1000 logits
RANK = 64
# a drawing's square fills so much of the window
FILL = 0.88
# grounds on which a drawing is shown: an even number, every other one the complement of that before it
GROUNDS = 4
# files of scenes whose drawings are of places, not of things: of water or woods a network would see the drawn outlines
PLACES = ("land", "terrain", "weather", "patterns", "materials", "lettering")


def values(pixels):
    """A picture (height, width, channels; uint8) as torch has it, values 0 to 1."""
    return torch.from_numpy(pixels.transpose(2, 0, 1).astype(numpy.float32) / 255)


def on_grounds(rgba, chance):
    """A drawing (side, side, 4; uint8, premultiplied alpha) in windows (GROUNDS, 3, SIDE, SIDE), values 0 to 1."""
    side = round(SIDE * FILL)
    rim = (SIDE - side) // 2
    seen = torch.zeros(4, SIDE, SIDE)
    seen[:, rim : rim + side, rim : rim + side] = robust.scaled(values(rgba), side, side)
    windows = []
    for _ in range(GROUNDS // 2):
        ground = torch.from_numpy(chance.uniform(0.15, 0.85, (3, 1, 1)).astype(numpy.float32))
        windows += [seen[:3] + (1 - seen[3:]) * below for below in (ground, 1 - ground)]
    return torch.stack(windows)


@torch.inference_mode()
def said(networks, windows):
    """What the networks say of windows that show one thing, of unit length in all, (networks * LABELS)."""
    parts = [unit(unit(robust.said(network, windows).numpy()).mean(axis=0)) for network in networks]
    return numpy.concatenate(parts) * len(networks) ** -0.5


class Pictures:
    """The pictures that fit.py numbers: drawings, then scenes."""

    def __init__(self, drawings, scenes):
        self.drawings = numpy.load(drawings)["large"]
        scenes = numpy.load(scenes)
        self.scenes, self.kinds = scenes["large"], scenes["kind"]

    def windows(self, number):
        """A picture's windows, or None where it shows a place."""
        if number < len(self.drawings):
            return on_grounds(self.drawings[number], numpy.random.default_rng((SEED, number)))
        number -= len(self.drawings)
        if self.kinds[number] in PLACES:
            return None
        return values(self.scenes[number])[None]


def all_said(networks, pictures, typical):
    """What the networks say of these pictures, (pictures, networks * LABELS); zeros of places."""
    rows = numpy.zeros((len(typical), len(networks) * LABELS), numpy.float32)
    for row, number in enumerate(typical):
        windows = pictures.windows(number)
        if windows is not None:
            rows[row] = said(networks, windows)
    return rows


def in_short(rows, weight):
    """(code, basis) of RANK each: the rows, nearly; those of more weight are met better."""
    scale = numpy.sqrt(weight)[:, None].astype(numpy.float32)
    left, sizes, right = numpy.linalg.svd(rows * scale, full_matrices=False)
    return left[:, :RANK] * sizes[:RANK] / scale, right[:RANK]


def main():
    if len(sys.argv) != 6:
        raise SystemExit("usage: seen.py DRAWINGS.npz SCENES.npz FITTED.npz WORK_FOLDER OUT.npz")
    drawings, scenes, fitted, work, out = map(pathlib.Path, sys.argv[1:])
    fitted = dict(numpy.load(fitted))
    listed, _, typical, _ = text_tower.drawn(fitted, names.load_aliases())
    networks = [photographs.network(number, SIDE, work / f"robust{number}.pth") for number in NETWORKS]
    rows = all_said(networks, Pictures(drawings, scenes), typical)
    # What has been drawn often is asked for often.
    known, count = numpy.unique(fitted["name"], return_counts=True)
    times = dict(zip(known.tolist(), count))
    code, basis = in_short(rows, numpy.array([times.get(name, 1) for name in listed]))
    again = (rows * (code @ basis)).sum(axis=1)[rows.any(axis=1)]
    numpy.savez(out, name=numpy.array(listed), code=code, basis=basis.reshape(RANK, len(NETWORKS), LABELS).swapaxes(0, 1))
    print(f"{len(again)} of {len(listed)} drawings; of what is said, {again.mean():.2f} is kept")


if __name__ == "__main__":
    main()
