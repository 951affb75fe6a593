"""More buildings: ruins, houses, bridges, gates, mills."""
import math

from .buildings import GLASS, STONES, battlements
from .canvas import COLOURS, INK, ring, shade, smooth
from .registry import scene
from .sky import lit, puff, sky
from .terrain import leafy, peak, rolling, water


@scene("ruins")
def ruins(c):
    kind = c.pick(["day", "grey", "sunset"])
    sky(c, kind, 84)
    rolling(c, 80, 2, lit(c.jitter((104, 140, 76)), kind))
    stone = lit(c.jitter((176, 166, 146)), kind)
    line = shade(stone, 0.4)
    for x, top in ((14, 50), (36, 22), (64, 26), (86, 60)):
        jag = [(x - 7, top + 5), (x - 3, top), (x + 1, top + 7), (x + 4, top + 2), (x + 7, top + 6)]
        c.polygon(jag + [(x + 7, 88), (x - 7, 88)], stone, line, 1)
        c.rect(x + 2.5, top + 9, x + 6.5, 87, shade(stone, 0.7))
        c.rect(x - 9, 84, x + 9, 89, stone, line, 0.8)
    c.polygon([(27, 24)] + [(30, 16)] + ring(50, 46, 15, 20, 205, 330, 12)[::1] + [(72, 30), (60, 18), (46, 14)], stone)
    arc = ring(50, 40, 24, 24, 190, 320, 14)
    inner = ring(50, 44, 14, 18, 320, 190, 14)
    c.polygon(arc + inner, stone, line, 1)
    for x, y, size in ((26, 94, 5), (50, 92, 6), (74, 95, 5), (60, 97, 3)):
        c.polygon([(x - size, y + size * 0.6), (x - size * 0.5, y - size * 0.7), (x + size * 0.7, y - size * 0.5),
                   (x + size, y + size * 0.6)], shade(stone, 0.85), line, 0.8)
    return c.pick(["ancient ruins", "ruined columns"])


@scene("village houses", "village")
def village(c):
    sky(c, "day", 70)
    puff(c, 24, 14, 24)
    rolling(c, 60, 4, c.jitter((110, 170, 84)), 0.4)
    for x, foot, half, name in ((26, 74, 15, "red"), (72, 72, 15, "brown"), (50, 92, 20, "orange")):
        wall = c.jitter((240, 228, 200), 8)
        roof = c.jitter({"red": (186, 60, 46), "brown": (128, 76, 46), "orange": (206, 104, 50)}[name], 10)
        top = foot - half * 0.9
        c.rect(x - half * 0.85, top, x + half * 0.85, foot, wall, INK, 0.9)
        c.polygon([(x - half * 1.15, top), (x, top - half), (x + half * 1.15, top)], roof, INK, 0.9)
        c.rect(x - half * 0.18, foot - half * 0.6, x + half * 0.18, foot, (110, 68, 40), INK, 0.7)
        for sign in (-1, 1):
            left = x + sign * half * 0.52
            c.rect(left - half * 0.16, top + half * 0.2, left + half * 0.16, top + half * 0.5, (120, 180, 220), INK, 0.7)
    rolling(c, 92, 1, c.jitter((84, 150, 66)), 0.2)
    return c.pick(["houses in a village", "village houses with red roofs"])


@scene("house")
def house(c):
    sky(c, "day", 84)
    rolling(c, 82, 1.5, c.jitter((96, 165, 74)))
    name = c.pick(["red", "blue", "yellow", "white"])
    wall = c.jitter(shade(COLOURS[name], 1.2), 6)
    c.rect(70, 18, 79, 44, (150, 84, 66), INK, 1)
    c.rect(20, 48, 80, 88, wall, INK, 1.3)
    c.polygon([(10, 48), (50, 14), (90, 48)], c.jitter((150, 62, 46)), INK, 1.3)
    c.rect(43, 62, 57, 88, (112, 70, 42), INK, 1.1)
    for x in (31, 69):
        c.rect(x - 6, 58, x + 6, 70, (160, 210, 235), INK, 1.1)
        c.line([(x, 58), (x, 70)], INK, 0.8)
        c.line([(x - 6, 64), (x + 6, 64)], INK, 0.8)
    return f"{name} house"


@scene("bridge")
def bridge(c):
    sky(c, "day", 56)
    peak(c, 20, 20, 58, 34, (140, 150, 170))
    peak(c, 82, 24, 58, 32, (140, 150, 170))
    water(c, 60, c.jitter((36, 120, 190)), waves=6)
    stone = c.jitter(c.pick(STONES))
    line = shade(stone, 0.4)
    deck = [(0, 50), (50, 38), (100, 50)]
    c.polygon(smooth(deck, 8) + [(100, 82), (0, 82)], stone, line, 1)
    for x, half, top in ((20, 13, 58), (50, 14, 50), (80, 13, 58)):
        c.arch(x, top, 83, half, (70, 140, 196), line, 1.4)
        c.rect(x - half, 76, x + half, 84, (34, 100, 160))
    c.line(smooth([(0, 49), (50, 37), (100, 49)], 8), shade(stone, 0.6), 2.4)
    c.gradient([(36, 110, 180), (26, 84, 150)], 82, 100)
    return "stone bridge over a river"


@scene("gate")
def gate(c):
    sky(c, c.pick(["day", "grey"]), 92)
    stone = c.jitter(c.pick(STONES))
    line = shade(stone, 0.4)
    c.rect(18, 26, 82, 94, stone, line)
    battlements(c, 18, 82, 27, 6, 7, stone)
    for x in (12, 88):
        c.rect(x - 13, 14, x + 13, 94, shade(stone, 0.9), line)
        battlements(c, x - 14, x + 14, 15, 4, 7, shade(stone, 0.9))
        c.rect(x - 1.8, 34, x + 1.8, 46, GLASS)
    c.arch(50, 38, 94, 21, shade(stone, 0.5), line, 1.5)
    c.arch(50, 41, 94, 18, (20, 16, 18))
    bar = c.pick([(120, 78, 44), (110, 112, 122)])
    for x in range(36, 66, 7):
        c.line([(x, 44 + abs(x - 50) * 0.5), (x, 94)], bar, 2.4)
    for y in (56, 68, 80, 90):
        c.line([(32, y), (68, y)], bar, 2.4)
    c.rect(0, 94, 100, 100, (130, 112, 90))
    return "castle gate"


@scene("windmill")
def windmill(c):
    sky(c, "day", 84)
    rolling(c, 82, 3, c.jitter((100, 168, 74)))
    wall = c.jitter((236, 226, 206), 8)
    c.polygon([(40, 40), (60, 40), (67, 92), (33, 92)], wall, INK, 1.2)
    c.polygon([(52, 40), (60, 40), (67, 92), (55, 92)], shade(wall, 0.78))
    c.polygon([(37, 41), (50, 26), (63, 41)], c.jitter((160, 66, 50)), INK, 1.1)
    c.rect(45, 76, 55, 92, (110, 70, 44), INK, 1)
    tilt = c.pick([45, 38, 52])
    for turn in range(tilt, tilt + 360, 90):
        a = math.radians(turn)
        along = (math.cos(a), math.sin(a))
        across = (-along[1] * 8, along[0] * 8)
        near = (50 + 10 * along[0], 38 + 10 * along[1])
        far = (50 + 36 * along[0], 38 + 36 * along[1])
        sail = [near, far, (far[0] + across[0], far[1] + across[1]), (near[0] + across[0], near[1] + across[1])]
        c.polygon(sail, (250, 244, 228), INK, 1)
        c.line([(50, 38), far], (92, 60, 38), 2)
    c.ellipse(50, 38, 3, fill=(92, 60, 38))


@scene("tree")
def tree(c):
    sky(c, "day", 88)
    rolling(c, 88, 1.5, c.jitter((96, 165, 74)))
    leafy(c, 50, 92, 86, c.jitter(c.pick([(54, 140, 54), (70, 150, 60)])))
    return "green tree"
