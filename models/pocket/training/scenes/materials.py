"""Materials seen close up, filling the picture."""
import numpy as np

from .canvas import grid, shade, smooth
from .dungeon import brick_rows
from .registry import scene


@scene("brick wall")
def brick_wall(c):
    brick_rows(c, 0, 100, 0, 100, 12.5, 25, c.jitter((176, 76, 56), 8), (206, 198, 186))
    return "red brick wall"


@scene("stone wall")
def stone_wall(c):
    tone = c.jitter((140, 138, 134), 8)
    c.rect(0, 0, 100, 100, (52, 50, 50))
    for row in range(6):
        x = -10 * (row % 2) - c.uniform(0, 6)
        y = row * 17
        while x < 100:
            width = c.uniform(19, 28)
            stone = c.jitter(tone, 14)
            corners = [(x + 3, y + 1), (x + width - 3, y + 1), (x + width - 1, y + 5), (x + width - 1, y + 12),
                       (x + width - 3, y + 16), (x + 3, y + 16), (x + 1, y + 12), (x + 1, y + 5)]
            c.polygon(corners, stone)
            c.line([(x + 3, y + 2.4), (x + width - 3, y + 2.4)], shade(stone, 1.3), 1.6)
            c.line([(x + 3, y + 15), (x + width - 3, y + 15)], shade(stone, 0.65), 1.8)
            x += width
    return "grey stone wall"


@scene("cobblestones")
def cobbles(c):
    tone = c.jitter((132, 128, 122), 8)
    c.rect(0, 0, 100, 100, (44, 42, 40))
    for row in range(9):
        for column in range(9):
            x = column * 14 + 7 * (row % 2) - 4
            y = row * 12.5 + 2
            stone = c.jitter(tone, 16)
            c.ellipse(x, y, 6.6, 5.8, fill=shade(stone, 0.7))
            c.ellipse(x - 0.5, y - 0.7, 5.8, 4.9, fill=stone)
            c.ellipse(x - 1.6, y - 1.8, 2.4, 1.8, fill=shade(stone, 1.3))


def planks(c, tone, across):
    """Boards with grain lines and nails; across lays them sideways."""

    def turn(x, y):
        return (y, x) if across else (x, y)

    for board in range(5):
        left = board * 20
        wood = c.jitter(tone, 14)
        c.polygon([turn(left, 0), turn(left + 20, 0), turn(left + 20, 100), turn(left, 100)], wood)
        for _ in range(4):
            x = left + c.uniform(3, 17)
            line = [turn(x + c.uniform(-1, 1), y) for y in range(0, 101, 20)]
            c.line(line, shade(wood, 0.75), 0.9)
        c.polygon([turn(left, 0), turn(left + 2, 0), turn(left + 2, 100), turn(left, 100)], shade(wood, 0.32))
        c.polygon([turn(left + 2, 0), turn(left + 3.4, 0), turn(left + 3.4, 100), turn(left + 2, 100)], shade(wood, 1.3))
        for y in (6, 94):
            c.ellipse(*turn(left + 11, y), 1.4, fill=(50, 46, 44))


@scene("wooden planks")
def planks_upright(c):
    planks(c, c.pick([(158, 106, 60), (136, 88, 50)]), False)
    return "wooden boards"


@scene("wood")
def wood(c):
    """Grain with one knot."""
    x, y = grid()
    knot_x, knot_y = c.near(50, 8), c.near(52, 8)
    near = np.exp(-(((x - knot_x) / 20) ** 2 + ((y - knot_y) / 22) ** 2))
    rings = np.hypot((x - knot_x) * 1.5, (y - knot_y) * 0.7)
    bend = x + 24 * near * np.sign(x - knot_x) * -1 + 7 * c.noise(2)
    value = np.where(near > 0.5, 0.5 + 0.5 * np.sin(rings * 0.95), 0.5 + 0.5 * np.sin(bend * 0.75))
    base = c.jitter((166, 112, 64), 8)
    c.ramp(0.75 * value + 0.25 * c.noise(5, 0.7, wide=6, high=0.6), [shade(base, 0.55), base, shade(base, 1.25)])
    c.ellipse(knot_x, knot_y, 3.5, 6, fill=shade(base, 0.35))
    return "wood grain"


@scene("metal plates with rivets", "metal")
def plates(c):
    steel = c.jitter((150, 158, 168), 8)
    for row in range(2):
        for column in range(2):
            x, y = column * 50, row * 50
            tone = c.jitter(steel, 8)
            c.rect(x, y, x + 50, y + 50, tone)
            c.polygon([(x + 8, y + 50), (x + 34, y), (x + 44, y), (x + 18, y + 50)], shade(tone, 1.35))
            c.rect(x, y, x + 50, y + 50, None, (40, 44, 52), 1.8)
            c.line([(x + 1.6, y + 48), (x + 1.6, y + 1.6), (x + 48, y + 1.6)], shade(tone, 1.6), 1)
            for dx in (7, 43):
                for dy in (7, 25, 43):
                    c.ellipse(x + dx + 0.7, y + dy + 0.8, 3.2, fill=(54, 58, 66))
                    c.ellipse(x + dx, y + dy, 3, fill=shade(tone, 1.15))
                    c.ellipse(x + dx - 0.8, y + dy - 0.8, 1.2, fill=(245, 248, 252))
    return c.pick(["metal plates with rivets", "steel plates"])


@scene("chainmail")
def chainmail(c):
    steel = c.jitter((172, 178, 188), 8)
    c.rect(0, 0, 100, 100, (26, 27, 32))
    for row in range(15):
        for column in range(13):
            x = column * 9 + 4.5 * (row % 2) - 2
            y = row * 7.4 - 1
            c.ellipse(x, y, 5, 4.6, edge=shade(steel, 0.5), width=2)
            c.ellipse(x - 0.4, y - 0.4, 4.8, 4.4, edge=steel, width=1.2)
    return "steel chainmail"


@scene("leather")
def leather(c):
    hide = c.jitter(c.pick([(138, 82, 42), (116, 66, 36), (98, 58, 36)]), 8)
    fine = c.noise(4, 0.9, 4, 4, 10)
    broad = c.noise(3)
    c.ramp(0.6 * fine + 0.4 * broad, [shade(hide, 0.66), hide, shade(hide, 1.18)])
    for x in (10, 90):
        c.line([(x, 0), (x, 100)], shade(hide, 0.4), 1.4)
        for y in range(3, 100, 10):
            c.line([(x, y), (x, y + 5.5)], (236, 206, 146), 2)
    return "brown leather with stitches"


@scene("dragon scales")
def scales(c):
    name = c.pick(["green", "red", "blue"])
    tone = c.jitter({"green": (52, 140, 66), "red": (180, 44, 38), "blue": (44, 92, 170)}[name], 8)
    c.rect(0, 0, 100, 100, shade(tone, 0.3))
    for row in range(9, -2, -1):
        for column in range(-1, 8):
            x = column * 16 + 8 * (row % 2)
            y = row * 11
            piece = [(x - 8, y), (x + 8, y), (x + 7.4, y + 7), (x + 4, y + 13), (x, y + 16), (x - 4, y + 13), (x - 7.4, y + 7)]
            scale = c.jitter(tone, 8)
            c.polygon(piece, scale, shade(tone, 0.25), 1.3)
            c.polygon([(x - 5, y + 3), (x, y + 2), (x - 1, y + 12), (x - 4, y + 9)], shade(scale, 1.35))
    return f"{name} dragon scales"


@scene("fire")
def fire(c):
    c.gradient([(24, 8, 10), (110, 22, 10), (200, 60, 10)])
    for layer, (tone, count, height) in enumerate((((206, 40, 14), 6, 92), ((245, 120, 20), 5, 70), ((255, 206, 60), 4, 48),
                                                  ((255, 246, 180), 3, 28))):
        for place in range(count):
            x = (place + 0.5) * 100 / count + c.uniform(-3, 3)
            half = 64 / count + 4
            top = 100 - height * c.uniform(0.8, 1.0)
            lean = c.uniform(-6, 6)
            shape = smooth([(x - half, 104), (x - half * 0.8, 100 - height * 0.35), (x + lean * 0.4 - half * 0.1, 100 - height * 0.6),
                            (x + lean, top), (x + lean * 0.5 + half * 0.4, 100 - height * 0.5), (x + half * 0.85, 100 - height * 0.28),
                            (x + half, 104)], 5)
            c.polygon(shape, tone)
    return c.pick(["flames", "burning fire"])


def strands(c, tone, count, low, high, lean, width):
    """Many short strokes, darkest first."""
    c.rect(0, 0, 100, 100, shade(tone, 0.5))
    for step in range(count):
        x, y = c.uniform(-4, 104), c.uniform(0, 112)
        length = c.uniform(low, high)
        level = 0.6 + 0.6 * step / count
        c.line([(x, y), (x + c.uniform(-lean, lean) * 0.4, y - length * 0.6), (x + c.uniform(-lean, lean), y - length)],
               c.jitter(shade(tone, level), 12), width)


@scene("grass")
def grass(c):
    strands(c, c.jitter((84, 170, 56), 8), 420, 12, 28, 7, 1.7)
    return "green grass"


@scene("fur")
def fur(c):
    name = c.pick(["brown", "grey", "white"])
    tone = c.jitter({"brown": (150, 104, 62), "grey": (130, 126, 124), "white": (226, 222, 214)}[name], 8)
    c.rect(0, 0, 100, 100, shade(tone, 0.5))
    for row in range(12):
        for _ in range(26):
            x = c.uniform(-3, 103)
            y = row * 10 - 8 + c.uniform(-3, 3)
            c.line([(x, y), (x + 1.5, y + 7), (x + 4 + c.uniform(-1, 1), y + 15)], c.jitter(shade(tone, c.uniform(0.75, 1.2)), 8), 1.2)
    return f"{name} fur"
