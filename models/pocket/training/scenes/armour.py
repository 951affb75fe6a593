"""Armour: a torso or a helmet filling the picture."""
from .canvas import COLOURS, DARK_GROUNDS, INK, PALE_GROUNDS, STEEL, mirrored, ring, shade, smooth
from .registry import scene


def helmet(c, x, y, size, steel, plume=None, edge=INK, width=1.4):
    """A closed knight's helmet; (x, y) is its middle, size half its height."""
    if plume:
        crest = [(x, y - size * 0.9), (x + size * 0.1, y - size * 1.3), (x + size * 0.6, y - size * 1.3),
                 (x + size, y - size * 0.8), (x + size * 1.0, y - size * 0.1), (x + size * 0.7, y - size * 0.6)]
        c.polygon(smooth(crest, 5, True), plume, edge, width)
    outline = smooth([(x, y - size), (x + size * 0.55, y - size * 0.8), (x + size * 0.78, y - size * 0.2),
                      (x + size * 0.72, y + size * 0.5), (x + size * 0.42, y + size * 0.95), (x, y + size)], 5)
    c.polygon(mirrored(outline, x), steel)
    c.polygon(outline + [(x, y)], shade(steel, 0.72))
    c.polygon([(x - size * 0.5, y - size * 0.5), (x - size * 0.25, y - size * 0.75), (x - size * 0.3, y - size * 0.25)],
              shade(steel, 1.7))
    c.polygon(mirrored(outline, x), None, edge, width)
    c.polygon(mirrored([(x, y - size * 0.14), (x + size * 0.76, y - size * 0.2), (x + size * 0.76, y + size * 0.06),
                        (x, y + size * 0.14)], x), (14, 13, 18), edge, width * 0.7)
    c.rect(x - size * 0.08, y - size * 0.98, x + size * 0.08, y + size * 0.97, shade(steel, 1.35), edge, width * 0.6)
    for sign in (-1, 1):
        for dx in (0.24, 0.42, 0.58):
            for dy in (0.36, 0.58):
                c.ellipse(x + sign * dx * size, y + dy * size, size * 0.055, fill=(18, 17, 22))


@scene("helmet")
def knight_helmet(c):
    c.ground(PALE_GROUNDS if c.chance(0.6) else DARK_GROUNDS)
    name = c.pick([None, "red", "blue"])
    helmet(c, 48, 54, 42, c.jitter(STEEL), c.jitter(COLOURS[name]) if name else None)
    return f"knight helmet with a {name} plume" if name else "steel helmet"


TORSO = [(50, 17), (58, 16), (65, 10), (75, 14), (78, 30), (74, 44), (77, 58), (71, 72), (73, 82), (50, 85)]


def pauldron(c, sign, metal, edge=INK):
    """A shoulder piece of three overlapping plates; sign 1 is on the right."""
    for step in (2, 1, 0):
        x = 50 + sign * (33 + step * 2.6)
        y = 24 + step * 8.5
        plate = ring(x, y, 14 - step * 0.8, 12.5, 180, 360, 12) + [(x + 14 - step, y + 4), (x - 14 + step, y + 4)]
        tone = shade(metal, 1.12 if sign < 0 else 0.82)
        c.polygon(plate, tone, edge, 1.3)
        c.line(ring(x - 3, y - 1, 8, 8, 190, 280, 8), shade(metal, 1.75), 1.7)


@scene("metal armour")
def metal_armour(c):
    """A gleaming steel breastplate with shoulder plates, ridges, rivets and a skirt of lames."""
    c.ground(DARK_GROUNDS if c.chance(0.5) else PALE_GROUNDS)
    steel = c.jitter(c.pick([(186, 194, 206), (170, 180, 196), (196, 200, 208)]), 8)
    for step in (2, 1, 0):
        top = 78 + step * 6
        half = 24 + step * 2.6
        lame = mirrored([(50, top), (50 + half, top - 2), (50 + half + 1.5, top + 7), (50, top + 10)])
        c.polygon(lame, shade(steel, 0.95), INK, 1.2)
        c.polygon([(50, top), (50 + half, top - 2), (50 + half + 1.5, top + 7), (50, top + 10)], shade(steel, 0.62))
        c.polygon(lame, None, INK, 1.2)
    body = mirrored(smooth(TORSO, 4))
    c.polygon(body, steel)
    c.polygon(smooth(TORSO, 4), shade(steel, 0.68))
    c.polygon(smooth([(47, 24), (36, 28), (30, 44), (36, 54), (47, 52)], 5, True), shade(steel, 1.6))
    c.polygon(smooth([(54, 26), (64, 28), (69, 42), (64, 52), (54, 52)], 5, True), shade(steel, 0.95))
    c.polygon([(45, 56), (33, 58), (36, 70), (46, 72)], shade(steel, 1.35))
    c.line([(50, 20), (50, 84)], shade(steel, 1.85), 1.8)
    c.line([(51.4, 20), (51.4, 84)], shade(steel, 0.4), 1)
    c.line(smooth([(25, 52), (36, 58), (50, 55), (64, 58), (75, 52)], 5), shade(steel, 0.36), 1.6)
    c.line([(28, 74), (50, 77), (72, 74)], shade(steel, 0.36), 1.6)
    c.polygon(body, None, INK, 1.7)
    c.polygon(mirrored([(50, 20), (58, 18), (63, 9), (56, 6), (50, 7)]), shade(steel, 0.5), INK, 1.3)
    c.polygon(mirrored([(50, 12), (57, 11), (59, 8), (50, 9)]), (18, 17, 22))
    for x, y in ((29, 64), (71, 64), (29, 72), (71, 72), (33, 80), (67, 80), (42, 82), (58, 82)):
        c.ellipse(x, y, 1.5, fill=(236, 240, 246), edge=INK, width=0.6)
    for sign in (-1, 1):
        pauldron(c, sign, steel)
    return c.pick(["metal plate armour", "steel breastplate", "knight armour of shining steel"])


@scene("gold armour")
def gold_armour(c):
    metal_armour_in(c, c.jitter((226, 176, 58), 8))


def metal_armour_in(c, metal):
    """The same torso in another metal, with plainer plates."""
    c.ground(DARK_GROUNDS)
    body = mirrored(smooth(TORSO, 4))
    c.polygon(mirrored([(50, 80), (74, 78), (80, 97), (50, 99)]), shade(metal, 0.7), INK, 1.4)
    for x in (34, 42, 50, 58, 66):
        c.line([(x, 84), (50 + (x - 50) * 1.25, 98)], INK, 1)
    c.polygon(body, metal)
    c.polygon(smooth(TORSO, 4), shade(metal, 0.7))
    c.polygon(smooth([(46, 24), (36, 28), (30, 44), (36, 54), (46, 52)], 5, True), shade(metal, 1.55))
    c.polygon(body, None, INK, 1.7)
    c.line(smooth([(25, 52), (36, 58), (50, 55), (64, 58), (75, 52)], 5), shade(metal, 0.4), 1.6)
    c.polygon(mirrored([(50, 20), (58, 18), (63, 9), (50, 7)]), shade(metal, 0.45), INK, 1.2)
    for sign in (-1, 1):
        pauldron(c, sign, metal)


@scene("leather armour")
def leather_armour(c):
    """A brown leather torso: laced front, stitched seams, straps and a buckled belt."""
    c.ground(PALE_GROUNDS)
    hide = c.jitter(c.pick([(134, 80, 40), (118, 70, 38), (152, 94, 48)]), 8)
    dark = shade(hide, 0.45)
    thread = (240, 212, 150)
    for place in range(5):
        left = 26 + place * 9.8
        lean = (place - 2) * 2.2
        c.polygon([(left, 74), (left + 9, 74), (left + 9 + lean, 95), (left + 4.5 + lean, 98), (left + lean, 95)],
                  shade(hide, 0.86 if place < 3 else 0.66), INK, 1.2)
        c.line([(left + 4.5, 78), (left + 4.5 + lean, 92)], thread, 0.9)
    body = mirrored(smooth(TORSO[:-2] + [(72, 78), (50, 80)], 4))
    c.polygon(body, hide)
    c.polygon(smooth(TORSO[:-2] + [(72, 78), (50, 80)], 4), shade(hide, 0.74))
    c.polygon(smooth([(44, 26), (34, 30), (30, 44), (36, 52), (43, 48)], 5, True), shade(hide, 1.18))
    c.polygon(body, None, INK, 1.7)
    c.polygon(mirrored([(50, 34), (57, 10), (50, 8)]), (52, 30, 20), INK, 1.2)
    c.polygon(mirrored([(50, 68), (54.5, 68), (56, 24), (50, 34)]), shade(hide, 0.5), dark, 0.9)
    for y in range(32, 66, 7):
        c.line([(44.5, y), (55.5, y + 6)], thread, 1.5)
        c.line([(55.5, y), (44.5, y + 6)], thread, 1.5)
    for sign in (-1, 1):
        for step in range(8):
            y = 24 + step * 6
            x = 50 + sign * (21 - abs(step - 3) * 0.6)
            c.line([(x, y), (x, y + 3)], thread, 1.1)
        shoulder = ring(50 + sign * 33, 27, 13.5, 15, 180, 360, 12) + [(50 + sign * 33 + 12, 38), (50 + sign * 33 - 12, 38)]
        c.polygon(shoulder, shade(hide, 1.06 if sign < 0 else 0.72), INK, 1.4)
        c.line(ring(50 + sign * 33, 28, 9.5, 11, 190, 350, 10), thread, 1)
        c.line([(50 + sign * 33 - 11, 35), (50 + sign * 33 + 11, 35)], dark, 1.4)
        strap = [(50 + sign * 14, 12), (50 + sign * 19, 12), (50 + sign * 17, 26), (50 + sign * 12, 26)]
        c.polygon(strap, shade(hide, 0.6), INK, 0.9)
        c.ellipse(50 + sign * 14.5, 24, 1.7, fill=(226, 186, 80))
    c.polygon(mirrored([(50, 69), (74, 67), (74, 76), (50, 78)]), shade(hide, 0.48), INK, 1.2)
    c.rect(42, 66.5, 58, 80, (228, 186, 76), INK, 1.2)
    c.rect(45.5, 70, 54.5, 76.5, shade(hide, 0.4), INK, 0.8)
    return c.pick(["brown leather armour", "leather armour with straps and a buckle", "leather breastplate"])


@scene("chainmail armour")
def mail_shirt(c):
    c.ground(DARK_GROUNDS)
    steel = c.jitter((152, 158, 168))
    shirt = mirrored([(50, 18), (62, 10), (84, 18), (97, 44), (84, 52), (76, 40), (76, 96), (50, 98)])
    c.polygon(shirt, shade(steel, 0.5))
    row = 0
    for y in range(12, 99, 4):
        for step in range(26):
            x = step * 4 + 2 * (row % 2)
            c.ellipse(x, y, 2, 1.8, edge=shade(steel, 1.25), width=0.8)
        row += 1
    outside = mirrored([(50, 18), (62, 10), (84, 18), (97, 44), (84, 52), (76, 40), (76, 96), (50, 98)])
    tone = (34, 37, 46)
    c.polygon([(0, 0), (100, 0), (100, 100), (50, 100)] + [(50, 98)] + outside[::-1][:0] + list(reversed(outside[:8]))
              + [(50, 0)], tone)
    c.polygon([(0, 0), (50, 0)] + outside[::-1][:8] + [(50, 100), (0, 100)], tone)
    c.polygon(outside, None, INK, 1.8)
    c.rect(24, 62, 76, 69, (110, 66, 36), INK, 1)
    c.rect(45, 60, 55, 71, (224, 182, 76), INK, 1)


@scene("boots")
def boots(c):
    c.ground(PALE_GROUNDS)
    hide = c.jitter((120, 72, 40))
    for shift in (-22, 22):
        x = 44 + shift
        boot = [(x - 9, 10), (x + 11, 10), (x + 11, 62), (x + 22, 74), (x + 24, 86), (x - 10, 86), (x - 8, 56)]
        c.polygon(boot, hide, INK, 1.5)
        c.rect(x - 11, 8, x + 13, 20, shade(hide, 1.2), INK, 1.2)
        c.polygon([(x - 11, 85), (x + 25, 85), (x + 25, 92), (x - 11, 92)], shade(hide, 0.4), INK, 1)
        c.rect(x - 9, 52, x + 12, 58, shade(hide, 0.55), INK, 0.9)
        c.rect(x - 2, 51, x + 5, 59, (224, 182, 76), INK, 0.8)


@scene("gauntlet")
def gauntlet(c):
    c.ground(DARK_GROUNDS if c.chance(0.5) else PALE_GROUNDS)
    steel = c.jitter(STEEL)
    c.polygon([(28, 98), (36, 62), (68, 62), (78, 98)], steel, INK, 1.5)
    c.polygon([(56, 62), (68, 62), (78, 98), (60, 98)], shade(steel, 0.65))
    c.polygon([(34, 64), (32, 34), (70, 34), (70, 64)], shade(steel, 1.1), INK, 1.5)
    for place, top in enumerate((12, 5, 7, 14)):
        x = 32 + place * 9.6
        for part in range(3):
            y0 = top + (36 - top) * part / 3
            c.rect(x, y0, x + 9, y0 + (36 - top) / 3, shade(steel, 1.25 - 0.18 * place), INK, 1)
    c.polygon([(70, 58), (84, 44), (90, 30), (82, 26), (70, 40)], shade(steel, 0.75), INK, 1.3)
    c.rect(30, 60, 74, 68, shade(steel, 0.55), INK, 1.2)
