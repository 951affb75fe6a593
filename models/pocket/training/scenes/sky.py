"""Skies and what hangs in them."""
import numpy as np

from .canvas import grid, mix

# Colours from the top of the picture to the horizon.
SKIES = {
    "day": [(70, 135, 220), (140, 195, 245), (215, 236, 250)],
    "sunset": [(70, 40, 105), (215, 75, 75), (252, 190, 85)],
    "sunrise": [(110, 150, 215), (245, 175, 165), (255, 232, 160)],
    "night": [(6, 10, 34), (18, 28, 72), (42, 56, 110)],
    "storm": [(38, 42, 54), (74, 80, 94), (120, 126, 134)],
    "grey": [(150, 156, 164), (178, 184, 190), (206, 210, 214)],
    "dread": [(34, 14, 52), (120, 24, 60), (232, 84, 44)],
}

# What each light does to the colours of the land: (tint, share of it).
LIGHT = {
    "day": ((255, 255, 255), 0.0),
    "sunset": ((120, 40, 50), 0.38),
    "sunrise": ((240, 160, 140), 0.25),
    "night": ((10, 16, 48), 0.62),
    "storm": ((52, 58, 70), 0.45),
    "grey": ((168, 174, 180), 0.35),
    "dread": ((40, 10, 36), 0.6),
}


def lit(colour, kind):
    """A colour of the land under one kind of sky."""
    tint, share = LIGHT[kind]
    return mix(colour, tint, share)


def sky(c, kind, horizon=100):
    """Fill the picture from the top down to the horizon."""
    c.gradient([c.jitter(colour, 6) for colour in SKIES[kind]], 0, max(horizon, 1))


def sun(c, x, y, radius=9, colour=(255, 236, 150)):
    c.glow(x, y, radius * 3.2, colour, 0.7)
    c.ellipse(x, y, radius, fill=colour)


def moon(c, x, y, radius=10):
    c.glow(x, y, radius * 2.6, (200, 210, 240), 0.5)
    c.ellipse(x, y, radius, fill=(246, 244, 224))
    for dx, dy, size in ((-0.3, -0.2, 0.22), (0.3, 0.25, 0.28), (0.15, -0.4, 0.15)):
        c.ellipse(x + dx * radius, y + dy * radius, size * radius, fill=(222, 218, 196))


def stars(c, count, bottom=100, biggest=0.9):
    for _ in range(count):
        size = c.uniform(0.35, biggest)
        c.ellipse(c.uniform(0, 100), c.uniform(0, bottom), size, fill=c.pick([(255, 255, 240), (220, 230, 255)]))


def puff(c, x, y, width, colour=(252, 252, 254)):
    """A cloud with a flat foot and a round top."""
    under = mix(colour, (120, 140, 175), 0.28)
    lobes = [(-0.34, 0.0, 0.2), (-0.14, -0.13, 0.25), (0.12, -0.1, 0.23), (0.34, 0.02, 0.18), (0.0, 0.02, 0.2)]
    for dx, dy, size in lobes:
        c.ellipse(x + dx * width, y + dy * width + 0.05 * width, size * width, size * width * 0.8, fill=under)
    for dx, dy, size in lobes:
        c.ellipse(x + dx * width, y + dy * width, size * width * 0.96, size * width * 0.74, fill=colour)


def cloud_cover(c, colour, bottom, amount=0.5, strength=0.85):
    """Torn clouds over the sky down to a height; amount 0..1 is how much they cover."""
    _, y = grid()
    field = c.noise(octaves=5, wide=0.8, high=1.7)
    mask = np.clip((field - (1 - amount)) * 5, 0, 1) * np.clip((bottom - y) / 12, 0, 1)
    c.blend(mask * strength, colour)


def lightning(c, x, top, bottom, colour=(255, 255, 225), width=1.8):
    """A forked bolt."""
    points = [(x, top)]
    steps = 6
    for step in range(1, steps + 1):
        swing = 6 if step % 2 else -4
        points.append((x + swing + c.uniform(-2, 2), top + (bottom - top) * step / steps))
    fork = [points[3], (points[3][0] - 8, points[3][1] + 8), (points[3][0] - 6, points[3][1] + 18)]
    for shape in (points, fork):
        c.line(shape, (170, 160, 240), width * 2)
    for shape in (points, fork):
        c.line(shape, colour, width)
