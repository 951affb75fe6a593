"""Buildings."""
from .canvas import COLOURS, ring, shade
from .registry import scene
from .sky import lit, moon, puff, sky, stars, sun
from .terrain import SNOW, peak, rolling, water

STONES = [(168, 162, 156), (190, 176, 150), (146, 146, 156)]
ROOFS = {"red": (178, 52, 44), "blue": (54, 84, 170), "green": (50, 120, 84)}
GLASS = (36, 32, 44)


def battlements(c, x0, x1, y, count, height, fill):
    """A row of merlons standing on the line y."""
    step = (x1 - x0) / (2 * count - 1)
    for i in range(count):
        c.rect(x0 + 2 * i * step, y - height, x0 + (2 * i + 1) * step, y, fill)


def round_tower(c, x, half, top, foot, stone, roof=None, window=GLASS):
    """A tower with a pointed roof, or with battlements where roof is None."""
    line = shade(stone, 0.4)
    c.rect(x - half, top, x + half, foot, stone, line, 0.8)
    c.rect(x + half * 0.35, top, x + half, foot, shade(stone, 0.7))
    if roof:
        c.polygon([(x - half * 1.35, top), (x, top - half * 3), (x + half * 1.35, top)], roof, shade(roof, 0.45), 0.8)
        c.polygon([(x + half * 0.3, top), (x, top - half * 3), (x + half * 1.35, top)], shade(roof, 0.68))
    else:
        c.rect(x - half * 1.25, top, x + half * 1.25, top + half * 0.5, shade(stone, 0.85), line, 0.7)
        battlements(c, x - half * 1.25, x + half * 1.25, top, 3, half * 0.6, stone)
    c.arch(x, top + half * 1.1, top + half * 2.4, half * 0.3, window)


def castle(c, x, foot, width, height, stone, roof=None, window=GLASS):
    """A keep between corner towers with a wall and a gate; x is its middle, foot its lowest line."""

    def at(share):
        return x + width * share

    def up(share):
        return foot - height * share

    line = shade(stone, 0.4)
    round_tower(c, at(-0.2), width * 0.07, up(0.62), foot, shade(stone, 0.9), roof, window)
    round_tower(c, at(0.2), width * 0.07, up(0.62), foot, shade(stone, 0.9), roof, window)
    round_tower(c, x, width * 0.11, up(0.74), foot, stone, roof, window)
    c.rect(at(-0.42), up(0.36), at(0.42), foot, stone, line, 0.8)
    battlements(c, at(-0.42), at(0.42), up(0.36), 8, height * 0.06, stone)
    for row, share in enumerate((0.28, 0.2, 0.12, 0.05)):
        for place in range(5):
            left = at(-0.38 + 0.17 * place + 0.06 * (row % 2))
            c.line([(left, up(share)), (left + width * 0.06, up(share))], shade(stone, 0.76), 0.6)
    round_tower(c, at(-0.42), width * 0.085, up(0.5), foot, stone, roof, window)
    round_tower(c, at(0.42), width * 0.085, up(0.5), foot, stone, roof, window)
    c.arch(x, up(0.26), foot, width * 0.085, (58, 38, 26), line, 0.8)


def keep_silhouette(c, x, foot, width, height, tone, light):
    """A dark fortress of many spires with lit windows."""
    for dx, half, top in ((-0.42, 0.07, 0.5), (0.42, 0.07, 0.46), (-0.24, 0.08, 0.72), (0.25, 0.08, 0.66), (0, 0.11, 1.0)):
        left = x + width * dx
        head = foot - height * top
        half *= width
        spike = height * 0.26 if top > 0.6 else height * 0.18
        c.rect(left - half, head + spike, left + half, foot, tone)
        c.polygon([(left - half * 1.5, head + spike), (left, head), (left + half * 1.5, head + spike)], shade(tone, 0.8))
        c.rect(left - half * 0.3, head + spike + 3, left + half * 0.3, head + spike + 6.5, light)
    c.rect(x - width * 0.5, foot - height * 0.26, x + width * 0.5, foot, tone)
    battlements(c, x - width * 0.5, x + width * 0.5, foot - height * 0.26, 7, height * 0.06, tone)
    c.arch(x, foot - height * 0.2, foot, width * 0.07, light)


@scene("castle")
def castle_close(c):
    kind = c.pick(["day", "day", "day", "sunset"])
    sky(c, kind, 90)
    if kind == "day":
        puff(c, c.near(14, 3), 14, 20)
    rolling(c, 88, 2, lit(c.jitter((84, 145, 66)), kind))
    name = c.pick(ROOFS)
    stone = c.jitter(c.pick(STONES))
    castle(c, 50, 92, 90, 92, lit(stone, kind), lit(ROOFS[name], kind))
    return c.pick([f"castle with {name} roofs", "stone castle"])


@scene("castle on a mountain")
def castle_mountain(c):
    kind = c.pick(["day", "day", "sunset"])
    sky(c, kind, 90)
    peak(c, 12, 46, 96, 30, lit((130, 140, 165), kind), lit(SNOW, kind))
    peak(c, 90, 42, 96, 30, lit((130, 140, 165), kind), lit(SNOW, kind))
    rock = lit(c.jitter((110, 104, 104)), kind)
    c.polygon([(30, 46), (70, 46), (76, 60), (84, 74), (92, 100), (6, 100), (16, 76), (24, 60)], rock)
    c.polygon([(56, 46), (70, 46), (76, 60), (84, 74), (92, 100), (54, 100), (60, 72)], shade(rock, 0.6))
    for points in ([(38, 52), (34, 66), (24, 90)], [(48, 54), (46, 74), (40, 96)]):
        c.line(points, shade(rock, 0.7), 1.4)
    name = c.pick(ROOFS)
    castle(c, 50, 50, 48, 48, lit(c.jitter(c.pick(STONES)), kind), lit(ROOFS[name], kind))
    rolling(c, 95, 2, lit((72, 120, 60), kind))
    return "castle on a mountain at sunset" if kind == "sunset" else f"castle with {name} roofs on a mountain"


@scene("castle at night")
def castle_night(c):
    sky(c, "night", 92)
    stars(c, 30, 60)
    moon(c, 82, 15, 9)
    rolling(c, 88, 2, (16, 26, 34))
    castle(c, 50, 92, 86, 86, lit(c.pick(STONES), "night"), (36, 30, 66), (255, 214, 100))


@scene("fortress")
def fortress(c):
    kind = c.pick(["day", "grey", "sunset"])
    sky(c, kind, 90)
    stone = lit(c.jitter((136, 130, 126)), kind)
    line = shade(stone, 0.4)
    c.rect(28, 24, 72, 90, shade(stone, 0.9), line)
    battlements(c, 26, 74, 25, 6, 7, shade(stone, 0.9))
    c.rect(4, 48, 96, 92, stone, line)
    battlements(c, 4, 96, 49, 10, 6, stone)
    for x in (13, 87):
        c.rect(x - 12, 36, x + 12, 92, stone, line)
        c.rect(x + 4, 36, x + 12, 92, shade(stone, 0.72))
        battlements(c, x - 13, x + 13, 37, 4, 7, stone)
        c.rect(x - 2, 50, x + 2, 60, GLASS)
    for x in (38, 50, 62):
        c.rect(x - 2, 32, x + 2, 41, GLASS)
    for row, y in enumerate((58, 68, 78)):
        for x in range(28, 74, 12):
            c.line([(x + 4 * (row % 2), y), (x + 6 + 4 * (row % 2), y)], shade(stone, 0.72), 0.8)
    c.arch(50, 64, 92, 10, (48, 32, 24), line, 1.4)
    rolling(c, 93, 1, lit((96, 110, 70), kind))


@scene("tower")
def tower(c):
    sky(c, "day", 90)
    puff(c, 18, 30, 24)
    puff(c, 84, 46, 22)
    stone = c.jitter(c.pick(STONES))
    name = c.pick([None, None] + list(ROOFS))
    rolling(c, 90, 2, c.jitter((84, 145, 66)))
    top = 36 if name else 22
    round_tower(c, 50, 15, top, 93, stone, ROOFS.get(name))
    for row, y in enumerate(range(top + 12, 92, 9)):
        for x in range(37, 60, 10):
            c.line([(x + 4 * (row % 2), y), (x + 5 + 4 * (row % 2), y)], shade(stone, 0.7), 0.8)
    c.arch(50, top + 12, top + 26, 3.5, GLASS)
    c.arch(50, 76, 93, 6, (70, 44, 28), shade(stone, 0.4))
    return f"tower with a {name} roof" if name else "stone tower"


@scene("lighthouse")
def lighthouse(c):
    kind = c.pick(["day", "night"])
    sky(c, kind, 76)
    water(c, 74, lit((28, 100, 165), kind), waves=4)
    if kind == "night":
        for sign in (-1, 1):
            c.polygon([(50, 22), (50 + sign * 60, 8), (50 + sign * 60, 34)], (200, 196, 150))
    c.polygon([(20, 92), (30, 80), (70, 80), (82, 92), (90, 100), (10, 100)], (88, 80, 78))
    name = c.pick(["red", "red", "blue"])
    for row in range(5):
        y0, y1 = 30 + row * 10.4, 30 + (row + 1) * 10.4
        w0, w1 = 8 + row * 1.3, 8 + (row + 1) * 1.3
        tone = COLOURS[name] if row % 2 == 0 else (248, 248, 248)
        c.polygon([(50 - w0, y0), (50 + w0, y0), (50 + w1, y1), (50 - w1, y1)], tone)
        c.polygon([(50 + w0 * 0.4, y0), (50 + w0, y0), (50 + w1, y1), (50 + w1 * 0.4, y1)], shade(tone, 0.72))
    c.rect(40, 28, 60, 31, INK_RAIL)
    c.rect(44, 17, 56, 28, (255, 240, 150), INK_RAIL, 1)
    c.polygon([(42, 17), (50, 7), (58, 17)], COLOURS[name], INK_RAIL, 0.8)
    return f"{name} and white lighthouse"


INK_RAIL = (40, 40, 48)


@scene("cathedral")
def cathedral(c):
    sky(c, "day", 94)
    stone = c.jitter(c.pick([(196, 186, 168), (170, 168, 172)]))
    line = shade(stone, 0.4)
    c.polygon([(34, 44), (50, 24), (66, 44), (66, 94), (34, 94)], stone, line)
    for x in (24, 76):
        c.rect(x - 11, 34, x + 11, 94, shade(stone, 1.1 if x < 50 else 0.86), line)
        c.polygon([(x - 12, 34), (x, 4), (x + 12, 34)], c.jitter((92, 100, 118), 6), line)
        c.line([(x, 0), (x, 6)], line, 1)
        c.arch(x, 42, 58, 3.5, GLASS)
        c.arch(x, 64, 80, 3.5, GLASS)
    c.ellipse(50, 50, 10, fill=(60, 70, 130), edge=line, width=1.5)
    for turn in range(6):
        point = ring(50, 50, 6, 6, turn * 60, turn * 60 + 1, 1)[0]
        c.ellipse(point[0], point[1], 2.2, fill=c.pick([(220, 70, 60), (240, 200, 70), (90, 170, 220)]))
    c.arch(50, 70, 94, 8, (66, 40, 28), line, 1.5)
    c.rect(0, 94, 100, 100, (150, 144, 134))
    return "gothic cathedral"


@scene("temple with columns", "temple")
def temple(c):
    sky(c, c.pick(["day", "day", "sunset"]), 90)
    stone = c.jitter((232, 222, 200), 8)
    line = shade(stone, 0.45)
    rolling(c, 88, 1, (150, 160, 90))
    c.rect(12, 42, 88, 82, shade(stone, 0.42))
    c.polygon([(6, 34), (50, 12), (94, 34)], stone, line, 1.2)
    c.polygon([(18, 31), (50, 16), (82, 31)], shade(stone, 0.72))
    c.rect(8, 34, 92, 42, stone, line, 1)
    for x in (15, 29, 43, 57, 71, 85):
        c.rect(x - 4, 44, x + 4, 80, stone, line, 0.6)
        c.rect(x + 1, 44, x + 4, 80, shade(stone, 0.75))
        c.rect(x - 5.5, 42, x + 5.5, 46, stone, line, 0.6)
        c.rect(x - 5.5, 78, x + 5.5, 82, stone, line, 0.6)
    for step in range(3):
        c.rect(8 - step * 3, 82 + step * 4, 92 + step * 3, 86 + step * 4, shade(stone, 1 - 0.1 * step), line, 0.7)
    return "temple with columns"


@scene("pyramid")
def pyramid(c):
    kind = c.pick(["day", "sunset"])
    sky(c, kind, 80)
    sun(c, 84, 18, 7)
    sand = lit(c.jitter((232, 196, 124), 8), kind)
    rolling(c, 78, 2, sand)
    c.polygon([(8, 84), (46, 14), (60, 88)], sand, shade(sand, 0.5), 0.8)
    c.polygon([(60, 88), (46, 14), (94, 82)], shade(sand, 0.58), shade(sand, 0.4), 0.8)
    for share in (0.2, 0.35, 0.5, 0.65, 0.8):
        left = mix_point((46, 14), (8, 84), share)
        middle = mix_point((46, 14), (60, 88), share)
        right = mix_point((46, 14), (94, 82), share)
        c.line([left, middle, right], shade(sand, 0.7), 0.7)
    return "pyramid in the desert"


def mix_point(first, second, share):
    return (first[0] + (second[0] - first[0]) * share, first[1] + (second[1] - first[1]) * share)
