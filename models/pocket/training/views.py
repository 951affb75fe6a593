"""Views: drawings and scenes as 64 x 64 windows, the way a renderer's windows would show them.

Values are float32, 0 to 1. All randomness comes from the generator handed in.
"""

import math

import numpy
from scipy import ndimage

from image_tower import WINDOW

# share of the window's side that a drawing's box fills
FILL = (0.8, 0.92)
TURN = 0.06  # radians; standard deviation
OFFSET = 0.02  # of the window's side; standard deviation


def ground(chance):
    """A quiet ground, (3, WINDOW, WINDOW): one colour that goes over into a similar one."""
    first = chance.uniform(0.1, 0.9, 3)
    second = numpy.clip(first + chance.normal(0, 0.15, 3), 0, 1)
    angle = chance.uniform(0, 2 * math.pi)
    steps = numpy.linspace(-1, 1, WINDOW)
    ramp = numpy.clip(0.5 + 0.4 * (math.cos(angle) * steps[None, :] + math.sin(angle) * steps[:, None]), 0, 1)
    return (first[:, None, None] * (1 - ramp) + second[:, None, None] * ramp).astype(numpy.float32)


def _seen(pixels, scale, turn, offset):
    """Sample channels (n, side, side) so that the picture fills `scale` of the window, turned and moved.

    What lies outside the picture repeats its border. The picture is blurred first where it shrinks.
    """
    side = pixels.shape[-1]
    step = side / (WINDOW * scale)
    if step > 1:
        pixels = ndimage.gaussian_filter(pixels, (0, 0.45 * step, 0.45 * step))
    cosine = math.cos(turn) * step
    sine = math.sin(turn) * step
    matrix = numpy.array(((cosine, -sine), (sine, cosine)))
    middle = numpy.full(2, (WINDOW - 1) / 2)
    start = numpy.full(2, (side - 1) / 2) - matrix @ (middle + numpy.asarray(offset) * WINDOW)
    return numpy.stack(
        [
            ndimage.affine_transform(channel, matrix, start, (WINDOW, WINDOW), order=1, mode="nearest")
            for channel in pixels
        ]
    )


def drawing_view(rgba, below, chance, tint=None):
    """A drawing (side, side, 4; uint8, premultiplied alpha) on a ground (3, WINDOW, WINDOW), like the ground."""
    pixels = rgba.transpose(2, 0, 1).astype(numpy.float32) / 255
    if tint is not None:
        pixels = tint(pixels)
    # the box touches its square's sides: without a rim the border would be repeated
    pixels = numpy.pad(pixels, ((0, 0), (2, 2), (2, 2)))
    scale = chance.uniform(*FILL)
    seen = _seen(pixels, scale, chance.normal(0, TURN), chance.normal(0, OFFSET, 2))
    return numpy.clip(below * (1 - seen[3:]) + seen[:3], 0, 1)


def scene_view(rgb, chance):
    """A scene (side, side, 3; uint8) that fills the window, (3, WINDOW, WINDOW)."""
    pixels = rgb.transpose(2, 0, 1).astype(numpy.float32) / 255
    scale = chance.uniform(1.0, 1.08)
    return numpy.clip(_seen(pixels, scale, chance.normal(0, TURN / 2), chance.normal(0, OFFSET, 2)), 0, 1)
