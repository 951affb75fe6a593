"""The drawing surface all scenes share.

Lengths and places are in picture units: x runs 0..100 to the right, y runs 0..100 downwards.
Colours are (red, green, blue) with each part 0..255.
A picture is drawn at 160x160 pixels and area-averaged to 80x80.
"""
import hashlib
import math
import random

import numpy as np
from PIL import Image, ImageDraw

OUT = 80
SIZE = 2 * OUT
UNIT = SIZE / 100

COLOURS = {
    "red": (210, 35, 30),
    "orange": (240, 140, 25),
    "yellow": (245, 220, 50),
    "green": (45, 155, 60),
    "blue": (40, 90, 215),
    "purple": (130, 50, 170),
    "pink": (245, 140, 180),
    "brown": (120, 75, 40),
    "black": (24, 24, 28),
    "white": (245, 245, 245),
    "grey": (130, 130, 134),
    "gold": (230, 182, 55),
    "silver": (192, 198, 205),
    "cyan": (60, 210, 220),
}
STEEL = (178, 186, 198)
IRON = (105, 110, 120)
INK = (22, 20, 26)
BONE = (236, 228, 205)

# Quiet grounds an object is shown on: (upper colour, lower colour).
PALE_GROUNDS = [
    ((226, 230, 234), (196, 202, 208)),
    ((214, 226, 238), (178, 196, 214)),
    ((240, 232, 214), (214, 202, 178)),
    ((216, 230, 214), (182, 202, 182)),
]
DARK_GROUNDS = [
    ((46, 50, 62), (26, 28, 36)),
    ((38, 48, 70), (20, 26, 42)),
    ((58, 46, 50), (32, 24, 30)),
    ((40, 56, 54), (22, 32, 32)),
]


def shade(colour, factor):
    """Darken (factor below 1) or lighten towards white (factor above 1; 2 is white)."""
    if factor <= 1:
        return tuple(int(part * factor) for part in colour)
    return tuple(int(part + (255 - part) * min(1.0, factor - 1)) for part in colour)


def mix(first, second, share):
    """Colour between two; share 0 gives the first, 1 the second."""
    return tuple(int(a + (b - a) * share) for a, b in zip(first, second))


def mirrored(right, centre=50):
    """Closed outline from its right half, given from top to bottom."""
    left = [(2 * centre - x, y) for x, y in reversed(right)]
    return list(right) + left


def flipped(points, centre=50):
    """The points reflected at the vertical line x = centre."""
    return [(2 * centre - x, y) for x, y in points]


def smooth(points, steps=6, closed=False):
    """Catmull-Rom curve through the points."""
    if closed:
        padded = [points[-1]] + list(points) + [points[0], points[1]]
    else:
        padded = [points[0]] + list(points) + [points[-1]]
    out = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:]):
        for step in range(steps):
            t = step / steps
            out.append(tuple(
                0.5 * (2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t ** 3)
                for p, q, r, s in zip(a, b, c, d)
            ))
    if not closed:
        out.append(tuple(points[-1]))
    return out


def ring(cx, cy, rx, ry=None, start=0, stop=360, count=32):
    """Points on an ellipse; degrees run clockwise from the right."""
    ry = rx if ry is None else ry
    angles = [math.radians(start + (stop - start) * i / count) for i in range(count + 1)]
    return [(cx + rx * math.cos(a), cy + ry * math.sin(a)) for a in angles]


class Canvas:
    """One picture with its own random generators, seeded by (seed, name, index)."""

    def __init__(self, seed, name, index):
        digest = hashlib.sha256(f"{seed}/{name}/{index}".encode()).digest()
        self.rng = random.Random(int.from_bytes(digest[:8], "big"))
        self.noise_rng = np.random.default_rng(int.from_bytes(digest[8:16], "big"))
        self.image = Image.new("RGB", (SIZE, SIZE))
        self.pen = ImageDraw.Draw(self.image)

    # Chance ---------------------------------------------------------------

    def uniform(self, low, high):
        return self.rng.uniform(low, high)

    def near(self, value, spread):
        return self.rng.uniform(value - spread, value + spread)

    def pick(self, options):
        return self.rng.choice(list(options))

    def chance(self, share):
        return self.rng.random() < share

    def jitter(self, colour, amount=12):
        """The colour with its brightness and each part moved a little (amount in 0..255)."""
        level = self.rng.uniform(-amount, amount)
        return tuple(int(min(255, max(0, part + level + self.rng.uniform(-amount, amount) / 2))) for part in colour)

    def noise(self, octaves=5, decay=0.55, wide=1.0, high=1.0, start=3):
        """Smooth noise 0..1 of the picture's size; wide/high above 1 make finer grain across/down."""
        total = np.zeros((SIZE, SIZE), np.float32)
        strength = 1.0
        cells = start
        for _ in range(octaves):
            shape = (max(2, int(cells * high)), max(2, int(cells * wide)))
            grid = self.noise_rng.standard_normal(shape).astype(np.float32)
            total += strength * np.asarray(Image.fromarray(grid).resize((SIZE, SIZE), Image.BICUBIC))
            strength *= decay
            cells *= 2
        total -= total.min()
        return total / (total.max() + 1e-6)

    # Whole-picture paint -----------------------------------------------------

    def blend(self, mask, colour):
        """Cover the picture with a colour (or an array of colours) where mask (0..1) says."""
        base = np.asarray(self.image).astype(np.float32)
        alpha = np.clip(mask, 0, 1)[..., None]
        done = base * (1 - alpha) + np.asarray(colour, np.float32) * alpha
        self.image.paste(Image.fromarray((done + 0.5).clip(0, 255).astype(np.uint8)))

    def ramp(self, values, colours, mask=None):
        """Paint values 0..1 through a list of colours."""
        table = np.asarray(colours, np.float32)
        place = np.clip(values, 0, 0.9999) * (len(table) - 1)
        low = place.astype(int)
        part = (place - low)[..., None]
        picture = table[low] * (1 - part) + table[low + 1] * part
        self.blend(np.ones((SIZE, SIZE)) if mask is None else mask, picture)

    def gradient(self, colours, top=0, bottom=100):
        """Bands of colour melting into each other between two heights; nothing above or below."""
        _, y = grid()
        inside = ((y >= top) & (y <= bottom)).astype(np.float32)
        self.ramp((y - top) / (bottom - top), colours, inside)

    def ground(self, choices):
        """A quiet backdrop picked from (upper, lower) colour pairs."""
        upper, lower = self.pick(choices)
        self.gradient([self.jitter(upper, 6), self.jitter(lower, 6)])

    def glow(self, x, y, radius, colour, strength=1.0):
        """Soft light around a place."""
        across, down = grid()
        distance = np.hypot(across - x, down - y) / radius
        self.blend(strength * np.clip(1 - distance, 0, 1) ** 1.5, colour)

    # Shapes --------------------------------------------------------------------

    def polygon(self, points, fill, edge=None, width=1.0):
        scaled = [(x * UNIT, y * UNIT) for x, y in points]
        self.pen.polygon(scaled, fill=fill)
        if edge is not None:
            self.pen.line(scaled + [scaled[0], scaled[1]], fill=edge, width=max(1, round(width * UNIT)), joint="curve")

    def line(self, points, colour, width=1.0):
        scaled = [(x * UNIT, y * UNIT) for x, y in points]
        self.pen.line(scaled, fill=colour, width=max(1, round(width * UNIT)), joint="curve")

    def rect(self, x0, y0, x1, y1, fill, edge=None, width=1.0):
        self.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], fill, edge, width)

    def ellipse(self, x, y, rx, ry=None, fill=None, edge=None, width=1.0):
        ry = rx if ry is None else ry
        box = ((x - rx) * UNIT, (y - ry) * UNIT, (x + rx) * UNIT, (y + ry) * UNIT)
        self.pen.ellipse(box, fill=fill, outline=edge, width=max(1, round(width * UNIT)) if edge else 1)

    def arch(self, x, top, bottom, half, fill, edge=None, width=1.0):
        """Upright opening with a round head: centre x, half its width."""
        head = ring(x, top + half, half, half, 180, 360, 16)
        self.polygon(head + [(x + half, bottom), (x - half, bottom)], fill, edge, width)

    def tube(self, beads, fill, edge=None, width=1.0):
        """A bending limb through (x, y, radius) beads, with an outline."""
        if edge is not None:
            for x, y, radius in beads:
                self.ellipse(x, y, radius + width, fill=edge)
        for x, y, radius in beads:
            self.ellipse(x, y, radius, fill=fill)

    def large(self):
        """The picture as it was drawn, uint8 (160, 160, 3)."""
        return np.asarray(self.image)

    def finished(self):
        """The picture at its final size, uint8 (80, 80, 3)."""
        return np.asarray(self.image.resize((OUT, OUT), Image.BOX))


def grid():
    """Picture-unit places of the pixel centres: x across and y down, each (SIZE, SIZE)."""
    steps = ((np.arange(SIZE) + 0.5) / UNIT).astype(np.float32)
    return np.meshgrid(steps, steps)
