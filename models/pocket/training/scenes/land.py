"""Landscapes by day."""
import math

from .canvas import mix, mirrored, ring, shade, smooth
from .registry import scene
from .sky import lit, puff, sky, sun
from .terrain import SNOW, billows, leafy, palm, peak, pine, rolling, ragged, three_peaks, water


@scene("mountains")
def mountains(c):
    sky(c, "day", 80)
    three_peaks(c, 82, c.jitter(c.pick([(112, 112, 130), (128, 108, 92), (104, 110, 118)])))
    rolling(c, 82, 3, c.jitter((84, 132, 66)))


@scene("snowy mountain")
def snowy_mountain(c):
    sky(c, c.pick(["day", "day", "sunrise"]), 90)
    three_peaks(c, 92, c.jitter((92, 104, 134)), SNOW, 10, 0.5)
    rolling(c, 91, 2, (228, 236, 246))
    return c.pick(["snowy mountain peak", "mountain with snow", "white snowy mountains"])


@scene("mountains at sunset")
def mountains_sunset(c):
    sky(c, "sunset", 70)
    sun(c, c.near(76, 5), 40, 8)
    three_peaks(c, 84, lit(c.jitter((110, 90, 110)), "sunset"))
    rolling(c, 83, 3, lit((70, 90, 60), "sunset"))


@scene("meadow with flowers")
def meadow(c):
    sky(c, "day", 40)
    puff(c, c.near(30, 8), 16, 26)
    c.gradient([(150, 205, 90), (78, 165, 58), (48, 120, 40)], 38, 100)
    name = c.pick(["red", "yellow", "white", "pink", "purple"])
    tones = {"red": (225, 40, 40), "yellow": (250, 220, 40), "white": (250, 250, 250), "pink": (245, 130, 190),
             "purple": (150, 70, 200)}
    for row in range(5):
        y = 48 + row * 11
        for place in range(6):
            x = (place + 0.5 * (row % 2)) * 19 + c.uniform(-3, 3)
            size = 1.1 + row * 0.55
            c.line([(x, y), (x, y + size * 3)], (40, 105, 35), 0.8)
            for angle in range(0, 360, 72):
                turn = math.radians(angle)
                c.ellipse(x + size * math.cos(turn), y + size * math.sin(turn), size * 0.85, fill=tones[name])
            c.ellipse(x, y, size * 0.6, fill=(250, 200, 40) if name != "yellow" else (190, 110, 30))
    return f"meadow with {name} flowers"


@scene("desert with dunes", "desert")
def desert(c):
    sky(c, "day", 50)
    sun(c, c.near(74, 5), 17, 8, (255, 246, 190))
    sand = c.jitter((232, 188, 110), 10)
    for height, left, top, right in ((52, -30, 38, 60), (62, 20, 44, 130), (82, -50, 58, 80)):
        tip = ((left + right) / 2 + c.uniform(-6, 6), top)
        c.polygon(smooth([(left, height), tip, (right, height + 4)], 8) + [(right, 100), (left, 100)], sand)
        shadow = smooth([tip, (tip[0] - 4, top + (100 - top) * 0.35), (tip[0] + 10, 102)], 8)
        c.polygon(smooth([tip, (right, height + 4)], 8) + [(right, 102)] + shadow[::-1], shade(sand, 0.66))
        sand = mix(sand, (225, 160, 80), 0.35)
    return c.pick(["desert with sand dunes", "sand dunes"])


@scene("ocean waves")
def ocean_waves(c):
    sky(c, c.pick(["day", "day", "grey"]), 24)
    billows(c, 22, c.jitter(c.pick([(24, 96, 165), (22, 120, 150)])), 6, 7)
    return c.pick(["sea waves", "waves"])


@scene("big wave", "wave")
def big_wave(c):
    sky(c, "day", 80)
    blue = c.jitter((24, 100, 170))
    c.rect(0, 70, 100, 100, shade(blue, 0.8))
    body = smooth([(0, 92), (16, 78), (30, 48), (52, 22), (76, 22), (90, 38), (84, 46)], 8)
    body += smooth([(84, 46), (72, 40), (60, 48), (56, 66), (66, 82), (100, 88)], 8)
    c.polygon(body + [(100, 100), (0, 100)], blue, (235, 246, 250), 1.5)
    c.line(smooth([(14, 88), (34, 58), (54, 36), (72, 32)], 8), shade(blue, 1.35), 3)
    c.line(smooth([(28, 90), (44, 64), (58, 48)], 8), shade(blue, 1.35), 2.5)
    for x, y, size in ((54, 22, 5), (66, 19, 6), (78, 22, 6), (88, 32, 6), (86, 43, 4.5), (92, 44, 3), (80, 50, 2.5)):
        c.ellipse(x, y, size, fill=(244, 250, 253))
    for x in range(0, 101, 10):
        c.ellipse(x, 94 + c.uniform(-1, 1), 5, 2, fill=(220, 238, 246))


@scene("sea", "the sea")
def sea(c):
    sky(c, "day", 46)
    puff(c, c.near(30, 8), 20, 26)
    puff(c, c.near(76, 8), 28, 20)
    water(c, 45, c.jitter((24, 98, 172)), waves=10)
    return c.pick(["ocean", "calm sea"])


@scene("beach")
def beach(c):
    sky(c, "day", 34)
    sun(c, c.near(20, 4), 12, 7)
    c.gradient([(30, 110, 190), (60, 190, 200)], 33, 78)
    shore = smooth([(100, 48), (72, 56), (50, 68), (26, 76), (0, 90)], 6)
    c.polygon([(x - 3, y - 3) for x, y in shore] + [(-3, 100), (100, 100)], (240, 250, 250))
    c.polygon(shore + [(0, 100), (100, 100)], c.jitter((238, 214, 155), 8))
    palm(c, 76, 92, 58)
    return c.pick(["beach with palm", "sandy beach"])


@scene("lake with reflection", "lake")
def lake(c):
    sky(c, "day", 50)
    tone = c.jitter((92, 104, 130))
    three_peaks(c, 50, tone, SNOW, 12)
    upper = c.image.crop((0, 0, c.image.width, c.image.height // 2))
    c.image.paste(upper.transpose(1), (0, c.image.height // 2))
    band = c.noise(1) * 0
    band[c.image.height // 2:] = 0.42
    c.blend(band, (28, 82, 140))
    for row in range(6):
        y = 56 + row * 7
        x = c.uniform(10, 60)
        c.line([(x, y), (x + c.uniform(15, 30), y)], (170, 205, 230), 0.8)
    for x in list(range(2, 20, 5)) + list(range(82, 100, 5)):
        pine(c, x, 52, 14, c.jitter((36, 92, 52)))
    c.line([(0, 51), (100, 51)], (60, 90, 50), 1.6)
    return c.pick(["mountain lake", "lake with reflection"])


@scene("river through a valley", "river")
def river(c):
    sky(c, "day", 36)
    peak(c, 12, 10, 46, 40, c.jitter((104, 118, 130)))
    peak(c, 88, 12, 46, 40, c.jitter((104, 118, 130)))
    rolling(c, 44, 1.5, c.jitter((92, 165, 70)))
    left = smooth([(49, 43), (42, 50), (58, 58), (34, 74), (22, 100)], 8)
    right = smooth([(51, 43), (48, 50), (68, 58), (60, 74), (72, 100)], 8)
    c.polygon(left + right[::-1], c.jitter((42, 125, 205)), (225, 235, 200), 1.2)
    c.line(smooth([(45, 80), (50, 72), (58, 64)], 6), (150, 205, 245), 1.2)
    c.line(smooth([(36, 96), (42, 84)], 6), (150, 205, 245), 1.2)
    for x, foot in ((10, 66), (22, 60), (84, 64), (92, 76), (8, 86), (88, 94)):
        leafy(c, x, foot, 13 + (foot - 60) * 0.25, (44, 120, 48))
    return c.pick(["river in a valley", "winding river"])


@scene("waterfall")
def waterfall(c):
    sky(c, "day", 30)
    rock = c.jitter(c.pick([(98, 92, 92), (112, 98, 84)]))
    c.rect(0, 18, 100, 100, rock)
    for x in (4, 14, 24, 76, 86, 96):
        c.polygon([(x - 5, 18 + c.uniform(0, 6)), (x + 5, 20), (x + 3, 84), (x - 4, 84)], c.jitter(shade(rock, 0.75)))
    rolling(c, 100, 0, rock)
    for x in list(range(0, 34, 7)) + list(range(68, 102, 7)):
        c.ellipse(x, 18, 6, 5, fill=c.jitter((56, 128, 54)))
    c.polygon([(34, 17), (66, 17), (69, 84), (31, 84)], (196, 226, 246))
    for x in range(34, 67, 5):
        c.line([(x, 18), (50 + (x - 50) * 1.1, 84)], c.pick([(250, 253, 255), (140, 190, 230)]), 1.8)
    c.gradient([(60, 150, 200), (30, 100, 160)], 84, 100)
    for x in range(28, 74, 6):
        c.ellipse(x, 84 + c.uniform(-2, 2), 6, 5, fill=(244, 250, 253))


@scene("cliff")
def cliff(c):
    sky(c, "day", 60)
    water(c, 62, (30, 105, 170))
    rock = c.jitter(c.pick([(150, 122, 96), (132, 126, 122)]))
    edge = [(66, 28), (62, 40), (67, 50), (60, 62), (64, 76), (56, 90)]
    c.polygon([(0, 28)] + edge + [(56, 100), (0, 100)], rock, shade(rock, 0.4), 1)
    for x in (12, 26, 40, 52):
        c.line([(x, 30), (x + c.uniform(-4, 4), 60), (x - 2, 98)], shade(rock, 0.6), 2)
    c.polygon([(0, 22), (68, 25), (70, 29), (60, 34), (46, 30), (30, 36), (14, 31), (0, 35)], c.jitter((76, 150, 58)))
    for x in range(56, 84, 6):
        c.ellipse(x, 95 + c.uniform(-1, 1), 5, 2.5, fill=(238, 248, 252))
    return c.pick(["cliff by the sea", "rocky cliff"])


@scene("canyon")
def canyon(c):
    sky(c, "day", 40)
    for step, (inner, top) in enumerate(((12, 34), (20, 24), (30, 12))):
        rock = mix((232, 150, 100), c.jitter((180, 80, 45), 8), step / 2)
        wall = [(50 + inner, top), (50 + inner - 3, 56), (50 + inner - 2, 70), (50 + inner * 0.3, 100), (100, 100), (100, top)]
        for side in (wall, [(100 - x, y) for x, y in wall]):
            c.polygon(side, rock, shade(rock, 0.55), 1)
        for y in range(top + 10, 96, 13):
            for sign in (-1, 1):
                c.line([(50 + sign * (inner + 2), y), (50 + sign * 100, y + c.uniform(-2, 2))], shade(rock, 0.72), 1.6)
    c.polygon([(48, 64), (52, 64), (60, 100), (40, 100)], (60, 140, 190))


@scene("snow landscape", "snow")
def snow_land(c):
    sky(c, "grey", 56)
    rolling(c, 54, 4, (206, 218, 236), 0.5)
    for x in (10, 24, 78, 92):
        pine(c, x, 70, 34, (56, 96, 84))
        c.polygon([(x - 3, 46), (x, 36), (x + 3, 46)], SNOW)
        c.polygon([(x - 6, 56), (x, 46), (x + 6, 56)], SNOW)
        c.polygon([(x - 8, 65), (x, 56), (x + 8, 65)], SNOW)
    rolling(c, 70, 3, (244, 248, 253), 2.5)
    for _ in range(26):
        c.ellipse(c.uniform(0, 100), c.uniform(0, 100), 0.9, fill=(255, 255, 255))
    return c.pick(["snowy landscape", "winter landscape"])


@scene("island with palm", "island")
def island(c):
    sky(c, "day", 58)
    puff(c, c.near(22, 5), 18, 24)
    water(c, 57, c.jitter((28, 140, 190)), waves=6)
    c.ellipse(50, 74, 37, 9, fill=(220, 244, 246))
    c.polygon(ring(50, 74, 34, 12, 180, 360) + ring(50, 74, 34, 6, 0, 180), (240, 216, 155))
    palm(c, 46, 68, 48)
    return c.pick(["island with palm", "island in the sea", "tropical island"])


@scene("cave")
def cave(c):
    rock = c.jitter((112, 104, 98))
    c.ramp(c.noise(6, 0.65), [shade(rock, 0.55), rock, shade(rock, 1.15)])
    c.rect(0, 86, 100, 100, shade(rock, 0.75))
    mouth = mirrored([(50, 22), (64, 25), (76, 38), (82, 58), (80, 74), (84, 88)])
    c.polygon(mouth, (14, 12, 16), shade(rock, 0.3), 2)
    c.polygon(mirrored([(50, 34), (60, 40), (66, 58), (68, 88)]), (4, 4, 6))
    for x, length in ((32, 14), (42, 18), (52, 12), (60, 17), (69, 13)):
        c.polygon([(x - 3, 26 + abs(x - 50) * 0.35), (x + 3, 26 + abs(x - 50) * 0.35), (x, 30 + length)], shade(rock, 0.8))
    c.polygon([(30, 88), (70, 88), (84, 100), (16, 100)], shade(rock, 0.5))


@scene("road to the horizon", "road")
def road(c):
    sky(c, "day", 42)
    puff(c, 24, 18, 26)
    peak(c, 70, 24, 43, 26, (130, 138, 160))
    c.gradient([(150, 190, 95), (80, 150, 60)], 42, 100)
    c.polygon([(48.5, 42), (51.5, 42), (88, 100), (12, 100)], c.jitter((84, 84, 90), 8), (236, 236, 230), 1.2)
    for start, stop in ((48, 52), (56, 63), (68, 80), (87, 100)):
        near = (stop - 42) / 58 * 2.6
        far = (start - 42) / 58 * 2.6
        c.polygon([(50 - far, start), (50 + far, start), (50 + near, stop), (50 - near, stop)], (250, 232, 120))


@scene("volcano")
def volcano(c):
    sky(c, c.pick(["storm", "dread"]), 90)
    for x, y, size in ((50, 16, 12), (38, 10, 11), (62, 9, 12), (50, 4, 12), (74, 4, 10), (28, 4, 9)):
        c.ellipse(x + c.uniform(-2, 2), y, size, fill=c.jitter((88, 78, 82), 12))
    c.glow(50, 30, 30, (255, 140, 40), 0.9)
    rock = c.jitter((70, 52, 52), 8)
    c.polygon(smooth([(-2, 98), (20, 76), (34, 50), (41, 33)], 6) + [(50, 36), (59, 33)], rock)
    c.polygon(smooth([(59, 33), (66, 50), (80, 76), (102, 98)], 6) + [(40, 98), (50, 36)], shade(rock, 0.65))
    c.polygon([(-2, 98), (41, 33), (50, 36), (40, 98)], shade(rock, 1.08))
    fire = (250, 110, 20)
    c.line([(50, 33), (50, 14)], (255, 200, 60), 5)
    for dx in (-9, 9):
        c.line(smooth([(50, 32), (50 + dx * 0.6, 18), (50 + dx * 1.6, 26)], 6), fire, 3)
    c.polygon([(41, 33), (59, 33), (56, 46), (60, 62), (56, 84), (50, 62), (46, 74), (44, 50)], fire)
    c.polygon([(46, 34), (54, 34), (52, 50), (54, 62), (50, 50)], (255, 220, 80))
    ragged(c, 95, 2, shade(rock, 0.5))
    return c.pick(["volcano erupting", "volcano with lava"])


@scene("forest clearing path", "path in the forest")
def forest_path(c):
    c.gradient([(206, 232, 190), (140, 190, 110)], 0, 60)
    c.rect(0, 58, 100, 100, (74, 128, 52))
    c.polygon([(47, 58), (53, 58), (74, 100), (26, 100)], (188, 150, 102))
    for x, foot, height in ((38, 60, 40), (62, 60, 40), (27, 66, 56), (73, 66, 56), (12, 78, 80), (88, 78, 80)):
        leafy(c, x, foot, height, lit(c.jitter((52, 126, 50)), "day"))
