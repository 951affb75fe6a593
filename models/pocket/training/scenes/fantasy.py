"""Fantasy landscapes and cities of the future."""
from .buildings import castle, keep_silhouette
from .canvas import mirrored, mix, shade, smooth
from .registry import scene
from .sky import cloud_cover, lightning, moon, sky, stars, sun
from .terrain import SNOW, peak, pine, ragged, rolling, three_peaks, water


@scene("malazan landscape")
def malazan(c):
    """A dark fantasy land: a fortress on a crag under a red and violet storm."""
    sky(c, "dread", 74)
    cloud_cover(c, (46, 18, 66), 62, 0.5, 0.85)
    cloud_cover(c, (255, 130, 60), 60, 0.28, 0.5)
    c.glow(50, 62, 42, (255, 160, 60), 0.75)
    far = c.jitter((104, 40, 78), 8)
    for x, top, half in ((6, 40, 20), (24, 48, 16), (76, 46, 17), (95, 36, 22)):
        peak(c, x + c.uniform(-2, 2), top + c.uniform(-3, 3), 84, half, far)
    rock = c.jitter((40, 26, 48), 5)
    crag = [(41, 46), (36, 58), (32, 62), (28, 76), (16, 90), (84, 90), (72, 74), (67, 64), (64, 56), (59, 46)]
    c.polygon(crag, rock)
    c.polygon([(54, 46), (59, 46), (64, 56), (67, 64), (72, 74), (84, 90), (56, 90), (60, 70)], shade(rock, 0.55))
    c.line([(46, 50), (42, 64), (36, 86)], shade(rock, 1.25), 1.4)
    keep_silhouette(c, 50, 48, 26, 36, (28, 18, 36), (255, 200, 80))
    if c.chance(0.5):
        lightning(c, c.pick([18, 84]), 4, 44, (255, 225, 240), 1.3)
    ragged(c, 88, 3, (30, 16, 34))
    ragged(c, 94, 3, (16, 8, 20))
    return c.pick(["dark fantasy landscape", "malazan landscape with a fortress under a red sky"])


@scene("malazan moonrise", "malazan landscape at night")
def malazan_moon(c):
    """The same land with a floating mountain before a huge moon."""
    c.gradient([(24, 10, 44), (90, 24, 84), (210, 70, 70)], 0, 78)
    c.ellipse(50, 42, 34, fill=(240, 150, 100))
    c.ellipse(50, 42, 31, fill=(250, 186, 126))
    rock = (36, 24, 44)
    c.polygon([(26, 36), (38, 28), (62, 28), (74, 36), (66, 48), (58, 58), (50, 74), (42, 60), (33, 48)], rock)
    c.polygon([(50, 28), (62, 28), (74, 36), (66, 48), (58, 58), (50, 74)], shade(rock, 0.6))
    keep_silhouette(c, 50, 30, 24, 24, (24, 14, 30), (255, 210, 100))
    for x, top in ((6, 60), (26, 70), (76, 68), (96, 58)):
        peak(c, x + c.uniform(-3, 3), top, 96, 18, (70, 26, 64))
    ragged(c, 90, 4, (18, 8, 22))


@scene("fantasy landscape")
def fantasy_landscape(c):
    kind = c.pick(["day", "sunset", "sunrise"])
    sky(c, kind, 66)
    sun(c, 82, 18, 7)
    three_peaks(c, 70, c.jitter((110, 100, 160)), SNOW, 24)
    rolling(c, 66, 3, c.jitter((90, 160, 100)), 0.5)
    c.polygon(smooth([(24, 70), (34, 58), (50, 54), (66, 58), (76, 70)], 6), c.jitter((70, 130, 74)))
    castle(c, 50, 60, 34, 40, (208, 200, 206), (90, 60, 160))
    rolling(c, 76, 4, c.jitter((66, 140, 70)), 2.4)
    for x, foot in ((8, 88), (20, 94), (90, 90)):
        pine(c, x, foot, 26, c.jitter((32, 100, 70)))
    return "fantasy landscape with a castle"


@scene("futuristic city")
def futuristic_city(c):
    """Glass spires with neon edges in a violet-blue night."""
    c.gradient([(14, 12, 50), (60, 30, 120), (190, 60, 170)], 0, 92)
    stars(c, 25, 40)
    c.glow(50, 86, 60, (255, 90, 200), 0.45)
    neon = [(60, 240, 255), (255, 80, 210), (120, 255, 220)]
    for x, half, top in ((6, 7, 48), (94, 7, 44), (24, 6, 38), (76, 6, 36), (40, 6, 42), (62, 6, 44)):
        c.polygon([(x - half, 94), (x - half, top + 6), (x, top), (x + half, top + 6), (x + half, 94)], (44, 34, 96))
        for y in range(top + 12, 92, 7):
            c.line([(x - half + 2, y), (x + half - 2, y)], (130, 110, 210), 0.9)
    for x, half, top in ((14, 8, 40), (86, 8, 36), (33, 7, 26), (68, 7, 24), (50, 9, 8)):
        edge = neon[0] if x == 50 else c.pick(neon)
        top = top + c.uniform(-3, 3)
        body = mirrored([(x, top), (x + half * 0.3, top + 14), (x + half * 0.85, top + 26), (x + half, 96)], x)
        c.polygon(body, (24, 34, 92))
        c.polygon([(x, top), (x + half * 0.3, top + 14), (x + half * 0.85, top + 26), (x + half, 96), (x, 96)], (16, 22, 62))
        c.line(body[:4], edge, 1.1)
        c.line(body[4:], edge, 1.1)
        c.line([(x, top - 6), (x, top + 4)], edge, 0.9)
        for y in range(int(top) + 28, 94, 6):
            for share in (-0.5, 0, 0.5):
                if c.chance(0.75):
                    c.rect(x + share * half - 1.2, y, x + share * half + 1.2, y + 2.6, c.pick([(255, 240, 150), (150, 240, 255)]))
    for y in (20, 31, 46):
        x = c.uniform(8, 90)
        tone = c.pick([(255, 240, 180), (255, 80, 100), (120, 250, 255)])
        c.line([(x - 7, y), (x, y)], mix(tone, (60, 30, 120), 0.5), 1)
        c.ellipse(x, y, 2.2, 1.2, fill=tone)
    c.rect(0, 94, 100, 100, (14, 12, 40))
    c.line([(0, 94), (100, 94)], (255, 90, 210), 1.2)
    return c.pick(["futuristic city at night", "neon city", "science fiction city"])


@scene("city skyline", "city")
def city(c):
    kind = c.pick(["day", "sunset"])
    sky(c, kind, 94)
    for row, base in enumerate(((150, 160, 180), (96, 108, 134))):
        for place in range(6):
            x = place * 18 + row * 9 - 4
            top = (c.uniform(22, 44) if row == 0 else c.uniform(40, 62))
            tone = c.jitter(base, 10)
            c.rect(x, top, x + 15, 96, tone, shade(tone, 0.55), 0.8)
            c.rect(x + 11, top, x + 15, 96, shade(tone, 0.7))
            for y in range(int(top) + 5, 94, 7):
                for dx in (2.5, 6.5):
                    c.rect(x + dx, y, x + dx + 2.2, y + 3.4, c.pick([(255, 236, 150), (60, 76, 104)]))
    c.rect(0, 95, 100, 100, (70, 74, 82))
    return c.pick(["city skyline", "tall buildings"])


@scene("city at night")
def city_night(c):
    sky(c, "night", 96)
    moon(c, 80, 16, 7)
    for row, base in enumerate(((34, 40, 78), (18, 20, 44))):
        for place in range(6):
            x = place * 18 + row * 9 - 4
            top = (c.uniform(22, 44) if row == 0 else c.uniform(42, 62))
            c.rect(x, top, x + 15, 100, c.jitter(base, 6), (8, 10, 24), 0.8)
            for y in range(int(top) + 4, 98, 6):
                for dx in (2, 6.2, 10.4):
                    if c.chance(0.7):
                        c.rect(x + dx, y, x + dx + 2.4, y + 3, (255, 226, 120))


@scene("castle on an island")
def castle_island(c):
    sky(c, "sunset", 64)
    water(c, 63, (70, 60, 120), (250, 180, 140), 6)
    c.polygon(smooth([(12, 78), (30, 66), (50, 62), (70, 66), (88, 78), (50, 84)], 6, True), (74, 64, 60))
    castle(c, 50, 70, 52, 56, (150, 132, 140), (120, 50, 60))
