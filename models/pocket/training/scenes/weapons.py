"""Weapons and shields, one large one per picture."""
from .canvas import COLOURS, DARK_GROUNDS, INK, PALE_GROUNDS, STEEL, mirrored, ring, shade, smooth
from .registry import scene

HILTS = [(150, 98, 44), (214, 172, 66), (92, 56, 36), (70, 72, 84)]


def sword(c, x, tip, pommel, blade, hilt, edge=INK, width=1.2, broad=0.075):
    """An upright sword from its tip down to its pommel; broad is half the blade's width over its length."""
    length = pommel - tip
    half = length * broad
    guard = tip + length * 0.74
    outline = mirrored([(x, tip), (x + half * 0.8, tip + length * 0.1), (x + half, guard)], x)
    c.polygon(outline, blade)
    c.polygon([(x, tip), (x + half * 0.8, tip + length * 0.1), (x + half, guard), (x, guard)], shade(blade, 0.66))
    c.line([(x - half * 0.35, tip + length * 0.1), (x - half * 0.35, guard - 1)], shade(blade, 1.6), half * 0.3)
    c.polygon(outline, None, edge, width)
    grip = half * 0.6
    c.rect(x - grip, guard, x + grip, pommel - length * 0.03, shade(hilt, 0.6), edge, width)
    for share in (0.25, 0.5, 0.75):
        y = guard + (pommel - guard) * share
        c.line([(x - grip, y), (x + grip, y - length * 0.012)], shade(hilt, 1.25), width * 0.7)
    reach = length * 0.2
    bar = length * 0.028
    c.polygon(mirrored([(x, guard - bar), (x + reach * 0.8, guard - bar), (x + reach, guard - bar * 1.6),
                        (x + reach, guard + bar * 1.6), (x + reach * 0.8, guard + bar), (x, guard + bar)], x), hilt, edge, width)
    c.ellipse(x, pommel - length * 0.03, length * 0.045, fill=hilt, edge=edge, width=width)


@scene("sword")
def plain_sword(c):
    c.ground(PALE_GROUNDS if c.chance(0.5) else DARK_GROUNDS)
    sword(c, 50, 3, 97, c.jitter(c.pick([STEEL, (200, 206, 216), (160, 172, 190)])), c.jitter(c.pick(HILTS)))
    return c.pick(["steel sword", "long sword", "sword with a bright blade"])


def coloured_sword(name):
    @scene(f"{name} sword")
    def draw(c):
        c.ground(PALE_GROUNDS)
        sword(c, 50, 3, 97, c.jitter(COLOURS[name]), c.jitter(c.pick(HILTS[:1] + HILTS[2:])), broad=0.09)


for colour_name in ("red", "blue", "green", "gold", "black", "purple"):
    coloured_sword(colour_name)


@scene("crossed swords", "two swords")
def crossed_swords(c):
    c.ground(PALE_GROUNDS)
    hilt = c.jitter(c.pick(HILTS))
    blade = c.jitter(STEEL)
    for sign in (-1, 1):
        def at(along, across):
            return (50 + sign * (-42 + 84 * along + 42 * across), 94 - 88 * along + 42 * across)

        c.polygon([at(0.25, -0.06), at(0.92, -0.05), at(1, 0), at(0.92, 0.05), at(0.25, 0.06)], blade, INK, 1.2)
        c.polygon([at(0.25, 0), at(1, 0), at(0.92, 0.05), at(0.25, 0.06)], shade(blade, 0.66))
        c.polygon([at(0.05, -0.05), at(0.25, -0.05), at(0.25, 0.05), at(0.05, 0.05)], shade(hilt, 0.6), INK, 1)
        c.polygon([at(0.22, -0.28), at(0.27, -0.28), at(0.27, 0.28), at(0.22, 0.28)], hilt, INK, 1.1)
        c.ellipse(*at(0.03, 0), 4.5, fill=hilt, edge=INK, width=1.1)
    return "crossed swords"


@scene("dagger")
def dagger(c):
    c.ground(PALE_GROUNDS if c.chance(0.6) else DARK_GROUNDS)
    sword(c, 50, 10, 92, c.jitter(STEEL), c.jitter(c.pick(HILTS)), broad=0.13)


@scene("axe")
def axe(c):
    c.ground(PALE_GROUNDS if c.chance(0.6) else DARK_GROUNDS)
    wood = c.jitter((136, 88, 48))
    c.rect(46, 6, 54, 97, wood, INK, 1.2)
    c.rect(50.5, 7, 53, 96, shade(wood, 0.7))
    steel = c.jitter(STEEL)
    head = [(54, 22), (66, 20), (78, 8), (90, 28), (90, 46), (78, 64), (66, 48), (54, 46)]
    c.polygon(smooth(head[:3], 4) + smooth(head[2:6], 4) + smooth(head[5:], 4), steel, INK, 1.4)
    c.polygon(smooth([(78, 8), (90, 28), (90, 46), (78, 64)], 5) + smooth([(78, 64), (84, 46), (84, 28), (78, 8)], 5),
              shade(steel, 1.6), INK, 0.9)
    c.polygon([(46, 24), (34, 28), (26, 34), (34, 40), (46, 44)], shade(steel, 0.75), INK, 1.2)
    c.rect(43, 22, 57, 46, shade(steel, 0.6), INK, 1.2)
    for y in (78, 84, 90):
        c.line([(45.5, y), (54.5, y - 2)], shade(wood, 0.45), 1.6)
    return "battle axe"


@scene("double axe", "battle axe")
def double_axe(c):
    c.ground(PALE_GROUNDS if c.chance(0.5) else DARK_GROUNDS)
    wood = c.jitter((120, 78, 46))
    c.rect(46.5, 6, 53.5, 97, wood, INK, 1.2)
    steel = c.jitter(STEEL)
    for sign in (-1, 1):
        outer = [(50 + sign * x, y) for x, y in smooth([(28, 6), (40, 24), (40, 44), (28, 62)], 6)]
        inner = [(50 + sign * x, y) for x, y in smooth([(28, 62), (16, 46), (5, 42), (5, 26), (16, 22), (28, 6)], 6)]
        c.polygon(outer + inner, shade(steel, 1.1 if sign < 0 else 0.8), INK, 1.4)
        c.line([(50 + sign * x, y) for x, y in smooth([(27, 14), (35, 26), (35, 42), (27, 54)], 6)], shade(steel, 1.6), 2)
    c.rect(43, 24, 57, 44, shade(steel, 0.55), INK, 1.2)
    return "double axe"


@scene("shield")
def shield(c):
    c.ground(PALE_GROUNDS)
    name = c.pick(["red", "blue", "green", "purple", "black"])
    field = c.jitter(COLOURS[name])
    rim = c.jitter(c.pick([STEEL, (224, 182, 70)]))
    outer = mirrored([(50, 8), (68, 12), (88, 8), (88, 44), (80, 68), (66, 84), (50, 95)])
    inner = mirrored([(50, 15), (68, 18), (81, 16), (81, 44), (74, 64), (62, 78), (50, 87)])
    c.polygon(outer, rim, INK, 1.6)
    c.polygon(inner, field, INK, 1.1)
    c.polygon([(50, 15)] + inner[1:7], shade(field, 0.72))
    c.rect(45, 15, 55, 86, rim)
    c.rect(19, 38, 81, 48, rim)
    c.ellipse(50, 43, 11, fill=rim, edge=INK, width=1.3)
    c.ellipse(47, 40, 4, fill=shade(rim, 1.6))
    c.polygon(inner, None, INK, 1.1)
    return f"{name} shield"


@scene("round shield")
def round_shield(c):
    c.ground(PALE_GROUNDS)
    wood = c.jitter(c.pick([(150, 96, 52), (178, 40, 36), (48, 84, 160)]))
    c.ellipse(50, 50, 45, fill=c.jitter((128, 132, 142)), edge=INK, width=1.4)
    c.ellipse(50, 50, 38, fill=wood, edge=INK, width=1.1)
    for x in (27, 38.5, 50, 61.5, 73):
        reach = (37.5 ** 2 - (x - 50) ** 2) ** 0.5
        c.line([(x, 50 - reach), (x, 50 + reach)], shade(wood, 0.55), 1)
    for turn in range(0, 360, 45):
        spot = ring(50, 50, 41.5, 41.5, turn, turn + 1, 1)[0]
        c.ellipse(spot[0], spot[1], 1.8, fill=(214, 218, 224))
    c.ellipse(50, 50, 13, fill=c.jitter(STEEL), edge=INK, width=1.4)
    c.ellipse(46, 46, 5, fill=(236, 240, 246))


@scene("bow", "bow and arrow")
def bow(c):
    c.ground(PALE_GROUNDS)
    wood = c.jitter((140, 86, 44))
    curve = smooth([(30, 4), (44, 14), (66, 30), (72, 50), (66, 70), (44, 86), (30, 96)], 8)
    c.line(curve, INK, 6.5)
    c.line(curve, wood, 4.2)
    c.line([(31, 5), (31, 95)], (60, 56, 52), 1.1)
    c.rect(68, 43, 75, 57, (84, 46, 30), INK, 1)
    c.line([(10, 50), (88, 50)], (90, 60, 36), 2)
    c.polygon([(96, 50), (85, 44), (85, 56)], c.jitter(STEEL), INK, 1)
    red = c.jitter(c.pick([(200, 40, 40), (245, 245, 245), (50, 100, 200)]))
    for y in (44, 56):
        c.polygon([(20, 50), (14, y), (4, y), (10, 50)], red, INK, 0.8)
    return "wooden bow with an arrow"


@scene("spear")
def spear(c):
    c.ground(PALE_GROUNDS if c.chance(0.5) else DARK_GROUNDS)
    c.rect(47.5, 30, 52.5, 99, c.jitter((140, 92, 50)), INK, 1)
    steel = c.jitter(STEEL)
    head = mirrored([(50, 2), (60, 22), (55, 36)])
    c.polygon(head, steel, INK, 1.3)
    c.polygon([(50, 3), (60, 22), (55, 36), (50, 36)], shade(steel, 0.66))
    c.rect(45, 36, 55, 40, c.jitter((170, 40, 36)), INK, 1)


@scene("hammer", "war hammer")
def hammer(c):
    c.ground(PALE_GROUNDS if c.chance(0.6) else DARK_GROUNDS)
    c.rect(45.5, 38, 54.5, 97, c.jitter((132, 84, 46)), INK, 1.2)
    steel = c.jitter((150, 156, 168))
    c.rect(18, 8, 82, 42, steel, INK, 1.6)
    c.rect(18, 8, 82, 18, shade(steel, 1.45))
    c.rect(18, 34, 82, 42, shade(steel, 0.6))
    for x in (28, 72):
        c.line([(x, 8), (x, 42)], INK, 1.2)
    c.rect(18, 8, 82, 42, None, INK, 1.6)
