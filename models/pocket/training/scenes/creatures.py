"""Monsters and beasts."""
from .canvas import BONE, COLOURS, DARK_GROUNDS, INK, PALE_GROUNDS, mirrored, mix, shade, smooth
from .registry import scene
from .sky import sky
from .terrain import billows


def limb(points, thick, thin):
    """Beads (x, y, radius) along a smooth line, tapering from thick to thin."""
    line = smooth(points, 10)
    last = len(line) - 1
    return [(x, y, thick + (thin - thick) * step / last) for step, (x, y) in enumerate(line)]


def suckers(c, beads, tone, every=7, size=0.45):
    for x, y, radius in beads[every // 2::every]:
        c.ellipse(x, y, radius * size, fill=tone)


@scene("cthulhu")
def cthulhu(c):
    """A frontal octopus head with a beard of tentacles, glowing eyes and small bat wings."""
    c.ground([((34, 48, 60), (14, 22, 30)), ((46, 40, 62), (20, 16, 30)), ((70, 92, 96), (36, 52, 58))])
    skin = c.jitter(c.pick([(74, 150, 84), (66, 140, 96), (92, 152, 74)]), 8)
    dark = shade(skin, 0.5)
    edge = shade(skin, 0.16)
    for sign in (-1, 1):
        wing = [(22, 46), (30, 20), (48, 6), (46, 22), (49, 36), (42, 40), (43, 54), (34, 52), (26, 64)]
        c.polygon([(50 + sign * x, y) for x, y in wing], shade(skin, 0.5), edge, 1.5)
        for x, y in ((46, 22), (42, 40), (34, 52)):
            c.line([(50 + sign * 30, 20), (50 + sign * x, y)], edge, 1.1)
        c.line([(50 + sign * 22, 46), (50 + sign * 30, 20), (50 + sign * 48, 6)], shade(skin, 0.85), 2.2)
    c.polygon(mirrored(smooth([(50, 68), (72, 70), (88, 82), (94, 101)], 6) + [(50, 101)]), shade(skin, 0.7), edge, 1.5)
    for dx, swing, foot in ((26, 10, 84), (17, -7, 92), (8.5, 6, 97), (0, -3, 99)):
        for sign in ((-1, 1) if dx else (1,)):
            path = [(50 + sign * dx * 0.75, 54), (50 + sign * (dx + 3), 68), (50 + sign * (dx + swing * 0.3), 80),
                    (50 + sign * (dx + swing * 0.9), foot - 4), (50 + sign * (dx + swing * 1.5), foot - 5)]
            beads = limb(path, 6.4, 1.6)
            tone = shade(skin, 1.12 if (round(dx) % 2 == 0) else 0.86)
            c.tube(beads, tone, edge, 1.2)
            suckers(c, beads, shade(skin, 1.55))
    head = mirrored(smooth([(50, 4), (66, 7), (77, 20), (79, 38), (73, 53), (62, 61), (50, 63)], 6))
    c.polygon(head, skin, edge, 1.8)
    c.polygon(smooth([(57, 5), (66, 7), (77, 20), (79, 38), (73, 53), (62, 61), (66, 44), (66, 20)], 6, True), shade(skin, 0.72))
    c.polygon(smooth([(36, 14), (44, 8), (48, 12), (40, 20), (34, 28)], 6, True), shade(skin, 1.4))
    for x, y, size in ((50, 16, 2.4), (58, 14, 1.8), (44, 24, 1.8), (55, 24, 2)):
        c.ellipse(x, y, size, fill=dark)
    glow = c.pick([(255, 214, 50), (255, 120, 30), (250, 60, 40)])
    for sign in (-1, 1):
        c.glow(50 + sign * 14, 42, 15, glow, 0.45)
        eye = [(50 + sign * x, y) for x, y in ((4, 45), (10, 37), (20, 34), (24, 40), (18, 48), (9, 50))]
        c.polygon(eye, glow, edge, 1.6)
        c.ellipse(50 + sign * 14, 42, 2, 5.2, fill=(12, 8, 8))
        c.line([(50 + sign * 2, 40), (50 + sign * 25, 29)], edge, 2.6)
    return c.pick(["cthulhu with tentacles", "green cthulhu monster", "cthulhu with glowing eyes"])


@scene("kraken")
def kraken(c):
    sky(c, c.pick(["storm", "grey"]), 70)
    skin = c.jitter(c.pick([(168, 60, 74), (120, 70, 130), (180, 96, 60)]), 8)
    edge = shade(skin, 0.2)
    for sign in (-1, 1):
        for path in ([(14, 86), (30, 62), (40, 34), (32, 14), (22, 16)], [(24, 92), (44, 76), (47, 50), (42, 42)]):
            beads = limb([(50 + sign * x, y) for x, y in path], 6.6, 1.8)
            c.tube(beads, skin, edge, 1.2)
            suckers(c, beads, shade(skin, 1.55))
    head = mirrored(smooth([(50, 8), (62, 14), (70, 32), (67, 52), (70, 70), (66, 90)], 6) + [(50, 92)])
    c.polygon(head, skin, edge, 1.7)
    c.polygon(smooth([(54, 9), (62, 14), (70, 32), (67, 52), (70, 70), (66, 90)], 6) + [(58, 90), (60, 40)], shade(skin, 0.72))
    for sign in (-1, 1):
        c.ellipse(50 + sign * 10, 52, 7, fill=(250, 224, 90), edge=edge, width=1.4)
        c.ellipse(50 + sign * 10, 52, 5.5, 1.8, fill=(16, 10, 12))
        c.line([(50 + sign * 3, 47), (50 + sign * 17, 43)], edge, 2)
    billows(c, 82, (34, 88, 124), 3, 6)
    return "kraken in the sea"


@scene("octopus")
def octopus(c):
    c.gradient([(70, 160, 210), (24, 84, 150)])
    name = c.pick(["red", "orange", "purple", "pink"])
    skin = c.jitter(COLOURS[name])
    edge = shade(skin, 0.25)
    for reach, lift in ((40, 74), (32, 92), (18, 97), (6, 98)):
        for sign in (-1, 1):
            path = [(50 + sign * reach * 0.3, 54), (50 + sign * reach * 0.75, 72), (50 + sign * reach, lift), (50 + sign * (reach + 7), lift - 8)]
            beads = limb(path, 6.2, 2)
            c.tube(beads, shade(skin, 0.9), edge, 1.1)
            suckers(c, beads, shade(skin, 1.5))
    c.polygon(mirrored(smooth([(50, 6), (66, 10), (76, 26), (72, 44), (66, 60), (50, 64)], 6)), skin, edge, 1.7)
    for sign in (-1, 1):
        c.ellipse(50 + sign * 11, 44, 7.5, fill=(250, 250, 250), edge=edge, width=1.3)
        c.ellipse(50 + sign * 10, 45, 3.4, fill=INK)
    return f"{name} octopus"


@scene("tentacles")
def tentacles(c):
    c.ground([((60, 80, 96), (24, 34, 46)), ((90, 120, 130), (50, 74, 84))])
    name = c.pick(["green", "purple", "red", "pink"])
    skin = c.jitter(shade(COLOURS[name], 0.9))
    edge = shade(skin, 0.2)
    for x, tip, bend in ((14, 30, -9), (86, 26, 9), (34, 12, 9), (66, 16, -9), (50, 40, 7)):
        path = [(x, 104), (x + bend, 76), (x - bend * 0.8, 54), (x + bend * 0.6, tip + 12), (x + bend * 1.3, tip),
                (x + bend * 2.1, tip + 4)]
        beads = limb(path, 8.4, 1.8)
        c.tube(beads, skin, edge, 1.3)
        suckers(c, beads, shade(skin, 1.55), 6)
    return f"{name} tentacles"


def dragon(c, skin):
    """A dragon in profile: head to the left, wings raised, tail curling to the right."""
    edge = shade(skin, 0.2)
    belly = mix(skin, (250, 226, 150), 0.6)
    wing_skin = shade(skin, 0.72)
    far = [(54, 52), (48, 22), (34, 4), (64, 10), (76, 26), (68, 32), (70, 46)]
    c.polygon(far, shade(skin, 0.5), edge, 1.3)
    tail = limb([(66, 72), (82, 80), (92, 68), (84, 56), (92, 46)], 8, 1.6)
    c.tube(tail, skin, edge, 1.3)
    c.polygon([(92, 50), (86, 40), (98, 34), (98, 46)], shade(skin, 0.7), edge, 1)
    for x in (44, 66):
        c.polygon([(x - 6, 70), (x + 7, 70), (x + 5, 90), (x + 8, 96), (x - 10, 96), (x - 3, 88)], shade(skin, 0.82), edge, 1.3)
        for dx in (-9, -5, -1):
            c.polygon([(x + dx, 93), (x + dx - 2.5, 99), (x + dx + 1.5, 97)], BONE)
    body = smooth([(30, 40), (40, 44), (54, 50), (70, 58), (76, 72), (66, 84), (46, 84), (34, 72), (26, 54)], 6, True)
    c.polygon(body, skin, edge, 1.6)
    c.polygon(smooth([(27, 50), (34, 58), (42, 72), (56, 82), (44, 84), (33, 73), (26, 58)], 6, True), belly)
    for x, y in ((31, 58), (35, 66), (40, 73), (47, 79)):
        c.line([(x - 5, y + 3), (x + 4, y - 2)], shade(belly, 0.6), 1.1)
    neck = limb([(38, 52), (30, 42), (28, 32), (26, 24)], 10, 7)
    c.tube(neck, skin, edge, 1.3)
    c.polygon(body, None, None)
    for x, y in ((38, 22), (40, 31), (44, 39)):
        c.polygon([(x - 3, y - 4), (x + 5, y - 3), (x - 1, y + 5)], shade(skin, 0.6), edge, 0.8)
    head = smooth([(36, 14), (26, 9), (16, 14), (4, 20), (3, 27), (12, 31), (24, 33), (34, 28)], 6, True)
    c.polygon(head, skin, edge, 1.6)
    for dx in (0, 6):
        c.polygon([(28 + dx, 12), (42 + dx, 1), (34 + dx, 16)], BONE, edge, 1)
    c.line([(4, 26), (14, 26), (24, 28)], edge, 1.6)
    for x in (8, 13, 18):
        c.polygon([(x - 1.5, 26), (x + 1.5, 26.5), (x, 30)], (250, 246, 232))
    c.ellipse(22, 18, 3.8, fill=(255, 220, 50), edge=edge, width=1)
    c.ellipse(21.4, 18, 1.1, 3, fill=INK)
    c.ellipse(6.5, 21.5, 1, fill=edge)
    wing = [(58, 58), (58, 28), (66, 4), (98, 8), (90, 22), (95, 34), (84, 36), (84, 50), (74, 48), (72, 62)]
    c.polygon(wing, wing_skin, edge, 1.6)
    for x, y in ((90, 22), (84, 36), (74, 48)):
        c.line([(66, 4), (x, y)], edge, 1.1)
    c.line([(58, 58), (58, 28), (66, 4), (97, 8)], shade(skin, 1.25), 2.6)


@scene("dragon")
def any_dragon(c):
    c.ground(PALE_GROUNDS)
    name = c.pick(["green", "red", "green", "red", "blue", "gold"])
    dragon(c, c.jitter(shade(COLOURS[name], 0.95)))
    return f"{name} dragon"


@scene("green dragon")
def green_dragon(c):
    c.ground(PALE_GROUNDS)
    dragon(c, c.jitter((52, 152, 62)))


@scene("red dragon")
def red_dragon(c):
    c.ground(PALE_GROUNDS)
    dragon(c, c.jitter((204, 44, 36)))


@scene("dragon head")
def dragon_head(c):
    """A dragon's face from the front."""
    c.ground(DARK_GROUNDS if c.chance(0.5) else PALE_GROUNDS)
    name = c.pick(["green", "red"])
    skin = c.jitter(COLOURS[name])
    edge = shade(skin, 0.18)
    for sign in (-1, 1):
        c.polygon([(50 + sign * x, y) for x, y in smooth([(14, 30), (26, 18), (44, 2), (40, 20), (30, 36)], 5, True)], BONE, edge, 1.5)
        c.polygon([(50 + sign * x, y) for x, y in ((30, 38), (48, 44), (36, 50), (46, 60), (30, 60))], shade(skin, 0.6), edge, 1.3)
    c.polygon(mirrored(smooth([(50, 16), (66, 20), (80, 38), (76, 56), (66, 68), (68, 84), (60, 95), (50, 97)], 6)), skin, edge, 1.8)
    c.polygon(smooth([(54, 17), (66, 20), (80, 38), (76, 56), (66, 68), (68, 84), (60, 95), (56, 70)], 6, True), shade(skin, 0.72))
    for y in (24, 33, 42):
        c.polygon(mirrored([(50, y - 4), (55, y + 2), (50, y + 7)]), shade(skin, 1.3), edge, 0.9)
    for sign in (-1, 1):
        c.polygon([(50 + sign * x, y) for x, y in ((7, 54), (14, 44), (25, 42), (22, 52), (14, 56))], (255, 214, 50), edge, 1.5)
        c.ellipse(50 + sign * 15, 49.5, 1.7, 5, fill=INK)
        c.ellipse(50 + sign * 7, 76, 2.6, 2, fill=edge)
        c.polygon([(50 + sign * 14, 84), (50 + sign * 9, 84), (50 + sign * 11, 94)], (250, 246, 232), edge, 0.8)
    c.line(smooth([(33, 82), (42, 86), (50, 84), (58, 86), (67, 82)], 5), edge, 1.8)
    return f"{name} dragon head"
