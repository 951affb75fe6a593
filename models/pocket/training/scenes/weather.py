"""Woods, skies and weather."""
import math

import numpy as np

from .canvas import grid, mix, ring, shade
from .registry import scene
from .sky import cloud_cover, lightning, lit, moon, puff, sky, stars, sun
from .terrain import SNOW, leafy, palm, peak, pine, rolling, three_peaks


def wood(c, plant, colours, foot=58):
    """Three rows of trees, the nearest largest."""
    for row, (height, count) in enumerate(((34, 9), (44, 7), (58, 5))):
        for place in range(count):
            x = (place + 0.5) * 100 / count + c.uniform(-3, 3)
            tone = c.jitter(shade(c.pick(colours), 0.7 + 0.18 * row))
            plant(c, x, foot + row * 19, height + c.uniform(-3, 3), tone)


@scene("forest")
def forest(c):
    sky(c, "day", 60)
    c.gradient([(70, 130, 55), (50, 100, 42)], 50, 100)
    wood(c, leafy, [(52, 132, 52), (66, 146, 56), (44, 116, 50)])
    return c.pick(["forest with many trees", "green forest", "woods"])


@scene("pine forest")
def pine_forest(c):
    sky(c, c.pick(["day", "grey"]), 60)
    c.gradient([(64, 112, 60), (44, 84, 46)], 50, 100)
    wood(c, pine, [(32, 98, 60), (40, 112, 62), (28, 84, 56)])
    return c.pick(["pine trees", "dark pine forest"])


@scene("autumn forest")
def autumn_forest(c):
    sky(c, "day", 60)
    c.gradient([(190, 130, 60), (150, 88, 42)], 50, 100)
    wood(c, leafy, [(228, 120, 30), (208, 62, 30), (240, 180, 45)])
    return c.pick(["autumn trees", "orange and red autumn forest"])


@scene("jungle")
def jungle(c):
    c.gradient([(120, 180, 90), (40, 110, 50), (16, 60, 30)])
    for x in (8, 30, 70, 92):
        c.line([(x, -2), (x + c.uniform(-4, 4), 100)], (74, 62, 40), 5)
    palm(c, 44, 96, 62, (40, 150, 55))
    for x, y, turn in ((0, 30, 20), (100, 28, 160), (0, 62, -10), (100, 64, 190), (6, 96, -45), (94, 96, 225), (34, 104, -75),
                       (66, 104, 255), (24, -4, 60), (76, -4, 120)):
        angle = math.radians(turn + c.uniform(-8, 8))
        tip = (x + 38 * math.cos(angle), y + 38 * math.sin(angle))
        side = (-9 * math.sin(angle), 9 * math.cos(angle))
        middle = ((x + tip[0]) / 2, (y + tip[1]) / 2)
        tone = c.jitter((36, 140, 52), 18)
        leaf = [(x, y), (middle[0] + side[0], middle[1] + side[1]), tip, (middle[0] - side[0], middle[1] - side[1])]
        c.polygon(leaf, tone, (14, 60, 28), 1)
        c.line([(x, y), tip], (20, 84, 36), 1)


@scene("swamp")
def swamp(c):
    c.gradient([(122, 132, 100), (160, 160, 112), (110, 120, 78)], 0, 52)
    c.gradient([(86, 98, 52), (48, 60, 34)], 50, 100)
    for y in range(58, 98, 9):
        x = c.uniform(0, 60)
        c.line([(x, y), (x + 26, y)], (136, 146, 90), 1.2)
    for x, foot, lean in ((18, 70, 5), (80, 74, -6), (52, 56, 3)):
        bark = (44, 38, 30)
        top = foot - 56 if foot > 60 else 14
        c.polygon([(x - 7, foot), (x + 7, foot), (x + 2 + lean, top), (x - 2 + lean, top)], bark)
        for sign, share in ((-1, 0.4), (1, 0.55), (-1, 0.75), (1, 0.85)):
            y = foot + (top - foot) * share
            tip = (x + lean * share + sign * 15, y - 9)
            c.line([(x + lean * share, y), tip], bark, 1.8)
            c.line([tip, (tip[0], tip[1] + 10)], (96, 110, 62), 1.6)
    for x in (34, 66, 10, 92):
        c.ellipse(x, 88 + c.uniform(-4, 4), 6, 2.4, fill=(92, 142, 60))
    return "swamp with dead trees"


@scene("sunset over the sea", "sunset")
def sunset(c):
    sky(c, "sunset", 58)
    sun(c, 50, 48, 13, (255, 226, 110))
    c.gradient([(220, 110, 70), (110, 50, 90), (50, 28, 70)], 58, 100)
    for row in range(8):
        y = 61 + row * 5
        half = 6 + row * 2 + c.uniform(-2, 2)
        c.line([(50 - half, y), (50 + half, y)], (255, 200, 90), 1.8)
    return "sunset over the sea"


@scene("sunrise")
def sunrise(c):
    sky(c, "sunrise", 66)
    for turn in range(190, 351, 20):
        a = math.radians(turn - 3)
        b = math.radians(turn + 3)
        c.polygon([(50, 64), (50 + 110 * math.cos(a), 64 + 110 * math.sin(a)),
                   (50 + 110 * math.cos(b), 64 + 110 * math.sin(b))], (255, 226, 170))
    sun(c, 50, 62, 17, (255, 240, 140))
    rolling(c, 66, 3, c.jitter((88, 128, 84)), 0.3)
    rolling(c, 80, 3, c.jitter((58, 98, 66)), 2.4)


@scene("night sky with moon", "night")
def night(c):
    sky(c, "night", 100)
    stars(c, 45, 80)
    moon(c, c.near(62, 5), c.near(30, 4), 15)
    rolling(c, 84, 4, (8, 12, 26), 0.7)
    for x in (8, 20, 88):
        pine(c, x, 88, 26, (8, 18, 24))
    return c.pick(["night sky with moon", "moon at night", "full moon"])


@scene("starry sky", "stars")
def starry(c):
    sky(c, "night", 100)
    x, y = grid()
    band = np.exp(-((y - (85 - 0.7 * x)) / 16) ** 2) * c.noise(6, 0.7)
    c.blend(band * 0.85, (150, 140, 210))
    stars(c, 110, 100, 1.1)
    for _ in range(6):
        sx, sy = c.uniform(5, 95), c.uniform(5, 95)
        c.line([(sx - 3, sy), (sx + 3, sy)], (255, 255, 255), 0.7)
        c.line([(sx, sy - 3), (sx, sy + 3)], (255, 255, 255), 0.7)
        c.ellipse(sx, sy, 1.2, fill=(255, 255, 255))
    return "starry sky"


@scene("thunderstorm with lightning", "thunderstorm")
def thunderstorm(c):
    sky(c, "storm", 88)
    cloud_cover(c, (30, 32, 44), 56, 0.7, 0.9)
    for x in range(-4, 110, 15):
        c.ellipse(x, 8 + c.uniform(-3, 3), 13, 12, fill=c.jitter((58, 62, 76), 10))
        c.ellipse(x + 6, 2, 12, 10, fill=c.jitter((40, 42, 54), 8))
    c.glow(54, 50, 45, (170, 170, 235), 0.5)
    lightning(c, c.near(54, 4), 14, 86, width=2.4)
    rolling(c, 86, 3, (22, 28, 30))
    return c.pick(["lightning", "storm with lightning"])


@scene("rain")
def rain(c):
    sky(c, "grey", 100)
    c.gradient([(120, 128, 138), (98, 106, 118)], 0, 100)
    for x in range(0, 110, 17):
        c.ellipse(x, 6 + c.uniform(-3, 3), 14, 12, fill=c.jitter((78, 84, 96), 8))
    for row in range(7):
        for column in range(11):
            x = column * 10 + (row % 2) * 5 + c.uniform(-2, 2)
            y = 22 + row * 11 + c.uniform(-2, 2)
            c.line([(x, y), (x - 2.2, y + 7)], (205, 226, 245), 1)
    c.rect(0, 94, 100, 100, (70, 82, 96))
    for x in (20, 50, 80):
        c.ellipse(x + c.uniform(-5, 5), 96, 8, 2, edge=(190, 210, 230))


@scene("fog")
def fog(c):
    c.gradient([(206, 212, 216), (222, 226, 228)])
    for step, (foot, share) in enumerate(((52, 0.75), (68, 0.5), (88, 0.2))):
        for place in range(5):
            pine(c, place * 24 + 6 * step + c.uniform(-3, 3), foot, 30 + 7 * step, mix((50, 70, 72), (212, 217, 220), share))
        _, y = grid()
        c.blend(np.clip((y - foot + 16) / 16, 0, 1) * 0.9, (220, 224, 227))
    return "foggy forest"


@scene("rainbow")
def rainbow(c):
    sky(c, "day", 80)
    bands = [(225, 40, 40), (245, 140, 30), (250, 225, 50), (60, 180, 70), (50, 110, 220), (130, 60, 180)]
    for step, tone in enumerate(bands):
        c.line(ring(50, 82, 46 - 3.6 * step, 58 - 4.4 * step, 180, 360), tone, 4.6)
    puff(c, 10, 76, 30)
    puff(c, 90, 76, 30)
    rolling(c, 84, 3, c.jitter((84, 160, 64)))


@scene("clouds")
def clouds(c):
    sky(c, "day", 100)
    for x, y, width in ((26, 22, 44), (78, 34, 42), (34, 60, 56), (84, 78, 48), (14, 92, 44)):
        puff(c, x + c.uniform(-4, 4), y + c.uniform(-3, 3), width)
    return "white clouds in a blue sky"


@scene("landscape")
def landscape(c):
    sky(c, "day", 62)
    puff(c, c.near(22, 4), 16, 26)
    three_peaks(c, 60, c.jitter((104, 114, 138)), SNOW, 22, 0.3)
    rolling(c, 58, 3, c.jitter((92, 160, 72)), 0.4)
    rolling(c, 72, 4, c.jitter((70, 140, 56)), 2.2)
    for x, foot in ((8, 78), (18, 84), (90, 80), (80, 88)):
        pine(c, x, foot, 22, c.jitter((36, 96, 52)))
    return "landscape with mountains"


@scene("storm at sea")
def storm_at_sea(c):
    from .terrain import billows
    sky(c, "storm", 50)
    cloud_cover(c, (34, 36, 46), 46, 0.6)
    lightning(c, 72, 4, 44)
    billows(c, 44, lit((30, 80, 110), "storm"), 5, 10)


@scene("sunny sky", "sun")
def sunny(c):
    sky(c, "day", 100)
    for turn in range(0, 360, 30):
        a = math.radians(turn)
        c.line([(50 + 30 * math.cos(a), 50 + 30 * math.sin(a)), (50 + 42 * math.cos(a), 50 + 42 * math.sin(a))],
               (255, 224, 80), 4)
    c.ellipse(50, 50, 24, fill=(255, 216, 50), edge=(240, 160, 30), width=2)


@scene("lava river", "lava")
def lava(c):
    c.gradient([(40, 14, 18), (120, 34, 20)], 0, 40)
    peak(c, 20, 8, 42, 34, (48, 34, 36))
    peak(c, 82, 12, 42, 34, (48, 34, 36))
    c.ramp(c.noise(5, 0.6), [(28, 20, 22), (66, 48, 46)], (grid()[1] > 40).astype(float))
    c.glow(50, 60, 60, (255, 90, 10), 0.4)
    left = [(48, 40), (40, 48), (52, 58), (30, 74), (20, 101)]
    right = [(52, 40), (50, 48), (70, 58), (62, 74), (80, 101)]
    c.polygon(left + right[::-1], (255, 120, 20), (190, 30, 10), 2.4)
    inner = [((a[0] * 3 + b[0]) / 4, a[1]) for a, b in zip(left, right)]
    outer = [((a[0] + b[0] * 3) / 4, a[1]) for a, b in zip(left, right)]
    c.polygon(inner + outer[::-1], (255, 216, 80))
    return "river of lava"
