"""Robots, gears and engines."""
import math

from .canvas import DARK_GROUNDS, INK, PALE_GROUNDS, mirrored, ring, shade, smooth
from .registry import scene
from .sky import stars


def gear(c, x, y, radius, teeth, metal, turn=0.0, edge=INK, hole=None):
    """A cog wheel with square teeth, a spoked middle and a hub; turn in degrees."""
    points = []
    step = 360 / teeth
    for tooth in range(teeth):
        start = turn + tooth * step
        for offset, reach in ((0, 0.82), (0.12, 1.0), (0.42, 1.0), (0.54, 0.82)):
            a = math.radians(start + offset * step)
            points.append((x + radius * reach * math.cos(a), y + radius * reach * math.sin(a)))
    c.polygon([(px + 0.9, py + 1.3) for px, py in points], shade(metal, 0.3))
    c.polygon(points, metal, edge, 1.3)
    c.ellipse(x, y, radius * 0.66, edge=shade(metal, 1.5), width=1.1)
    for place in range(5):
        a = math.radians(turn + place * 72)
        c.ellipse(x + radius * 0.46 * math.cos(a), y + radius * 0.46 * math.sin(a), radius * 0.145,
                  fill=hole or shade(metal, 0.3), edge=edge, width=0.8)
    c.ellipse(x, y, radius * 0.24, fill=shade(metal, 1.4), edge=edge, width=1)
    c.ellipse(x, y, radius * 0.11, fill=(20, 20, 24))


def bolt(c, x, y, size, metal=(196, 200, 208)):
    c.polygon(ring(x, y, size, size, 15, 375, 6), metal, INK, 0.8)
    c.line([(x - size * 0.5, y - size * 0.3), (x + size * 0.5, y + size * 0.3)], (50, 52, 60), 0.9)


def pipe(c, points, radius, metal):
    """A pipe with a light stripe and a dark lower side."""
    c.line(points, INK, radius * 2 + 1.6)
    c.line(points, shade(metal, 0.6), radius * 2)
    c.line(points, metal, radius * 1.3)
    c.line([(x - radius * 0.25, y - radius * 0.25) for x, y in points], shade(metal, 1.55), radius * 0.45)


def robot(c, x, foot, size, body, eye, edge=INK):
    """A frontal robot: square head, round lit eyes, antenna, boxy body, clawed arms, legs. size is its height."""

    def at(dx, up):
        return (x + dx * size, foot - up * size)

    def box(dx0, up0, dx1, up1, tone, width=1.3):
        c.polygon([at(dx0, up0), at(dx1, up0), at(dx1, up1), at(dx0, up1)], tone, edge, width)

    dark = shade(body, 0.55)
    c.line([at(0, 0.88), at(0, 0.97)], edge, 1.8)
    c.ellipse(*at(0, 0.965), size * 0.035, fill=(230, 40, 40), edge=edge, width=0.9)
    for sign in (-1, 1):
        box(sign * 0.07, 0.22, sign * 0.17, 0.05, dark)
        box(sign * 0.05, 0.06, sign * 0.21, 0.0, body)
        box(sign * 0.27, 0.54, sign * 0.37, 0.30, dark)
        c.ellipse(*at(sign * 0.31, 0.54), size * 0.065, fill=body, edge=edge, width=1.2)
        c.ellipse(*at(sign * 0.32, 0.26), size * 0.06, fill=body, edge=edge, width=1.2)
        c.polygon([at(sign * 0.32, 0.27), at(sign * 0.28, 0.19), at(sign * 0.36, 0.19)], edge)
        box(sign * 0.27, 0.78, sign * 0.32, 0.68, dark, 1)
    box(-0.25, 0.56, 0.25, 0.2, body, 1.5)
    c.polygon([at(0.15, 0.555), at(0.245, 0.555), at(0.245, 0.205), at(0.15, 0.205)], shade(body, 0.75))
    box(-0.16, 0.49, 0.16, 0.33, (40, 46, 58), 1)
    for place, tone in enumerate(((230, 60, 50), (250, 210, 60), (70, 200, 90))):
        c.ellipse(*at(-0.09 + 0.09 * place, 0.44), size * 0.027, fill=tone)
    c.line([at(-0.11, 0.37), at(0.11, 0.37)], eye, 1.4)
    box(-0.08, 0.6, 0.08, 0.55, dark, 1)
    box(-0.27, 0.88, 0.27, 0.59, shade(body, 1.15), 1.6)
    c.polygon([at(0.18, 0.875), at(0.265, 0.875), at(0.265, 0.595), at(0.18, 0.595)], shade(body, 0.82))
    for sign in (-1, 1):
        c.ellipse(*at(sign * 0.125, 0.765), size * 0.088, fill=(24, 26, 34))
        c.ellipse(*at(sign * 0.125, 0.765), size * 0.062, fill=eye)
        c.ellipse(*at(sign * 0.125 - 0.015, 0.78), size * 0.022, fill=(255, 255, 255))
    box(-0.16, 0.675, 0.16, 0.625, (30, 32, 40), 1)
    for step in range(1, 6):
        c.line([at(-0.16 + 0.053 * step, 0.672), at(-0.16 + 0.053 * step, 0.628)], (200, 206, 214), 0.8)


BODIES = {"grey": (160, 168, 180), "blue": (84, 130, 190), "red": (196, 74, 62), "green": (96, 158, 104),
          "yellow": (228, 186, 70)}
EYES = [(255, 226, 70), (90, 240, 255), (255, 90, 60)]


@scene("robot")
def one_robot(c):
    c.ground(PALE_GROUNDS if c.chance(0.65) else DARK_GROUNDS)
    name = c.pick(["grey", "grey", "blue", "red", "green", "yellow"])
    robot(c, 50, 98, 97, c.jitter(BODIES[name], 8), c.pick(EYES))
    return c.pick([f"{name} robot", "robot with bright eyes"])


@scene("robots")
def robots(c):
    c.ground(PALE_GROUNDS if c.chance(0.65) else DARK_GROUNDS)
    names = c.pick([("grey", "grey", "grey"), ("blue", "grey", "blue"), ("red", "grey", "red"), ("grey", "blue", "grey")])
    eye = c.pick(EYES)
    robot(c, 20, 90, 58, c.jitter(BODIES[names[0]], 8), eye)
    robot(c, 80, 90, 58, c.jitter(BODIES[names[2]], 8), eye)
    robot(c, 50, 98, 82, c.jitter(BODIES[names[1]], 8), eye)
    return c.pick(["three robots", "group of robots", "three robots side by side"])


@scene("robot head")
def robot_head(c):
    c.ground(PALE_GROUNDS if c.chance(0.5) else DARK_GROUNDS)
    body = c.jitter(BODIES["grey"], 10)
    eye = c.pick(EYES)
    c.line([(50, 4), (50, 20)], INK, 2.6)
    c.ellipse(50, 6, 4.5, fill=(230, 40, 40), edge=INK, width=1.2)
    for sign in (-1, 1):
        c.rect(50 + sign * 40 - 6, 40, 50 + sign * 40 + 6, 66, shade(body, 0.6), INK, 1.4)
    c.rect(14, 18, 86, 90, body, INK, 2)
    c.rect(72, 19, 85, 89, shade(body, 0.72))
    for x in (33, 67):
        c.ellipse(x, 44, 14, fill=(24, 26, 34), edge=INK, width=1)
        c.ellipse(x, 44, 10, fill=eye)
        c.ellipse(x - 3, 41, 3.4, fill=(255, 255, 255))
    c.rect(28, 68, 72, 80, (30, 32, 40), INK, 1.2)
    for x in range(35, 72, 7):
        c.line([(x, 68), (x, 80)], (206, 210, 218), 1.6)
    for x, y in ((20, 24), (80, 24), (20, 84), (80, 84)):
        c.ellipse(x, y, 2, fill=shade(body, 1.6), edge=INK, width=0.6)


@scene("machinery parts")
def machinery(c):
    """Interlocking gears with pipes and bolts on a dark steel plate."""
    plate = c.jitter((54, 60, 70), 5)
    c.gradient([shade(plate, 1.12), shade(plate, 0.75)])
    for x in (0, 50):
        c.line([(x + 1, 0), (x + 1, 100)], shade(plate, 0.45), 1)
    copper = c.jitter((196, 112, 62), 8)
    pipe(c, [(-4, 9), (62, 9), (90, 9), (90, 40)], 4.4, copper)
    pipe(c, [(9, 104), (9, 66), (-4, 66)], 4.4, c.jitter((150, 158, 170), 6))
    steel = c.jitter((176, 184, 196), 6)
    brass = c.jitter((222, 174, 70), 6)
    gear(c, 36, 44, 31, 12, steel, 4, hole=shade(plate, 0.7))
    gear(c, 76, 72, 25, 10, brass, 12, hole=shade(plate, 0.7))
    gear(c, 33, 84, 15, 8, shade(steel, 0.75), 20, hole=shade(plate, 0.7))
    gear(c, 76, 30, 14, 8, copper, 5, hole=shade(plate, 0.7))
    for x, y in ((6, 22), (94, 95), (58, 95), (5, 95), (95, 52), (62, 20)):
        bolt(c, x, y, 3.6)
    return c.pick(["gears and pipes", "machine parts", "machinery with gears and bolts"])


@scene("gear")
def one_gear(c):
    c.ground(PALE_GROUNDS if c.chance(0.5) else DARK_GROUNDS)
    name = c.pick(["steel", "brass", "copper"])
    metal = c.jitter({"steel": (170, 178, 190), "brass": (222, 174, 70), "copper": (196, 112, 62)}[name], 8)
    gear(c, 50, 50, 46, 12, metal, c.uniform(0, 30))
    return f"{name} gear"


@scene("gears")
def three_gears(c):
    c.ground(DARK_GROUNDS)
    steel = c.jitter((176, 184, 196), 6)
    gear(c, 34, 36, 31, 12, steel, 0)
    gear(c, 74, 68, 25, 10, c.jitter((222, 174, 70), 6), 8)
    gear(c, 26, 82, 17, 8, c.jitter((196, 112, 62), 6), 10)


@scene("engine")
def engine(c):
    c.ground(PALE_GROUNDS if c.chance(0.4) else DARK_GROUNDS)
    steel = c.jitter((150, 158, 170), 8)
    red = c.jitter(c.pick([(190, 50, 44), (60, 100, 170)]), 8)
    for x in (22, 41, 60, 79):
        c.polygon([(x - 8, 44), (x - 8, 16), (x + 8, 16), (x + 8, 44)], steel, INK, 1.3)
        for y in (21, 27, 33, 39):
            c.line([(x - 9.5, y), (x + 9.5, y)], shade(steel, 0.4), 1.8)
        c.rect(x - 4, 7, x + 4, 16, shade(steel, 1.4), INK, 1)
    c.rect(10, 43, 90, 76, red, INK, 1.7)
    c.rect(10, 43, 90, 50, shade(red, 1.35), INK, 0.9)
    for x in (22, 41, 60, 79):
        bolt(c, x, 66, 3.2)
    c.polygon([(16, 76), (84, 76), (74, 94), (26, 94)], shade(steel, 0.6), INK, 1.5)
    gear(c, 88, 68, 13, 8, shade(steel, 1.1), 0)
    c.ellipse(14, 68, 13, fill=shade(steel, 0.75), edge=INK, width=1.4)
    c.ellipse(14, 68, 6, fill=(40, 42, 50), edge=INK, width=1)
    c.line([(30, 60), (70, 60)], shade(red, 0.5), 1.6)


@scene("spaceship")
def spaceship(c):
    c.gradient([(8, 8, 26), (24, 18, 54)])
    stars(c, 40)
    hull = c.jitter((206, 212, 222), 8)
    c.polygon([(40, 84), (60, 84), (56, 98), (50, 92), (44, 98)], (255, 170, 50))
    for sign in (-1, 1):
        c.polygon([(50 + sign * 14, 50), (50 + sign * 38, 80), (50 + sign * 38, 88), (50 + sign * 14, 80)],
                  c.jitter((196, 60, 54), 6), INK, 1.3)
    c.polygon(mirrored(smooth([(50, 4), (60, 20), (66, 46), (64, 72), (58, 86), (50, 86)], 5)), hull, INK, 1.6)
    c.polygon(smooth([(50, 4), (60, 20), (66, 46), (64, 72), (58, 86), (50, 86)], 5), shade(hull, 0.7))
    c.ellipse(50, 36, 8.5, fill=(80, 180, 240), edge=INK, width=1.6)
    c.ellipse(47, 33, 3, fill=(230, 246, 255))
    c.line([(36, 66), (64, 66)], INK, 1.2)
