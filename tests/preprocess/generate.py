"""Makes the reference for tests of the picture preprocessing: `python generate.py`, with Pillow and numpy.

A small picture with a smooth part, hard edges and noise, as each rule prepares it: `RULE-INTERPOLATION-SIDE.png`.
"""
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

here = Path(__file__).parent


def picture():
    draws = np.random.default_rng(7)
    y, x = np.mgrid[0:41, 0:58]
    smooth = np.stack([127 + 120 * np.sin(x / 9), 127 + 120 * np.cos(y / 7), 4.3 * x], -1)
    smooth[:, 20:26] = [255, 0, 40]
    smooth[10:14] = [0, 255, 255]
    smooth[20:, 30:] = draws.uniform(0, 255, smooth[20:, 30:].shape)
    return Image.fromarray(smooth.clip(0, 255).astype(np.uint8))


def padded(image, side, offset):
    whole = Image.new("RGB", (side, side))
    whole.paste(image, offset)
    return whole


def prepared(image, rule, method, side):
    """As torchvision and open_clip do it: Resize(side) and CenterCrop, Resize((side, side)), or the longest side and black."""
    width, height = image.size
    if rule == "squash":
        return image.resize((side, side), method)
    if rule == "longest":
        ratio = max(width, height) / side
        size = [round(width / ratio), round(height / ratio)]
        image = image.resize(size, method)
        return padded(image, side, [(side - s) // 2 for s in size])
    shorter, longer = sorted([width, height])
    size = (side, int(side * longer / shorter)) if width <= height else (int(side * longer / shorter), side)
    image = image.resize(size, method)
    left, top = [int(round((s - side) / 2)) for s in size]
    return image.crop((left, top, left + side, top + side))


image = picture()
image.save(here / "picture.png")
# JPEG: progressive, with the colours at half the resolution; and grey.
for name, mode, options in [("colour", "RGB", {"progressive": True, "subsampling": 2}), ("grey", "L", {})]:
    path = here / f"{name}.jpg"
    image.convert(mode).save(path, quality=80, **options)
    Image.open(path).convert("RGB").save(here / f"{name}.jpg.png")
# Other kinds of pictures: through what is transparent white is seen, what the camera says of its orientation is done.
alpha = Image.fromarray((np.indices((41, 58)).sum(0) * 255 // 97).astype(np.uint8))
clear = image.copy()
clear.putalpha(alpha)
clear.save(here / "clear.png")
clear.convert("LA").save(here / "grey-clear.png")
image.quantize(32).save(here / "palette.png", transparency=3)
image.quantize(32).save(here / "palette.gif")
clear.save(here / "clear.webp", lossless=True, exact=True)
exif = Image.Exif()
exif[0x0112] = 6
image.save(here / "turned.jpg", quality=80, exif=exif)
for name in ["clear.png", "grey-clear.png", "palette.png", "palette.gif", "clear.webp", "turned.jpg"]:
    seen = ImageOps.exif_transpose(Image.open(here / name)).convert("RGBA")
    Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB").save(here / f"{name}.png")
for rule in ["shortest", "squash", "longest"]:
    for name, method in [("bicubic", Image.Resampling.BICUBIC), ("bilinear", Image.Resampling.BILINEAR)]:
        # Down, up, and one side alone.
        for side in [16, 64, 41]:
            prepared(image, rule, method, side).save(here / f"{rule}-{name}-{side}.png")
            turned = prepared(image.transpose(Image.Transpose.TRANSPOSE), rule, method, side)
            if side == 16:
                turned.save(here / f"{rule}-{name}-{side}-turned.png")
