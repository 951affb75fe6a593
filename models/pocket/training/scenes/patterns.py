"""More materials and plain patterns, filling the picture."""
import math

import numpy as np

from .canvas import COLOURS, INK, SIZE, grid, mix, shade, smooth
from .registry import scene


def cells(c, count):
    """Distance to the nearest and the second-nearest of scattered points, and which is nearest."""
    x, y = grid()
    side = int(round(count ** 0.5))
    centres = [((i + 0.5 + c.uniform(-0.34, 0.34)) * 100 / side, (j + 0.5 + c.uniform(-0.34, 0.34)) * 100 / side)
               for i in range(side) for j in range(side)]
    distances = np.stack([np.hypot(x - px, y - py) for px, py in centres])
    order = np.argsort(distances, 0)[:2]
    first, second = np.take_along_axis(distances, order, 0)
    return first, second, order[0]


@scene("rock")
def rock(c):
    first, second, which = cells(c, 16)
    levels = np.array([c.uniform(0.35, 0.9) for _ in range(16)])[which]
    tone = c.jitter((128, 120, 112), 8)
    crack = np.clip((second - first) / 2.6, 0, 1)
    c.ramp((levels * 0.7 + 0.3 * c.noise(6, 0.75)) * (0.25 + 0.75 * crack), [shade(tone, 0.3), tone, shade(tone, 1.35)])
    return "rough rock"


@scene("marble")
def marble(c):
    field = np.abs(c.noise(6, 0.6) - 0.5)
    c.ramp(np.clip(field * 7, 0, 1) ** 0.6, [(112, 116, 124), (206, 206, 208), (240, 240, 238), (246, 246, 244)])
    return "white marble"


@scene("ice")
def ice(c):
    first, second, which = cells(c, 9)
    levels = np.array([c.uniform(0.3, 0.95) for _ in range(9)])[which]
    c.ramp(levels * 0.7 + 0.3 * c.noise(4), [(110, 180, 226), (176, 220, 244), (236, 248, 255)])
    c.blend(np.clip(1 - (second - first) / 2, 0, 1) * 0.95, (252, 254, 255))
    return "blue ice"


@scene("water")
def water(c):
    first, second, _ = cells(c, 25)
    c.ramp(c.noise(3), [(14, 92, 166), (34, 136, 200)])
    c.blend(np.clip(1 - (second - first) / 4.5, 0, 1) ** 1.2, (190, 236, 250))
    return "clear blue water"


@scene("sand")
def sand(c):
    x, y = grid()
    wave = 0.5 + 0.5 * np.sin(y * 0.62 + 5 * c.noise(2) + 0.05 * x)
    tone = c.jitter((224, 188, 124), 8)
    c.ramp(0.75 * wave + 0.25 * c.noise(6, 0.9, 4, 4, 12), [shade(tone, 0.72), tone, shade(tone, 1.35)])
    return "rippled sand"


@scene("gold")
def gold(c):
    x, y = grid()
    sheen = 0.5 + 0.5 * np.sin((x + y) * 0.075 + 4 * c.noise(3, 0.5))
    c.ramp(sheen, [(120, 74, 14), (206, 150, 34), (250, 206, 80), (255, 246, 190)])
    return "shiny gold"


@scene("rust")
def rust(c):
    field = c.noise(6, 0.75, 2, 2)
    c.ramp(field, [(66, 32, 20), (136, 62, 28), (196, 102, 44), (150, 150, 150)])
    return "rusty metal"


@scene("moss")
def moss(c):
    c.rect(0, 0, 100, 100, (28, 58, 22))
    for step in range(260):
        x, y = c.uniform(0, 100), c.uniform(0, 100)
        size = c.uniform(2.4, 5)
        tone = c.jitter(mix((44, 88, 30), (128, 172, 60), step / 260), 10)
        c.ellipse(x, y, size, fill=shade(tone, 0.75))
        c.ellipse(x - 0.6, y - 0.8, size * 0.72, fill=tone)
    return "green moss"


@scene("feathers")
def feathers(c):
    name = c.pick(["white", "blue", "brown"])
    tone = c.jitter({"white": (228, 228, 226), "blue": (52, 104, 186), "brown": (140, 100, 64)}[name], 8)
    c.rect(0, 0, 100, 100, shade(tone, 0.4))
    for row in range(6, -2, -1):
        for column in range(-1, 6):
            x = column * 22 + 11 * (row % 2)
            y = row * 17
            feather = c.jitter(tone, 8)
            shape = smooth([(x - 9, y), (x - 11, y + 12), (x - 6, y + 24), (x, y + 29), (x + 6, y + 24), (x + 11, y + 12), (x + 9, y)], 4)
            c.polygon(shape, feather, shade(tone, 0.35), 1.2)
            c.line([(x, y), (x, y + 27)], shade(feather, 1.5), 1.3)
            for dy in (6, 12, 18, 24):
                for sign in (-1, 1):
                    c.line([(x, y + dy), (x + sign * 7, y + dy - 5)], shade(feather, 0.7), 0.8)
    return f"{name} feathers"


@scene("circuit board")
def circuit(c):
    board = c.jitter(c.pick([(18, 96, 58), (18, 96, 58), (22, 60, 120)]), 6)
    c.rect(0, 0, 100, 100, board)
    copper = c.jitter((222, 190, 90), 8)
    for step in range(6):
        offset = step * 5
        for sx, sy in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
            start = (50 + sx * 18, 50 + sy * (4 + offset * 0.5))
            turn = (50 + sx * (24 + offset * 0.7), 50 + sy * (4 + offset * 0.5))
            stop = (50 + sx * (30 + offset * 1.1), 50 + sy * (12 + offset * 1.6))
            last = (50 + sx * 49, stop[1]) if step % 2 else (stop[0], 50 + sy * 48)
            c.line([start, turn, stop, last], copper, 1)
            c.ellipse(*last, 1.8, fill=copper)
    c.rect(31, 31, 69, 69, (30, 32, 38), INK, 1.2)
    c.rect(37, 37, 63, 63, (58, 62, 70))
    for step in range(6):
        at = 34 + step * 6.2
        for box in ((at, 27, at + 3, 31), (at, 69, at + 3, 73), (27, at, 31, at + 3), (69, at, 73, at + 3)):
            c.rect(*box, (214, 218, 224))
    for x, y, tone in ((10, 16, (40, 42, 48)), (90, 84, (40, 42, 48)), (10, 86, (190, 60, 50)), (90, 14, (220, 220, 224))):
        c.rect(x - 6, y - 4, x + 6, y + 4, tone, INK, 0.9)
    return "green circuit board" if board[1] > board[2] else "blue circuit board"


PAIRS = [("black", "white"), ("red", "white"), ("blue", "yellow"), ("green", "white"), ("purple", "orange"), ("black", "yellow")]


@scene("stripes")
def stripes(c):
    first, second = c.pick(PAIRS)
    c.rect(0, 0, 100, 100, COLOURS[second])
    for step in range(5):
        c.rect(step * 20, 0, step * 20 + 10, 100, COLOURS[first])
    return f"{first} and {second} stripes"


@scene("slanted stripes", "diagonal stripes")
def slanted(c):
    first, second = c.pick(PAIRS)
    c.rect(0, 0, 100, 100, COLOURS[second])
    for step in range(-5, 6):
        x = step * 20
        c.polygon([(x, 100), (x + 10, 100), (x + 110, 0), (x + 100, 0)], COLOURS[first])
    return f"{first} and {second} diagonal stripes"


@scene("checkerboard")
def checkerboard(c):
    first, second = c.pick(PAIRS[:1] * 3 + PAIRS)
    c.rect(0, 0, 100, 100, COLOURS[second])
    for row in range(8):
        for column in range(8):
            if (row + column) % 2:
                c.rect(column * 12.5, row * 12.5, column * 12.5 + 12.5, row * 12.5 + 12.5, COLOURS[first])
    return f"{first} and {second} checkerboard"


@scene("dots")
def dots(c):
    first, second = c.pick(PAIRS)
    c.rect(0, 0, 100, 100, COLOURS[second])
    for row in range(6):
        for column in range(6):
            c.ellipse(column * 20 + 10 * (row % 2), row * 20, 6.5, fill=COLOURS[first])
    return f"{first} dots on {second}"


@scene("noise")
def noise(c):
    speckle = c.noise_rng.random((SIZE // 4, SIZE // 4))
    c.ramp(np.kron(speckle, np.ones((4, 4))), [(16, 16, 18), (244, 244, 244)])
    return "black and white noise"


@scene("spiral")
def spiral(c):
    first, second = c.pick(PAIRS)
    c.rect(0, 0, 100, 100, COLOURS[second])
    points = []
    for step in range(240):
        a = step / 240 * 8 * math.pi
        reach = 2 + step / 240 * 62
        points.append((50 + reach * math.cos(a), 50 + reach * math.sin(a)))
    c.line(points, COLOURS[first], 6)
    return f"{first} spiral on {second}"
