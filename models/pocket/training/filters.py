"""The fixed part of the image tower: oriented filters. Nothing here is learned.

A pair of Gabor filters (even and odd) answers an edge or a line of one orientation and width; the root of the sum of their
squares, the energy, does not depend on where exactly the edge is. That is the first layer of a scattering transform
(Bruna and Mallat, 2013); its gradient draws closed outlines.
"""

import math

import numpy

SIDE = 7  # pixels; the filters' square
ORIENTATIONS = 4
WAVELENGTH = 4.5  # pixels
SPREAD = 1.9  # pixels; the standard deviation of the Gaussian window

# rows: light, red against green, yellow against blue; columns: red, green, blue of a picture in -1 to 1
OPPONENT = numpy.array(((1 / 3, 1 / 3, 1 / 3), (0.5, -0.5, 0.0), (0.25, 0.25, -0.5)), numpy.float32)


def gabors():
    """The filters, float32 (2 * ORIENTATIONS, 1, SIDE, SIDE): all even ones, then all odd ones; each of unit length."""
    steps = numpy.arange(SIDE) - SIDE // 2
    y, x = numpy.meshgrid(steps, steps, indexing="ij")
    window = numpy.exp(-(x * x + y * y) / (2 * SPREAD**2))
    even = []
    odd = []
    for index in range(ORIENTATIONS):
        angle = math.pi * index / ORIENTATIONS
        across = (x * math.cos(angle) + y * math.sin(angle)) * 2 * math.pi / WAVELENGTH
        wave = window * numpy.cos(across)
        # an even filter must not answer to plain grey
        wave -= window * wave.sum() / window.sum()
        even.append(wave)
        odd.append(window * numpy.sin(across))
    filters = numpy.stack(even + odd)
    filters /= numpy.sqrt((filters**2).sum(axis=(1, 2), keepdims=True))
    return filters[:, None].astype(numpy.float32)


def pairs():
    """A 1x1 convolution that adds the squares of each pair: float32 (ORIENTATIONS, 2 * ORIENTATIONS, 1, 1)."""
    one = numpy.eye(ORIENTATIONS, dtype=numpy.float32)
    return numpy.concatenate((one, one), axis=1)[:, :, None, None]
