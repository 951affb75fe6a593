"""Things found on the way: treasure, books, potions, ships."""
import math

from .canvas import COLOURS, DARK_GROUNDS, INK, PALE_GROUNDS, mirrored, mix, ring, shade, smooth
from .dungeon import brick_rows, flame
from .registry import scene
from .sky import lit, sky
from .terrain import billows

GOLD = (238, 192, 62)


@scene("treasure chest")
def chest(c):
    c.ground(DARK_GROUNDS if c.chance(0.5) else PALE_GROUNDS)
    wood = c.jitter((142, 86, 44))
    lid = [(12, 44), (14, 24), (24, 12), (76, 12), (86, 24), (88, 44)]
    c.polygon(smooth(lid[:3], 5) + smooth(lid[3:], 5), shade(wood, 0.6), INK, 1.6)
    c.polygon([(18, 42), (20, 27), (28, 18), (72, 18), (80, 27), (82, 42)], (40, 24, 16), INK, 1)
    c.glow(50, 44, 36, (255, 220, 110), 0.6)
    for row, y in enumerate((48, 43, 38)):
        for step in range(8 - 2 * row):
            x = 20 + row * 8.5 + step * 8.6
            c.ellipse(x, y + c.uniform(-1, 1), 6, 4.4, fill=c.jitter(GOLD, 10), edge=(150, 100, 20), width=0.9)
    c.ellipse(40, 36, 3.4, fill=(220, 40, 60), edge=INK, width=0.8)
    c.ellipse(61, 37, 3.4, fill=(50, 120, 230), edge=INK, width=0.8)
    c.rect(10, 50, 90, 90, wood, INK, 1.6)
    for y in (60, 70, 80):
        c.line([(11, y), (89, y)], shade(wood, 0.6), 1)
    iron = c.jitter(c.pick([(96, 98, 108), (210, 164, 60)]))
    for x in (14, 50, 86):
        c.rect(x - 4, 50, x + 4, 90, iron, INK, 1)
    c.rect(10, 50, 90, 56, iron, INK, 1)
    c.rect(43, 52, 57, 70, (236, 194, 74), INK, 1.2)
    c.ellipse(50, 59, 2.6, fill=INK)
    c.polygon([(48.8, 60), (51.2, 60), (52, 66), (48, 66)], INK)
    return c.pick(["treasure chest full of gold", "wooden chest with gold coins"])


@scene("gold coins")
def coins(c):
    c.ground(DARK_GROUNDS)
    for row, count in enumerate((7, 6, 5, 4, 3, 2)):
        for step in range(count):
            x = 50 + (step - (count - 1) / 2) * 14 + c.uniform(-1.5, 1.5)
            y = 92 - row * 11
            c.ellipse(x, y + 2, 9, 7, fill=(150, 100, 20), edge=INK, width=0.9)
            c.ellipse(x, y, 9, 7, fill=c.jitter(GOLD, 10), edge=INK, width=0.9)
            c.ellipse(x, y, 5.5, 4, edge=(190, 136, 34), width=1)


@scene("throne")
def throne(c):
    stone = c.jitter((116, 110, 112))
    brick_rows(c, 0, 100, 0, 84, 12, 22, shade(stone, 0.55), (26, 24, 28))
    c.rect(0, 82, 100, 100, shade(stone, 0.75))
    c.polygon([(38, 84), (62, 84), (76, 100), (24, 100)], (150, 26, 34))
    name = c.pick(["red", "red", "blue", "purple"])
    cloth = c.jitter(COLOURS[name])
    gold = c.jitter(GOLD, 8)
    back = mirrored([(50, 4), (58, 12), (68, 8), (72, 20), (72, 64)])
    c.polygon(back, gold, INK, 1.5)
    c.polygon(mirrored([(50, 16), (62, 22), (64, 62)]), cloth, INK, 1)
    c.rect(20, 84, 80, 92, gold, INK, 1.2)
    c.rect(27, 62, 73, 86, shade(gold, 0.8), INK, 1.3)
    c.polygon([(30, 58), (70, 58), (76, 68), (24, 68)], cloth, INK, 1.2)
    for x in (22, 78):
        c.rect(x - 5, 44, x + 5, 88, gold, INK, 1.3)
        c.ellipse(x, 43, 6.5, fill=shade(gold, 1.25), edge=INK, width=1.2)
    c.ellipse(50, 11, 3.4, fill=(210, 30, 60), edge=INK, width=0.8)
    return f"golden throne with {name} cushion"


@scene("crown")
def crown(c):
    c.ground(DARK_GROUNDS if c.chance(0.6) else PALE_GROUNDS)
    gold = c.jitter(GOLD, 8)
    outline = [(12, 84), (6, 28), (28, 54), (50, 14), (72, 54), (94, 28), (88, 84)]
    c.polygon(outline, gold, INK, 1.8)
    c.polygon([(50, 14), (72, 54), (94, 28), (88, 84), (50, 84)], shade(gold, 0.74))
    c.polygon(outline, None, INK, 1.8)
    c.rect(11, 70, 89, 86, shade(gold, 1.2), INK, 1.5)
    for x, y in ((6, 26), (50, 12), (94, 26)):
        c.ellipse(x if 10 < x < 90 else (8 if x < 50 else 92), y, 6, fill=gold, edge=INK, width=1.3)
    for x, name in ((25, "blue"), (50, "red"), (75, "green")):
        c.polygon([(x - 7, 78), (x, 72), (x + 7, 78), (x, 84)], COLOURS[name], INK, 1)
    c.ellipse(50, 54, 6.5, fill=COLOURS["red"], edge=INK, width=1.1)
    return "golden crown with jewels"


@scene("open book", "book")
def book(c):
    c.ground(DARK_GROUNDS if c.chance(0.5) else PALE_GROUNDS)
    name = c.pick(["red", "brown", "blue", "green"])
    cover = c.jitter(COLOURS[name])
    c.polygon([(2, 22), (50, 30), (98, 22), (98, 86), (50, 94), (2, 86)], cover, INK, 1.6)
    for sign in (-1, 1):
        page = [(50, 28)] + [(50 + sign * x, y) for x, y in smooth([(4, 22), (22, 16), (44, 20)], 6)]
        page += [(50 + sign * 44, 80)] + [(50 + sign * x, y) for x, y in smooth([(44, 80), (22, 77), (4, 84)], 6)] + [(50, 90)]
        c.polygon(page, (250, 240, 214) if sign < 0 else (232, 220, 190), INK, 1.2)
        for row in range(7):
            y = 29 + row * 7
            c.line([(50 + sign * 8, y + 2), (50 + sign * 24, y - 3), (50 + sign * 39, y - 2)], (84, 74, 66), 1.4)
    c.line([(50, 28), (50, 91)], INK, 1.6)
    return "open book"


@scene("closed book", "magic book")
def closed_book(c):
    c.ground(PALE_GROUNDS if c.chance(0.5) else DARK_GROUNDS)
    name = c.pick(["red", "brown", "blue", "green", "purple"])
    cover = c.jitter(shade(COLOURS[name], 0.85))
    c.polygon([(18, 8), (78, 8), (84, 14), (84, 94), (24, 94), (18, 88)], (238, 226, 196), INK, 1.4)
    c.rect(16, 6, 78, 88, cover, INK, 1.6)
    c.rect(16, 6, 27, 88, shade(cover, 0.6), INK, 1.1)
    for x, y in ((31, 10), (74, 10), (31, 84), (74, 84)):
        c.ellipse(x, y, 3, fill=GOLD, edge=INK, width=0.8)
    star = []
    for step in range(10):
        a = math.radians(-90 + step * 36)
        reach = 19 if step % 2 == 0 else 8
        star.append((52 + reach * math.cos(a), 47 + reach * math.sin(a)))
    c.ellipse(52, 47, 22, edge=GOLD, width=2)
    c.polygon(star, GOLD, INK, 1)
    return f"{name} magic book with a golden star"


@scene("map")
def chart(c):
    c.ground([((110, 74, 46), (84, 54, 34)), ((60, 66, 80), (40, 44, 56))])
    paper = c.jitter((232, 208, 152), 8)
    edge = []
    for x0, y0, x1, y1 in ((5, 8, 95, 5), (95, 5, 94, 94), (94, 94, 6, 95), (6, 95, 5, 8)):
        for step in range(6):
            t = step / 6
            edge.append((x0 + (x1 - x0) * t + c.uniform(-1.4, 1.4), y0 + (y1 - y0) * t + c.uniform(-1.4, 1.4)))
    c.polygon(edge, paper, (90, 60, 30), 1.8)
    coast = smooth([(18, 30), (34, 18), (52, 26), (60, 44), (50, 66), (36, 78), (22, 64), (26, 46)], 6, True)
    c.polygon(coast, (150, 180, 110), (96, 66, 36), 1.5)
    c.polygon(smooth([(70, 16), (84, 18), (86, 32), (74, 32)], 6, True), (150, 180, 110), (96, 66, 36), 1.5)
    for x, y in ((34, 40), (42, 34), (46, 44)):
        c.polygon([(x - 5, y + 5), (x, y - 5), (x + 5, y + 5)], (130, 100, 70), (70, 46, 26), 1)
    route = smooth([(30, 64), (44, 58), (58, 70), (68, 58), (76, 66)], 5)
    for first, second in zip(route[::3], route[1::3]):
        c.line([first, second], (170, 30, 26), 1.8)
    for sign in (-1, 1):
        c.line([(74, 66 - sign * 6), (86, 66 + sign * 6)], (200, 26, 24), 3)
    c.ellipse(76, 84, 6, edge=(90, 60, 30), width=1)
    c.polygon([(76, 75), (79, 84), (76, 93), (73, 84)], (130, 40, 34))
    c.polygon([(67, 84), (76, 81), (85, 84), (76, 87)], (90, 60, 30))
    return "treasure map"


@scene("potion")
def potion(c):
    c.ground(PALE_GROUNDS if c.chance(0.5) else DARK_GROUNDS)
    name = c.pick(["red", "blue", "green", "purple"])
    fluid = c.jitter(COLOURS[name])
    glass = (214, 232, 240)
    c.ellipse(50, 64, 34, 32, fill=glass, edge=INK, width=1.8)
    c.rect(40, 16, 60, 40, glass, INK, 1.6)
    c.rect(41, 28, 59, 42, glass)
    c.polygon(ring(50, 64, 30, 28, -12, 192, 24), fluid)
    c.polygon(ring(50, 64, 30, 28, -12, 90, 14) + [(56, 58)], shade(fluid, 0.72))
    c.ellipse(50, 58.4, 29, 4.5, fill=shade(fluid, 1.35))
    for x, y, size in ((42, 76, 3.2), (56, 70, 2.4), (50, 84, 2.2)):
        c.ellipse(x, y, size, fill=shade(fluid, 1.5))
    c.line(ring(50, 64, 28, 26, 190, 240, 8), (255, 255, 255), 2.6)
    c.rect(37, 14, 63, 20, shade(glass, 0.85), INK, 1.2)
    c.rect(42, 3, 58, 15, (160, 108, 62), INK, 1.3)
    return f"{name} potion"


@scene("key")
def key(c):
    c.ground(DARK_GROUNDS if c.chance(0.5) else PALE_GROUNDS)
    metal = c.jitter(c.pick([GOLD, (176, 182, 192)]), 8)
    c.rect(45.5, 40, 54.5, 94, metal, INK, 1.5)
    for y0, y1, reach in ((72, 79, 74), (83, 91, 78)):
        c.rect(54, y0, reach, y1, metal, INK, 1.4)
    c.rect(46.5, 44, 53.5, 93, metal)
    c.rect(51, 44, 53.5, 93, shade(metal, 0.7))
    c.rect(42, 42, 58, 48, shade(metal, 1.2), INK, 1.2)
    c.ellipse(50, 24, 20, fill=INK)
    c.ellipse(50, 24, 15, edge=metal, width=1)
    for radius in (18.6, 17, 15.5, 14, 12.8):
        c.ellipse(50, 24, radius, edge=metal, width=2)
    c.ellipse(50, 24, 11, fill=mix(c.image.getpixel((4, 4)), c.image.getpixel((4, 40)), 0.5), edge=INK, width=1.4)
    return "golden key" if metal[2] < 120 else "silver key"


@scene("sailing ship at sea", "ship")
def ship(c):
    kind = c.pick(["day", "day", "sunset"])
    sky(c, kind, 76)
    billows(c, 72, lit((28, 100, 165), kind), 2, 3)
    wood = lit(c.jitter((128, 78, 42)), kind)
    for x, top, foot in ((32, 14, 70), (54, 6, 70), (74, 18, 70)):
        c.line([(x, top), (x, foot)], (84, 54, 34), 1.8)
    name = c.pick(["white", "white", "red", "black"])
    sail = lit({"white": (246, 240, 224), "red": (190, 44, 40), "black": (50, 48, 56)}[name], kind)
    for x, y0, y1, half in ((32, 20, 38, 10), (32, 41, 62, 12), (54, 12, 34, 11), (54, 37, 62, 14), (74, 24, 40, 8), (74, 43, 62, 10)):
        left = [(x - half, y0), (x - half * 0.9, y1)]
        right = smooth([(x + half * 1.1, y1), (x + half * 1.3, (y0 + y1) / 2), (x + half, y0)], 5)
        c.polygon(left + right, sail, INK, 1)
        c.line([(x + half * 0.5, y0 + 2), (x + half * 0.6, y1 - 2)], shade(sail, 0.8), 1.6)
    c.polygon([(54, 6), (66, 3), (64, 10), (54, 11)], COLOURS["red"], INK, 0.7)
    hull = smooth([(6, 60), (14, 78), (26, 90)], 5) + smooth([(78, 90), (90, 76), (98, 58)], 5) + [(84, 68), (20, 68)]
    c.polygon(hull, wood, INK, 1.5)
    c.line([(14, 75), (90, 75)], shade(wood, 1.5), 1.8)
    for x in range(26, 84, 11):
        c.rect(x - 2, 79, x + 2, 83, INK)
    billows(c, 90, lit((24, 90, 150), kind), 2, 4)
    return f"sailing ship with {name} sails at sea"


@scene("candle")
def candle(c):
    c.ground(DARK_GROUNDS)
    c.rect(38, 44, 62, 90, c.jitter((244, 232, 204), 8), INK, 1.3)
    c.rect(54, 45, 61, 89, (206, 190, 160))
    c.ellipse(50, 90, 26, 7, fill=GOLD, edge=INK, width=1.2)
    c.rect(38.5, 80, 61.5, 90, (232, 218, 188))
    flame(c, 50, 43, 30)
