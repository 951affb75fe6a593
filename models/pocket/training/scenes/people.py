"""People, the undead and parts of them."""
import math

from .armour import helmet
from .canvas import BONE, COLOURS, DARK_GROUNDS, INK, PALE_GROUNDS, STEEL, mirrored, ring, shade, smooth
from .registry import scene
from .sky import sky
from .terrain import rolling
from .weapons import sword

SKIN = [(232, 186, 150), (206, 154, 116), (150, 104, 76)]


def limb_line(c, points, tone, width, edge=INK):
    c.line(points, edge, width + 2.2)
    for x, y in (points[0], points[-1]):
        c.ellipse(x, y, width / 2 + 1.1, fill=edge)
    c.line(points, tone, width)
    for x, y in (points[0], points[-1]):
        c.ellipse(x, y, width / 2, fill=tone)


def heater(c, x, y, size, field, rim):
    """A small pointed shield; size is half its height."""
    outline = mirrored([(x, y - size), (x + size * 0.8, y - size), (x + size * 0.8, y), (x + size * 0.5, y + size * 0.6), (x, y + size)], x)
    c.polygon(outline, rim, INK, 1.3)
    inner = [(x + (px - x) * 0.76, y + (py - y) * 0.8) for px, py in outline]
    c.polygon(inner, field, INK, 0.9)
    c.rect(x - size * 0.1, y - size * 0.75, x + size * 0.1, y + size * 0.6, rim)
    c.rect(x - size * 0.55, y - size * 0.3, x + size * 0.55, y - size * 0.08, rim)


@scene("warrior")
def warrior(c):
    """A frontal fighter: horned helmet, sword held up on the right, shield on the left, cloak."""
    c.ground(PALE_GROUNDS if c.chance(0.7) else DARK_GROUNDS)
    name = c.pick(["red", "red", "blue", "green"])
    cloth = c.jitter(COLOURS[name])
    steel = c.jitter(STEEL)
    skin = c.pick(SKIN)
    c.polygon(mirrored(smooth([(50, 26), (64, 28), (72, 56), (78, 92)], 5) + [(50, 94)]), shade(cloth, 0.75), INK, 1.4)
    for sign in (-1, 1):
        limb_line(c, [(50 + sign * 7.5, 64), (50 + sign * 10, 90)], (92, 66, 48), 9)
        c.polygon([(50 + sign * 4, 80), (50 + sign * 15.5, 80), (50 + sign * 19, 98), (50 + sign * 4.5, 98)], (70, 46, 32), INK, 1.2)
    c.polygon(mirrored([(50, 58), (63, 58), (67, 76), (50, 78)]), cloth, INK, 1.3)
    limb_line(c, [(64, 34), (76, 44), (81, 32)], skin, 7)
    sword(c, 82, 0, 44, steel, (200, 156, 60), width=1, broad=0.085)
    c.ellipse(82, 34.5, 4.2, fill=skin, edge=INK, width=1)
    limb_line(c, [(36, 34), (26, 46), (24, 56)], skin, 7)
    body = mirrored([(50, 28), (63, 29), (66, 38), (61, 60), (50, 62)])
    c.polygon(body, steel, INK, 1.5)
    c.polygon([(53, 29), (63, 29), (66, 38), (61, 60), (53, 61)], shade(steel, 0.7))
    c.line(smooth([(36, 42), (44, 46), (50, 43), (56, 46), (64, 42)], 4), shade(steel, 0.4), 1.2)
    c.polygon(mirrored([(50, 56), (62.5, 55), (62, 61), (50, 62)]), (96, 58, 34), INK, 1)
    c.rect(46.5, 55, 53.5, 63, (228, 184, 70), INK, 0.9)
    for sign in (-1, 1):
        c.ellipse(50 + sign * 15, 32, 7, 6, fill=shade(steel, 1.2 if sign < 0 else 0.9), edge=INK, width=1.2)
    c.ellipse(50, 18, 9, 10, fill=skin, edge=INK, width=1.3)
    c.polygon(mirrored(smooth([(50, 22), (57, 20), (57, 26), (50, 31)], 4)), (96, 54, 28), INK, 0.9)
    c.polygon(ring(50, 16, 10.5, 12, 180, 360, 14), shade(steel, 1.05), INK, 1.3)
    c.rect(48.5, 14, 51.5, 22, shade(steel, 0.8), INK, 0.8)
    for sign in (-1, 1):
        horn = [(50 + sign * x, y) for x, y in smooth([(9, 13), (16, 9), (18, 0), (12, 5), (8, 8)], 4, True)]
        c.polygon(horn, BONE, INK, 1)
        c.ellipse(50 + sign * 4.2, 18.4, 1.4, fill=INK)
    heater(c, 22, 60, 17, cloth, shade(steel, 1.1))
    return c.pick([f"warrior with a {name} shield", "warrior with sword and shield", f"warrior with a {name} cloak"])


@scene("knight")
def knight(c):
    c.ground(PALE_GROUNDS if c.chance(0.7) else DARK_GROUNDS)
    name = c.pick(["red", "blue", "purple"])
    cloth = c.jitter(COLOURS[name])
    steel = c.jitter((186, 194, 206))
    for sign in (-1, 1):
        limb_line(c, [(50 + sign * 8, 64), (50 + sign * 10, 92)], shade(steel, 1.05 if sign < 0 else 0.8), 10)
        c.ellipse(50 + sign * 9, 78, 6, fill=shade(steel, 1.2), edge=INK, width=1.1)
        c.polygon([(50 + sign * 5, 92), (50 + sign * 16, 92), (50 + sign * 20, 99), (50 + sign * 5, 99)], shade(steel, 0.8), INK, 1.2)
        limb_line(c, [(50 + sign * 17, 38), (50 + sign * 21, 52), (50 + sign * 7, 60)], shade(steel, 1.0 if sign < 0 else 0.78), 8)
    body = mirrored([(50, 32), (65, 33), (66, 46), (62, 64), (50, 66)])
    c.polygon(body, steel, INK, 1.5)
    c.polygon([(53, 33), (65, 33), (66, 46), (62, 64), (53, 65)], shade(steel, 0.7))
    c.polygon(mirrored([(50, 44), (57, 44), (62, 78), (50, 80)]), cloth, INK, 1.2)
    for sign in (-1, 1):
        c.ellipse(50 + sign * 18, 36, 8, 7, fill=shade(steel, 1.25 if sign < 0 else 0.95), edge=INK, width=1.3)
    helmet(c, 50, 19, 15, steel, cloth)
    c.polygon([(50, 99), (46.5, 92), (46.5, 62), (53.5, 62), (53.5, 92)], shade(steel, 1.4), INK, 1.1)
    c.rect(40, 60, 60, 63.5, (228, 184, 70), INK, 1)
    c.rect(48, 50, 52, 60, (96, 58, 34), INK, 0.9)
    c.ellipse(50, 49, 2.6, fill=(228, 184, 70), edge=INK, width=0.9)
    for y in (53.5, 57.5):
        c.ellipse(50, y, 4.4, 2.4, fill=shade(steel, 0.9), edge=INK, width=0.9)
    return f"knight with a {name} plume"


@scene("mage with staff", "mage")
def mage(c):
    c.ground(PALE_GROUNDS if c.chance(0.6) else DARK_GROUNDS)
    name = c.pick(["blue", "purple", "red", "green"])
    robe = c.jitter(COLOURS[name])
    skin = c.pick(SKIN)
    c.line([(82, 14), (80, 98)], INK, 4.6)
    c.line([(82, 14), (80, 98)], (130, 84, 46), 2.6)
    orb = c.pick([(90, 230, 255), (255, 220, 80), (255, 90, 200)])
    c.glow(82, 12, 19, orb, 0.7)
    c.ellipse(82, 12, 6, fill=orb, edge=INK, width=1.2)
    c.ellipse(80, 10, 1.8, fill=(255, 255, 255))
    gown = mirrored(smooth([(50, 40), (61, 44), (66, 64), (76, 98)], 5) + [(50, 99)])
    c.polygon(gown, robe, INK, 1.6)
    c.polygon(smooth([(54, 41), (61, 44), (66, 64), (76, 98)], 5) + [(58, 98)], shade(robe, 0.68))
    c.polygon([(60, 46), (66, 44), (82, 52), (84, 62), (72, 66), (60, 58)], robe, INK, 1.3)
    c.ellipse(81, 57, 4.4, fill=skin, edge=INK, width=1)
    c.polygon([(40, 46), (34, 44), (22, 60), (24, 72), (36, 68)], robe, INK, 1.3)
    c.ellipse(23, 70, 4.2, fill=skin, edge=INK, width=1)
    c.polygon(mirrored([(50, 66), (64, 64), (65, 70), (50, 72)]), (228, 184, 70), INK, 1)
    c.ellipse(50, 34, 10, 10, fill=skin, edge=INK, width=1.2)
    c.polygon(mirrored(smooth([(50, 36), (60, 36), (59, 50), (50, 66)], 5)), (242, 242, 240), INK, 1.2)
    c.ellipse(50, 37.5, 2.4, 2, fill=shade(skin, 0.8))
    for sign in (-1, 1):
        c.ellipse(50 + sign * 4.4, 33, 1.5, fill=INK)
    c.polygon([(38, 28), (44, 14), (54, 1), (58, 16), (62, 28)], robe, INK, 1.4)
    c.polygon([(52, 4), (54, 1), (58, 16), (62, 28), (54, 28)], shade(robe, 0.68))
    c.ellipse(50, 28.5, 21, 4.6, fill=shade(robe, 1.12), edge=INK, width=1.3)
    return c.pick([f"mage with a {name} robe", "mage with staff and pointed hat", "wizard"])


@scene("skull")
def skull(c):
    c.ground(DARK_GROUNDS)
    bone = c.jitter(BONE)
    c.polygon(mirrored(smooth([(50, 4), (74, 9), (89, 30), (86, 52), (74, 64), (71, 78)], 6) + [(68, 94), (50, 97)]), bone, INK, 2)
    c.polygon(smooth([(66, 6), (74, 9), (89, 30), (86, 52), (74, 64), (71, 78)], 6) + [(68, 94), (62, 94), (64, 70), (76, 50)], shade(bone, 0.75))
    for sign in (-1, 1):
        c.ellipse(50 + sign * 18, 44, 12, 13, fill=(18, 15, 18), edge=shade(bone, 0.5), width=1.4)
        c.line(smooth([(50 + sign * 34, 62), (50 + sign * 26, 66), (50 + sign * 22, 74)], 4), shade(bone, 0.55), 1.4)
    c.polygon(mirrored([(50, 54), (54, 60), (57, 68), (50, 66)]), (20, 16, 18))
    for x in (34, 40, 46, 54, 60, 66):
        c.line([(x, 78), (x, 94)], (60, 52, 44), 1.5)
    c.line([(31, 86), (69, 86)], (60, 52, 44), 1.8)


@scene("skeleton")
def skeleton(c):
    c.ground(DARK_GROUNDS)
    bone = c.jitter(BONE)
    for sign in (-1, 1):
        limb_line(c, [(50 + sign * 16, 34), (50 + sign * 24, 50)], bone, 3.4)
        limb_line(c, [(50 + sign * 24, 50), (50 + sign * 22, 66)], bone, 3)
        limb_line(c, [(50 + sign * 7, 66), (50 + sign * 10, 82)], bone, 4)
        limb_line(c, [(50 + sign * 10, 82), (50 + sign * 10, 96)], bone, 3.4)
        limb_line(c, [(50 + sign * 10, 97), (50 + sign * 16, 97)], bone, 2.6)
        c.ellipse(50 + sign * 22, 68, 3.6, fill=bone, edge=INK, width=0.9)
        limb_line(c, [(50, 32), (50 + sign * 16, 33)], bone, 3)
    limb_line(c, [(50, 28), (50, 62)], bone, 3.6)
    for row, (y, half) in enumerate(((37, 13), (42, 14), (47, 13), (52, 11))):
        for sign in (-1, 1):
            c.line([(50 + sign * x, y + dy) for x, dy in smooth([(0, 0), (half * 0.8, -1), (half, 3), (half * 0.5, 5)], 4)], bone, 2)
    c.polygon(mirrored([(50, 60), (60, 58), (61, 66), (55, 70), (50, 67)]), bone, INK, 1.1)
    c.polygon(mirrored(smooth([(50, 3), (60, 5), (63, 14), (58, 21)], 5) + [(56, 28), (50, 29)]), bone, INK, 1.3)
    for sign in (-1, 1):
        c.ellipse(50 + sign * 5, 14, 3.5, 3.8, fill=(14, 12, 14))
    c.polygon([(50, 17), (48, 21), (52, 21)], INK)
    for x in (47, 50, 53):
        c.line([(x, 24), (x, 28)], INK, 0.8)


@scene("ghost")
def ghost(c):
    c.ground([((34, 36, 62), (14, 16, 34)), ((40, 50, 60), (18, 24, 32))])
    white = c.jitter((232, 240, 248), 6)
    c.glow(50, 52, 58, (150, 180, 230), 0.4)
    hem = [(84, 96), (76, 86), (67, 96), (58, 86), (50, 96), (42, 86), (33, 96), (24, 86), (16, 96)]
    top = smooth([(16, 96), (18, 46), (30, 14), (50, 5), (70, 14), (82, 46), (84, 96)], 6)
    c.polygon(top + hem, white, INK, 1.6)
    c.polygon(smooth([(62, 9), (70, 14), (82, 46), (84, 96)], 6) + [(74, 88), (70, 40)], shade(white, 0.78))
    for sign in (-1, 1):
        c.ellipse(50 + sign * 13, 38, 6.5, 9, fill=(18, 18, 30))
    c.ellipse(50, 60, 7, 9, fill=(18, 18, 30))


@scene("eye")
def eye(c):
    c.ground([((232, 190, 160), (214, 166, 134)), ((206, 154, 116), (184, 132, 96))])
    name = c.pick(["blue", "green", "brown"])
    iris = c.jitter(COLOURS[name])
    lens = smooth([(3, 54), (24, 32), (50, 24), (76, 32), (97, 54)], 6) + smooth([(97, 54), (76, 72), (50, 78), (24, 72), (3, 54)], 6)
    c.polygon(lens, (250, 250, 248), INK, 2.6)
    c.ellipse(50, 51, 25, fill=iris, edge=shade(iris, 0.4), width=2.2)
    for turn in range(0, 360, 20):
        a = math.radians(turn)
        c.line([(50 + 12 * math.cos(a), 51 + 12 * math.sin(a)), (50 + 22 * math.cos(a), 51 + 22 * math.sin(a))], shade(iris, 1.4), 1.2)
    c.ellipse(50, 51, 11.5, fill=(10, 9, 12))
    c.ellipse(43, 43, 5.5, fill=(255, 255, 255))
    c.line(smooth([(6, 40), (26, 20), (50, 13), (74, 20), (94, 40)], 6), (110, 66, 50), 2.4)
    for x, y, dx in ((14, 43, -6), (28, 30, -4), (50, 24, 0), (72, 30, 4), (86, 43, 6)):
        c.line([(x, y), (x + dx, y - 10)], INK, 2)
    return f"{name} eye"


@scene("face")
def face(c):
    c.ground(PALE_GROUNDS)
    skin = c.pick(SKIN)
    hair = c.pick([(60, 40, 28), (30, 26, 26), (200, 150, 70), (150, 70, 34)])
    c.ellipse(50, 40, 37, 37, fill=hair, edge=INK, width=1.5)
    c.polygon(mirrored(smooth([(50, 22), (72, 24), (78, 46), (72, 74), (60, 90), (50, 94)], 6)), skin, INK, 1.5)
    c.polygon(smooth([(22, 46), (26, 24), (50, 28), (76, 22), (78, 46), (84, 30), (66, 8), (34, 8), (16, 30)], 5, True), hair)
    for sign in (-1, 1):
        c.ellipse(50 + sign * 13, 50, 6, 4, fill=(250, 250, 250), edge=INK, width=1)
        c.ellipse(50 + sign * 13, 50, 2.8, fill=(50, 80, 110))
        c.line([(50 + sign * 6, 41), (50 + sign * 20, 40)], shade(hair, 0.8), 2.4)
    c.line([(50, 52), (47, 65), (53, 65)], shade(skin, 0.65), 1.6)
    c.line(smooth([(40, 76), (50, 80), (60, 76)], 4), (170, 60, 60), 3)


@scene("horse and rider", "rider on a horse")
def rider(c):
    sky(c, c.pick(["day", "sunset"]), 88)
    rolling(c, 88, 1.5, (110, 150, 76))
    coat = c.jitter(c.pick([(124, 76, 44), (70, 54, 48), (222, 216, 206)]))
    edge = INK
    for x0, x1 in ((36, 30), (42, 46), (70, 66), (74, 82)):
        limb_line(c, [(x0, 66), ((x0 + x1) / 2 + 2, 80), (x1, 94)], shade(coat, 0.8), 4.6)
    c.line(smooth([(80, 54), (90, 58), (92, 76)], 5), INK, 6)
    c.line(smooth([(80, 54), (90, 58), (92, 75)], 5), shade(coat, 0.45), 4)
    horse = smooth([(32, 54), (24, 40), (14, 40), (6, 44), (5, 37), (14, 28), (22, 22), (30, 28), (38, 44), (56, 50), (76, 48),
                    (83, 58), (78, 72), (60, 70), (44, 73), (34, 66)], 5, True)
    c.polygon(horse, coat, edge, 1.5)
    c.polygon(smooth([(22, 20), (30, 24), (40, 44), (32, 40), (26, 30)], 5, True), shade(coat, 0.45))
    c.polygon([(20, 25), (21, 15), (26, 23)], coat, edge, 1)
    c.ellipse(16.5, 31, 1.4, fill=INK)
    name = c.pick(["red", "blue"])
    cloth = c.jitter(COLOURS[name])
    c.polygon([(56, 26), (64, 26), (84, 40), (82, 56), (64, 44)], shade(cloth, 0.8), edge, 1.2)
    limb_line(c, [(56, 46), (50, 62), (52, 72)], (92, 66, 48), 5.6)
    c.polygon([(50, 26), (63, 26), (64, 50), (50, 50)], cloth, edge, 1.4)
    limb_line(c, [(54, 30), (44, 38), (36, 38)], cloth, 4.6)
    c.ellipse(56, 16, 7, 8, fill=c.pick(SKIN), edge=edge, width=1.2)
    c.polygon(ring(56, 14, 8, 9, 180, 360, 12), STEEL, edge, 1.2)
    return f"rider in {name} on a horse"
