"""Contact sheets of a drawings file, to look at.

`python sheet.py DRAWINGS.npz OUT.png [--seed S] [--source X] [--names "a,b"] [--count N]`
"""

import argparse
import random

import numpy
from PIL import Image, ImageDraw

SIDE = 96
TEXT = 12
COLUMNS = 16


def sheet(rgba, labels):
    """Drawings on mid grey, in rows of COLUMNS, each with its label below."""
    rows = -(-len(rgba) // COLUMNS)
    paper = Image.new("RGB", (COLUMNS * SIDE, rows * (SIDE + TEXT)), (150, 160, 170))
    draw = ImageDraw.Draw(paper)
    for index, (pixels, label) in enumerate(zip(rgba, labels)):
        left = index % COLUMNS * SIDE
        top = index // COLUMNS * (SIDE + TEXT)
        ground = numpy.full((SIDE, SIDE, 3), (150, 160, 170), numpy.float32)
        mixed = pixels[..., :3] + ground * (1 - pixels[..., 3:].astype(numpy.float32) / 255)
        paper.paste(Image.fromarray(mixed.clip(0, 255).astype(numpy.uint8)), (left, top))
        draw.text((left, top + SIDE), label[:17], fill=(0, 0, 0))
    return paper


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("drawings")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--source")
    parser.add_argument("--names", help="comma-separated names: all drawings of each")
    parser.add_argument("--count", type=int, default=192)
    options = parser.parse_args()
    content = numpy.load(options.drawings)
    rgba, names, sources = content["rgba"], content["name"], content["source"]
    wanted = [index for index in range(len(names)) if options.source in (None, sources[index])]
    if options.names:
        picked = options.names.split(",")
        wanted = [index for name in picked for index in wanted if names[index] == name]
    else:
        wanted = sorted(random.Random(options.seed).sample(wanted, min(options.count, len(wanted))))
    sheet(rgba[wanted], [f"{sources[index][0]} {names[index]}" for index in wanted]).save(options.out)


if __name__ == "__main__":
    main()
