"""The four icon sets (emoji in colour and one-colour game icons): which icons are kept, and under which plain names."""

import json
import pathlib
import re
import tarfile
import tomllib

import numpy

import materials
import pictures
from fetch import icon_set_path

EMOJI_SETS = ("fluent", "noto", "twemoji")
LARGE_SVG = 224  # pixels across, for the large version of an emoji

with open(pathlib.Path(__file__).with_name("iconsets.toml"), "rb") as _file:
    _TABLES = tomllib.load(_file)
EMOJI = _TABLES["emoji"]
GAME = _TABLES["game"]


def part_of_key(parts):
    """A regular expression that finds any of `parts` as whole hyphenated parts of an icon's key."""
    return re.compile(r"(^|-)(" + "|".join(parts) + r")(-|$)")


EMOJI_DROP = part_of_key(EMOJI["drop"])
# numbered ones are variants or abstract
GAME_DROP = part_of_key([*GAME["drop"], r"\d+\w*"])
MOODS = re.compile(
    r"\bface (with|without|in|holding|blowing|savoring|exhaling|screaming|vomiting)\b|\bface$"
    r"|^(rolling on|star struck|exploding head)"
)
# faces that are things of their own, not moods
OTHER_FACES = re.compile(
    r"(cat|dog|cow|horse|pig|mouse|monkey|rabbit|tiger|dragon|clown|panda|wind|cowboy hat|nerd|full moon|new moon"
    r"|first quarter moon|last quarter moon) face$"
)
CAT_MOODS_AND_HEARTS = re.compile(r"\b(cat with|weary cat|crying cat|kissing cat|grinning cat|pouting cat|heart)\b")
SKIN_TONE = re.compile(r"(light|medium|dark)(-skin-tone)?(-|$)")


def emoji_name(key):
    """(plain name, weight) of an emoji, or None if it is not drawn from."""
    if key in EMOJI["names"]:
        return EMOJI["names"][key], 1.0
    if key not in EMOJI["keep"]:
        if EMOJI_DROP.search(key) or SKIN_TONE.search(key) or re.search(r"(^|-)arrow(-|$)", key):
            return None
    if key.startswith("globe-showing-"):
        return ("earth globe", 1.0) if key.endswith("europe-africa") else None
    person = re.match(r"(man|woman|person)-(.+)$", key)
    if person:
        who, what = person.groups()
        if what in EMOJI["fantasy"]:
            return EMOJI["names"].get(what, what), 1.0 if who == "person" else 0.5
        if what in EMOJI["actions"] and who == "person":
            return EMOJI["actions"][what], 1.0
        return None
    name = key.replace("-", " ")
    if MOODS.search(name) and not OTHER_FACES.match(name):
        return name, 0.3
    if CAT_MOODS_AND_HEARTS.search(name):
        return name, 0.5
    return name, 1.0


def game_name(key):
    """(plain name, weight) of a game icon, or None if it is not drawn from."""
    if key in GAME["names"]:
        return GAME["names"][key], 1.0
    if key not in GAME["keep"] and GAME_DROP.search(key):
        return None
    words = [GAME["british"].get(word, word) for word in key.split("-") if not word.isdigit()]
    name = " ".join(words)
    return None if name in GAME["drop_names"] else (name, 1.0)


def load_icons(data, set_name):
    """(key, SVG body, width, height) of every visible icon of a set, sorted by key."""
    with tarfile.open(icon_set_path(data, set_name)) as archive:
        content = json.load(archive.extractfile("package/icons.json"))
    for key, icon in sorted(content["icons"].items()):
        if icon.get("hidden"):
            continue
        width = icon.get("width", content.get("width", 16))
        height = icon.get("height", content.get("height", 16))
        yield key, icon["body"], width, height


def emoji_drawings(data, set_name, few=None):
    """Yield (small and large pixels, name, weight) of one emoji set."""
    count = 0
    for key, body, width, height in load_icons(data, set_name):
        named = emoji_name(key)
        if not named or not named[0]:
            continue
        both = pictures.fit_both(
            pictures.from_svg(body, width, height), pictures.from_svg(body, width, height, side=LARGE_SVG)
        )
        if both is None:
            continue
        yield both, *named
        count += 1
        if count == few:
            return


def game_drawings(data, few=None):
    """Yield (small and large pixels, name, weight): two makes of each game icon, one light and one dark."""
    count = 0
    for key, body, width, height in load_icons(data, "game"):
        named = game_name(key)
        if not named:
            continue
        shape = pictures.from_svg(body.replace("currentColor", "#ffffff"), width, height, side=192)
        shape = pictures.fit(shape, side=172)
        if shape is None or materials.is_inverted(shape[..., 3], named[0]):
            continue
        name, weight = named
        for brightness in (1.08, 0.72):
            both = materials.as_object(numpy.ascontiguousarray(shape[..., 3]), name, brightness)
            if both is not None:
                yield both, name, weight
        count += 1
        if count == few:
            return
