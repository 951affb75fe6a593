"""Draw the scenes: python -m scenes OUT.npz [--seed 7] [--each 24] [--sheet SHEET.png]"""
import argparse

import numpy as np
from PIL import Image

from . import SCENES, kind, picture
from .canvas import OUT

SHEET_COLUMNS = 14


def contact_sheet(pictures, columns):
    """One image with all pictures in rows, two pixels apart."""
    step = OUT + 2
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * step, columns * step, 3), 255, np.uint8)
    for place, pixels in enumerate(pictures):
        top = place // columns * step
        left = place % columns * step
        sheet[top:top + OUT, left:left + OUT] = pixels
    return Image.fromarray(sheet)


def main():
    parser = argparse.ArgumentParser(prog="scenes", description=__doc__)
    parser.add_argument("out", help="the .npz to write: rgb, large, caption, name, kind")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--each", type=int, default=24, help="pictures per name")
    parser.add_argument("--only", help="names to draw, separated by commas")
    parser.add_argument("--sheet", help="also write a contact sheet (first picture of each name, or all with --only)")
    options = parser.parse_args()

    names = options.only.split(",") if options.only else list(SCENES)
    rgb, large, captions, owners = [], [], [], []
    for name in names:
        for index in range(options.each):
            pixels, drawn, caption = picture(options.seed, name, index)
            rgb.append(pixels)
            large.append(drawn)
            captions.append(caption)
            owners.append(name)
    np.savez_compressed(
        options.out, rgb=np.stack(rgb), large=np.stack(large), caption=np.array(captions), name=np.array(owners),
        kind=np.array([kind(name) for name in owners]),
    )
    if options.sheet and options.only:
        contact_sheet(rgb, options.each).save(options.sheet)
    elif options.sheet:
        contact_sheet(rgb[::options.each], SHEET_COLUMNS).save(options.sheet)
    print(f"{len(rgb)} pictures of {len(names)} names")


if __name__ == "__main__":
    main()
