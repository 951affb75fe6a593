"""Small picture helpers: all work on float32 arrays (height, width, 4), premultiplied alpha, values 0 to 1."""

import io

import numpy
import resvg_py
from PIL import Image

SIDE = 96  # pixels; the drawings' square, for the filters
LARGE = 144  # and for the networks of photographs


def from_image(image):
    """A PIL image as premultiplied float array."""
    pixels = numpy.asarray(image.convert("RGBA"), dtype=numpy.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    return pixels


def from_svg(body, width, height, side=128):
    """Draw an SVG body (the inside of <svg>) of the given box so that it is `side` pixels wide."""
    text = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="0 0 {width} {height}" width="{side}" height="{round(side * height / width)}">{body}</svg>'
    )
    return from_image(Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text)))))


def resize(pixels, width, height):
    """Resample each channel; values stay in 0 to 1 and colours stay at most alpha."""
    shrinks = width < pixels.shape[1]
    method = Image.LANCZOS if shrinks else Image.BICUBIC
    channels = [
        numpy.asarray(Image.fromarray(numpy.ascontiguousarray(pixels[..., channel])).resize((width, height), method))
        for channel in range(pixels.shape[2])
    ]
    result = numpy.clip(numpy.stack(channels, axis=-1), 0, 1)
    if result.shape[2] == 4:
        result[..., :3] = numpy.minimum(result[..., :3], result[..., 3:])
    return result


def fit(pixels, side=SIDE):
    """Fit the opaque box into a square, centred; None if there is almost nothing to see."""
    rows, columns = numpy.nonzero(pixels[..., 3] > 0.05)
    if len(rows) < 40:
        return None
    pixels = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    width = max(1, round(width * scale))
    height = max(1, round(height * scale))
    result = numpy.zeros((side, side, 4), numpy.float32)
    top = (side - height) // 2
    left = (side - width) // 2
    result[top : top + height, left : left + width] = resize(pixels, width, height)
    return result


def fit_both(pixels, finer=None):
    """The drawing in a square of SIDE and in one of LARGE pixels, the latter from a finer version where there is one; or None."""
    small = fit(pixels)
    return None if small is None else (small, fit(pixels if finer is None else finer, LARGE))


def to_bytes(pixels):
    """Float 0 to 1 -> uint8 0 to 255."""
    return (pixels * 255 + 0.5).astype(numpy.uint8)
