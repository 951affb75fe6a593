"""Pieces of land other scenes use: peaks, hills, trees, water."""
import math

from .canvas import mix, mirrored, shade
from .registry import scene
from .sky import lit, puff, sky, sun

SNOW = (246, 249, 253)


def peak(c, x, top, foot, half, colour, snow=None, snow_share=0.34):
    """A sharp mountain: bright left face, dark right face, an optional white cap."""
    height = foot - top

    def side(sign):
        points = []
        for share in (0.2, 0.4, 0.6, 0.8):
            points.append((x + sign * half * (share + c.uniform(-0.05, 0.05)), top + height * share))
        return points + [(x + sign * half, foot)]

    left = side(-1)
    right = side(1)
    spine = [(x + half * dx, top + height * share) for dx, share in ((0.02, 0.25), (-0.12, 0.45), (0.08, 0.7), (-0.02, 1))]
    c.polygon([(x, top)] + left + spine[::-1], shade(colour, 1.12))
    c.polygon([(x, top)] + right + spine[::-1], shade(colour, 0.62))
    if snow:
        share = snow_share

        def cap(sign, dx, down):
            return (x + sign * half * dx * share, top + height * share * down)

        bright = [(x, top), cap(-1, 1, 1), cap(-1, 0.6, 0.8), cap(-1, 0.35, 1.3), cap(1, 0.05, 0.95)]
        dim = [(x, top), cap(1, 1, 1), cap(1, 0.62, 0.85), cap(1, 0.4, 1.35), cap(1, 0.05, 0.95)]
        c.polygon(bright, snow)
        c.polygon(dim, mix(snow, (110, 130, 175), 0.4))


def three_peaks(c, foot, colour, snow=None, top=16, snow_share=0.34):
    """The standard range: one tall peak between two lower ones."""
    far = mix(colour, (190, 205, 225), 0.3)
    peak(c, c.near(16, 4), top + c.near(20, 4), foot, 34, far, snow, snow_share)
    peak(c, c.near(84, 4), top + c.near(16, 4), foot, 36, far, snow, snow_share)
    peak(c, c.near(49, 4), top, foot, 42, colour, snow, snow_share)


def rolling(c, height, swing, colour, phase=None, waves=1.5):
    """A smooth hill line at a height, filled to the bottom."""
    phase = c.uniform(0, 6.28) if phase is None else phase
    line = []
    for x in range(0, 101, 4):
        line.append((x, height + swing * math.sin(phase + x / 100 * 6.28 * waves)))
    c.polygon(line + [(100, 100), (0, 100)], colour)


def ragged(c, height, swing, colour, steps=14):
    """A broken rocky edge filled to the bottom."""
    line = [(100 * i / steps, height + c.uniform(-swing, swing)) for i in range(steps + 1)]
    c.polygon(line + [(100, 100), (0, 100)], colour)


def pine(c, x, foot, height, colour):
    c.rect(x - height * 0.045, foot - height * 0.16, x + height * 0.045, foot, (84, 56, 34))
    for tier in range(3):
        low = foot - height * (0.12 + 0.26 * tier)
        half = height * (0.3 - 0.07 * tier)
        tone = shade(colour, 1 + 0.1 * tier)
        c.polygon([(x - half, low), (x, low - height * 0.42), (x, low)], shade(tone, 1.12))
        c.polygon([(x + half, low), (x, low - height * 0.42), (x, low)], shade(tone, 0.75))


def leafy(c, x, foot, height, colour, trunk=(98, 66, 40)):
    c.polygon(
        [(x - height * 0.06, foot), (x + height * 0.06, foot), (x + height * 0.04, foot - height * 0.5),
         (x - height * 0.04, foot - height * 0.5)], trunk)
    lobes = [(-0.2, 0.55, 0.18), (0.2, 0.55, 0.18), (0, 0.52, 0.2), (-0.12, 0.76, 0.18), (0.12, 0.76, 0.18),
             (0, 0.88, 0.13)]
    for dx, up, size in lobes:
        c.ellipse(x + dx * height + 0.02 * height, foot - (up - 0.03) * height, size * height, fill=shade(colour, 0.66))
    for dx, up, size in lobes:
        c.ellipse(x + (dx - 0.02) * height, foot - (up + 0.01) * height, size * height * 0.86, fill=c.jitter(colour, 10))


def palm(c, x, foot, height, green=(50, 150, 60)):
    """A palm leaning a little to the right."""
    crown = (x + height * 0.16, foot - height)
    stem = [(x + height * 0.16 * t * t, foot - height * t) for t in (0, 0.25, 0.5, 0.75, 1)]
    c.line(stem, (112, 78, 46), height * 0.08)
    for angle in (-170, -140, -105, -70, -40, -10):
        turn = math.radians(angle)
        reach = height * 0.52
        middle = (crown[0] + reach * 0.55 * math.cos(turn), crown[1] + reach * 0.55 * math.sin(turn) - 2)
        tip = (crown[0] + reach * math.cos(turn), crown[1] + reach * 0.6 * math.sin(turn) + height * 0.14)
        under = (middle[0], middle[1] + height * 0.1)
        c.polygon([crown, middle, tip, under], shade(green, 0.75 if angle > -90 else 1.05))


def water(c, top, colour, light=(225, 240, 250), waves=9):
    """Still water from a height to the bottom, with short glints."""
    c.gradient([mix(colour, light, 0.3), colour, shade(colour, 0.7)], top, 100)
    for row in range(waves):
        share = (row + 0.5) / waves
        y = top + (100 - top) * share ** 1.3
        for _ in range(3):
            x = c.uniform(-5, 95)
            half = 4 + 10 * share
            c.line([(x - half, y), (x + half, y)], mix(colour, light, 0.55), 0.7 + share)


def billows(c, top, colour, rows=6, swing=4.5):
    """Rows of waves with white crests, growing towards the viewer."""
    for row in range(rows):
        share = row / rows
        y = top + (100 - top) * share ** 1.15
        size = swing * (0.35 + 1.1 * share)
        length = 13 + 22 * share
        phase = c.uniform(0, 1)
        crest = []
        for step in range(0, 103, 2):
            wave = (step / length + phase) % 1
            crest.append((step, y - size * (1 - abs(2 * wave - 1)) ** 1.6))
        tone = mix(shade(colour, 1.3), shade(colour, 0.6), share)
        c.polygon(crest + [(102, 100), (0, 100)], tone)
        c.line(crest, (235, 246, 250), 0.9 + 1.1 * share)


def cliffs(points, centre=50):
    """Kept for symmetric rocks: outline from its right half."""
    return mirrored(points, centre)


@scene("hills")
def hills(c):
    sky(c, "day", 70)
    puff(c, c.near(25, 6), c.near(18, 4), 28)
    puff(c, c.near(74, 6), c.near(26, 4), 24)
    for step, height in enumerate((48, 60, 74)):
        rolling(c, height, 6, c.jitter(mix((150, 200, 110), (62, 138, 52), step / 2)), phase=1.2 + 2.1 * step)


@scene("green hills at sunset")
def hills_sunset(c):
    sky(c, "sunset", 62)
    sun(c, c.near(50, 8), 42, 9)
    for step, height in enumerate((50, 62, 76)):
        rolling(c, height, 6, lit(c.jitter(mix((150, 200, 110), (62, 138, 52), step / 2)), "sunset"), 1.2 + 2.1 * step)
