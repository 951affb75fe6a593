"""Letters and things with writing on them."""
from PIL import ImageFont

from .canvas import COLOURS, INK, PALE_GROUNDS, UNIT, shade
from .registry import scene
from .sky import sky
from .terrain import rolling

WORDS = ["STONE", "FIRE", "KING", "HELLO", "MAGIC", "SWORD", "GOLD", "NIGHT"]
INKS = ["black", "red", "blue", "green", "purple"]


def write(c, text, x, y, height, colour, bold=1.2):
    """Centred lettering about `height` tall (units); the font is the one that comes with Pillow."""
    font = ImageFont.load_default(size=height * UNIT * 1.3)
    c.pen.text((x * UNIT, y * UNIT), text, fill=colour, font=font, anchor="mm", stroke_width=bold * UNIT, stroke_fill=colour)


@scene("letters")
def letters(c):
    c.ground(PALE_GROUNDS)
    name = c.pick(INKS)
    for place, (x, y) in enumerate(((26, 28), (74, 28), (26, 74), (74, 74))):
        write(c, "ABCD"[place] if c.chance(0.5) else c.pick("EGHKMNRSTXZ"), x, y, 36, COLOURS[name], 1.8)
    return f"{name} letters"


@scene("one letter", "letter")
def letter(c):
    c.ground(PALE_GROUNDS)
    name = c.pick(INKS)
    sign = c.pick("AAABBRSKEM")
    write(c, sign, 50, 50, 82, COLOURS[name], 3)
    return f"{name} letter {sign}"


@scene("word")
def word(c):
    c.ground(PALE_GROUNDS)
    name = c.pick(INKS)
    text = c.pick(WORDS)
    write(c, text, 50, 50, 96 / len(text) * 1.15, COLOURS[name], 1.4)
    return f"{name} word"


@scene("page of text", "text")
def page(c):
    c.ground([((120, 96, 70), (90, 70, 50)), ((84, 92, 106), (60, 66, 80))])
    paper = c.jitter((248, 242, 226), 6)
    c.rect(10, 3, 90, 97, paper, INK, 1.2)
    ink = (40, 36, 40)
    c.rect(30, 10, 70, 14.5, ink)
    for row in range(12):
        y = 22 + row * 6
        x = 17
        end = 83 if row % 4 != 3 else 56
        while x < end:
            width = min(c.uniform(4, 12), end - x)
            c.rect(x, y, x + width, y + 2.8, ink)
            x += width + 2
    return "page of text"


@scene("book cover")
def book_cover(c):
    c.ground(PALE_GROUNDS)
    name = c.pick(["red", "blue", "green", "black", "purple"])
    cover = c.jitter(shade(COLOURS[name], 0.9))
    c.rect(15, 3, 87, 97, (236, 228, 206), INK, 1.2)
    c.rect(12, 3, 84, 97, cover, INK, 1.5)
    c.rect(12, 3, 19, 97, shade(cover, 0.6))
    c.rect(24, 9, 79, 91, None, (236, 194, 80), 1.6)
    text = c.pick(WORDS)
    write(c, text, 51.5, 28, 50 / len(text) * 1.1, (246, 222, 130), 0.9)
    c.polygon([(51.5, 44), (66, 62), (51.5, 80), (37, 62)], (236, 194, 80), INK, 1.1)
    c.polygon([(51.5, 52), (59, 62), (51.5, 72), (44, 62)], shade(cover, 0.7))
    return f"{name} book cover"


@scene("sign", "wooden sign")
def sign(c):
    sky(c, "day", 86)
    rolling(c, 86, 2, (104, 164, 78))
    wood = c.jitter((160, 106, 58))
    c.rect(45, 20, 55, 96, shade(wood, 0.7), INK, 1.3)
    c.polygon([(6, 16), (86, 16), (97, 35), (86, 54), (6, 54)], wood, INK, 1.8)
    for y in (28, 41):
        c.line([(8, y), (88, y)], shade(wood, 0.75), 0.9)
    write(c, c.pick(["INN", "TOWN", "PORT", "MILL"]), 47, 35, 21, (44, 28, 18), 1.1)
    for x in (12, 82):
        c.ellipse(x, 35, 1.7, fill=(60, 56, 56))


@scene("runes")
def runes(c):
    """A standing stone with glowing runes."""
    c.ground([((60, 70, 84), (34, 40, 50)), ((70, 64, 60), (40, 36, 34))])
    stone = c.jitter((112, 112, 116), 8)
    c.polygon([(22, 98), (18, 30), (32, 6), (62, 3), (82, 26), (80, 98)], stone, INK, 1.7)
    c.polygon([(66, 8), (82, 26), (80, 98), (68, 98)], shade(stone, 0.68))
    glow = c.pick([(90, 230, 255), (255, 180, 60), (120, 255, 130)])
    marks = [[(0, -6), (0, 6)], [(0, -6), (5, -2), (0, 1)], [(-4, -6), (-4, 6)], [(-4, -6), (4, 2)], [(4, -6), (4, 6)]]
    for row in range(4):
        for column in range(2):
            x, y = 36 + column * 24, 26 + row * 18
            for mark in c.rng.sample(marks, 3):
                c.line([(x + dx, y + dy) for dx, dy in mark], glow, 2.2)
    return "stone with runes"
