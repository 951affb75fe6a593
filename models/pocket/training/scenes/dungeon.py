"""Under the castle: steps, corridors, doors, bars, treasure."""
from .canvas import INK, mirrored, shade, smooth
from .registry import scene

DUNGEON_STONES = [(150, 146, 140), (160, 146, 122), (136, 140, 152)]


def brick_rows(c, left, right, top, bottom, height, width, tone, mortar):
    """A flat brick wall inside a box."""
    c.rect(left, top, right, bottom, mortar)
    row = 0
    y = top
    while y < bottom:
        x = left - (row % 2) * width / 2
        while x < right:
            box = (max(left, x + 0.5), y + 0.5, min(right, x + width - 0.6), min(bottom, y + height - 0.6))
            if box[2] > box[0] and box[3] > box[1]:
                c.rect(*box, c.jitter(tone, 8))
            x += width
        y += height
        row += 1


def flame(c, x, foot, height):
    """A fire tongue with its light around."""
    c.glow(x, foot - height * 0.4, height * 2.4, (255, 150, 40), 0.7)
    outer = smooth(mirrored([(x, foot - height), (x + height * 0.2, foot - height * 0.55), (x + height * 0.3, foot - height * 0.2),
                             (x + height * 0.16, foot)], x), 5, True)
    c.polygon(outer, (245, 110, 20))
    inner = mirrored([(x, foot - height * 0.65), (x + height * 0.16, foot - height * 0.22), (x + height * 0.08, foot)], x)
    c.polygon(inner, (255, 225, 90))


def wall_torch(c, x, y, size):
    """A torch in a bracket; (x, y) is where the fire sits."""
    c.polygon([(x - size * 0.14, y), (x + size * 0.14, y), (x + size * 0.07, y + size), (x - size * 0.07, y + size)], (96, 60, 34))
    c.rect(x - size * 0.2, y - 1, x + size * 0.2, y + size * 0.12, (60, 60, 66))
    flame(c, x, y, size * 0.95)


def steps_up(c, stone, count=6, torches=False):
    """A flight of bright steps rising to a dark arch between brick walls."""
    brick_rows(c, 0, 100, 0, 100, 10, 19, shade(stone, 0.42), (22, 20, 24))
    c.arch(50, 4, 44, 18, shade(stone, 0.62), INK, 1)
    c.arch(50, 9, 44, 14, (8, 7, 10))
    foot, head = 100.0, 38.0
    for step in range(count):
        near, far = step / count, (step + 1) / count
        y0 = foot + (head - foot) * near
        y1 = foot + (head - foot) * far
        half = 46 - 25 * near
        next_half = 46 - 25 * far
        front = y0 - (y0 - y1) * 0.6
        c.polygon([(50 - half, y0), (50 + half, y0), (50 + half, front), (50 - half, front)], shade(stone, 0.56))
        top = [(50 - half, front), (50 + half, front), (50 + next_half, y1), (50 - next_half, y1)]
        c.polygon(top, shade(stone, 1.42 - 0.2 * near))
        c.line([(50 - half, y0), (50 + half, y0)], INK, 1.1)
        c.line([(50 - half, y0), (50 - half, front)], INK, 1)
        c.line([(50 + half, y0), (50 + half, front)], INK, 1)
    if torches:
        wall_torch(c, 15, 30, 14)
        wall_torch(c, 85, 30, 14)


@scene("stairs in a dungeon")
def stairs_dungeon(c):
    steps_up(c, c.jitter(c.pick(DUNGEON_STONES)), c.pick([6, 6, 7]), c.chance(0.3))
    return c.pick(["stone stairs in a dungeon", "stairs in a dark dungeon", "dungeon stairs going up"])


@scene("stairs up front", "stairs")
def stairs_front(c):
    c.gradient([(214, 220, 226), (178, 186, 194)])
    stone = c.jitter(c.pick([(178, 172, 164), (190, 160, 120), (150, 156, 168)]))
    count = 7
    for step in range(count):
        half = 46 - 3.4 * step
        top = 86 - step * 11
        c.rect(50 - half, top, 50 + half, top + 14, shade(stone, 0.62), INK, 0.9)
        c.rect(50 - half, top, 50 + half, top + 4, shade(stone, 1.4))
    return c.pick(["staircase", "stone steps"])


@scene("stairs from the side", "staircase")
def stairs_side(c):
    c.gradient([(206, 214, 222), (172, 182, 192)])
    stone = c.jitter(c.pick([(168, 160, 150), (176, 132, 84), (150, 154, 164)]))
    count = 7
    outline = [(2, 98)]
    for step in range(count):
        outline += [(2 + step * 13.5, 98 - (step + 1) * 12.5), (2 + (step + 1) * 13.5, 98 - (step + 1) * 12.5)]
    outline.append((2 + count * 13.5, 98))
    c.polygon(outline, shade(stone, 0.75), INK, 1.2)
    for step in range(count):
        x, y = 2 + step * 13.5, 98 - (step + 1) * 12.5
        c.rect(x, y, x + 13.5, y + 3.4, shade(stone, 1.4), INK, 0.7)
    return c.pick(["stairs from the side", "steps"])


@scene("spiral stairs")
def spiral_stairs(c):
    c.gradient([(70, 66, 72), (36, 34, 40)])
    stone = c.jitter(c.pick(DUNGEON_STONES))
    for step in range(9):
        y = 96 - step * 10
        reach = (40, 44, 34, 14, -14, -34, -44, -34, -10)[step]
        c.polygon([(50, y), (50 + reach, y + 4), (50 + reach * 0.9 + (6 if reach > 0 else -6), y - 3), (50, y - 6)],
                  shade(stone, 1.3 if abs(reach) > 20 else 0.9), INK, 1)
        c.polygon([(50, y), (50 + reach, y + 4), (50 + reach, y + 9), (50, y + 5)], shade(stone, 0.55), INK, 0.8)
    c.rect(45, 0, 55, 100, shade(stone, 0.9), INK, 1)
    c.rect(51, 0, 55, 100, shade(stone, 0.6))


@scene("dungeon corridor with torches", "dungeon")
def corridor(c):
    stone = c.jitter((112, 104, 100))
    dark = (24, 22, 26)
    s = 15
    c.polygon([(0, 0), (100, 0), (50 + s, 50 - s), (50 - s, 50 - s)], shade(stone, 0.35))
    c.polygon([(0, 100), (100, 100), (50 + s, 50 + s), (50 - s, 50 + s)], shade(stone, 0.95))
    for sign in (-1, 1):
        c.polygon([(50 + sign * 50, 0), (50 + sign * 50, 100), (50 + sign * s, 50 + s), (50 + sign * s, 50 - s)], shade(stone, 0.68))
        for row in range(1, 7):
            edge = (row / 7 - 0.5)
            c.line([(50 + sign * 50, 50 + edge * 100), (50 + sign * s, 50 + edge * 2 * s)], dark, 0.9)
        for column in (0.22, 0.42, 0.6, 0.76, 0.9):
            x = 50 + sign * (50 - (50 - s) * column)
            half = 50 - (50 - s) * column
            c.line([(x, 50 - half), (x, 50 + half)], dark, 0.7)
    for column in (0.25, 0.48, 0.68, 0.84):
        half = 50 - (50 - s) * column
        c.line([(50 - half, 50 + half), (50 + half, 50 + half)], dark, 0.9)
    for share in (-0.6, -0.2, 0.2, 0.6):
        c.line([(50 + share * 50, 100), (50 + share * s, 50 + s)], dark, 0.8)
    c.arch(50, 50 - s, 50 + s, s * 0.95, (6, 5, 8))
    wall_torch(c, 18, 42, 17)
    wall_torch(c, 82, 42, 17)
    return c.pick(["dungeon corridor with torches", "dark stone corridor"])


@scene("dungeon door")
def dungeon_door(c):
    stone = c.jitter(c.pick(DUNGEON_STONES))
    brick_rows(c, 0, 100, 0, 100, 11, 20, shade(stone, 0.6), (30, 28, 32))
    wood = c.jitter((130, 82, 44))
    c.arch(50, 10, 96, 31, shade(stone, 1.1), INK, 1.2)
    c.arch(50, 16, 96, 25, wood, INK, 1.4)
    for x in (34, 42, 50, 58, 66):
        c.line([(x, 22 + abs(x - 50) * 0.5), (x, 96)], shade(wood, 0.55), 1.1)
    for y in (40, 76):
        c.rect(26, y, 74, y + 5, (62, 64, 72), INK, 0.8)
        for x in (31, 44, 56, 69):
            c.ellipse(x, y + 2.5, 1.3, fill=(160, 164, 172))
    c.ellipse(66, 60, 4, edge=(40, 42, 48), width=1.8)
    return c.pick(["wooden dungeon door", "old wooden door with iron bands"])


@scene("prison bars", "prison cell")
def prison(c):
    stone = c.jitter(c.pick(DUNGEON_STONES))
    brick_rows(c, 0, 100, 0, 100, 11, 20, shade(stone, 0.7), (34, 32, 36))
    c.rect(14, 12, 86, 88, (10, 9, 12), INK, 1.5)
    steel = c.jitter((140, 144, 154))
    for x in range(21, 84, 11):
        c.rect(x - 2, 10, x + 2, 90, steel)
        c.rect(x + 0.6, 10, x + 2, 90, shade(steel, 0.55))
    for y in (24, 74):
        c.rect(13, y, 87, y + 4.5, steel, shade(steel, 0.4), 0.7)
    return "prison bars"


@scene("torch")
def torch(c):
    c.ground([((40, 34, 40), (22, 18, 24)), ((34, 36, 50), (18, 20, 30))])
    c.polygon([(43, 48), (57, 48), (53, 98), (47, 98)], c.jitter((120, 76, 42)), INK, 1)
    c.rect(40, 44, 60, 54, (84, 86, 94), INK, 1)
    flame(c, 50, 46, 40)
    return "burning torch"
