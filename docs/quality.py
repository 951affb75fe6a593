#!/usr/bin/env python3
"""Renders the contact sheets of quality.md anew: python3 docs/quality.py [PROGRAM] [SHEET...]

PROGRAM is the recipe-render to use, target/release/recipe-render if none is named. Each sheet shows pictures that differ in one
thing. The sheet `windows` shows one picture through each stage; it needs no program but cargo. Needs Pillow. Nothing in the build
needs this script.
"""

import pathlib
import subprocess
import sys
import tempfile

from PIL import Image, ImageDraw

DOCS = pathlib.Path(__file__).resolve().parent
SIDE = 224
RIM = 18
BARE = '\ncalibration = "none"'
TWO = '"castle", "skull"'
SEVEN = '"malazan", "sword", "cthulhu", "metal armour", "stairs in a dungeon", "leather armour", "warrior"'
SMALL_EPSILON = "optimiser = { adam = { epsilon = 1e-8 } }"


def falling(rate):
    """A rate that falls as the default does."""
    return f'rate = "{rate} * (1 - 0.95*smoothstep(0.4, 1, T))"'


def whole(prompt="owl", canvas="", phase="", stages="", target="", steps=200, render=""):
    """A recipe of one composition."""
    return f"""size = [256, 256]
seed = 3
[canvas]
{canvas}
[render]
{render}
[[composition]]
prompts = ["{prompt}"]
{"stages = " + stages if stages else ""}
{target}
[[phase]]
steps = {steps}
{phase}
"""


def parts(prompts='"sword", "owl", "castle", "rose"', detail="places = 6", stages="", steps=200):
    """A recipe of one detail."""
    return f"""size = [256, 256]
seed = 3
[[detail]]
prompts = [{prompts}]
{detail}
stages = {stages or "[{ cover = 0.4 }, { shift = 0.03 }, { noise = 0.02 }]"}
[[phase]]
steps = {steps}
"""


def shared(prompts, places, calibration):
    """A recipe of one detail whose prompts compete."""
    return f"""size = [256, 256]
seed = 3
[[detail]]
prompts = [{prompts}]
places = {places}
calibration = "{calibration}"
[[phase]]
steps = 200
"""


def both(extra="", phase="", target="", phases=""):
    """A landscape with a detail of lava that roams."""
    return f"""size = [256, 256]
seed = 3
{extra}
[[composition]]
prompts = ["mountains at sunset"]
{target}
[[detail]]
name = "lava"
prompts = ["lava"]
region = [0, 0.5, 1, 0.5]
places = 0
windows = 6
weight = 0.7
{phase}
{phases or "[[phase]]" + chr(10) + "steps = 200"}
"""


def grown(basis, first, second):
    """Two phases at resolutions."""
    return f"""size = [256, 256]
seed = 3
[canvas]
basis = "{basis}"
[[composition]]
prompts = ["castle"]
[[phase]]
steps = 60
resolution = {first}
finest = {{ keys = [[0, 5], [1, 20]] }}
rate = 0.1
[[phase]]
steps = 120
resolution = {second}
finest = {{ keys = [[0, 20], [1, 50]] }}
rate = "0.1 * (1 - 0.95 * smoothstep(0.2, 1, t))"
"""


def optimiser(value, rate, gradient="normalise"):
    """A castle by another optimiser, its rate falling as the default does."""
    return whole("castle", phase=f'{falling(rate)}\ngradient = "{gradient}"', render=f"optimiser = {value}")


SHEETS = {
    "quality-settings": (5, [
        ("the defaults", whole()),
        ("basis pyramid", whole(canvas='basis = "pyramid"')),
        ("basis pixels", whole(canvas='basis = "pixels"')),
        ("decay 1.2", whole(canvas="basis = { fourier = { decay = 1.2 } }")),
        ("decay 1.8", whole(canvas="basis = { fourier = { decay = 1.8 } }")),
        ("chroma 1", whole(canvas="basis = { fourier = { chroma = 1 } }")),
        ("epsilon 1e-8", whole(render=SMALL_EPSILON)),
        ("epsilon 1e-8, rate 0.03", whole(phase=falling(0.03), render=SMALL_EPSILON)),
        ("rate 0.03", whole(phase=falling(0.03))),
        ("rate 0.3", whole(phase=falling(0.3))),
        ("rate 0.1, not falling", whole(phase="rate = 0.1")),
        ("finest to 16", whole(phase="finest = { keys = [[0, 5], [0.8, 16]] }")),
        ("finest to 120", whole(phase="finest = { keys = [[0, 5], [0.8, 120]] }")),
        ("finest off", whole(phase='finest = "off"')),
        ("no stages", whole(stages="[]")),
        ("noise 0.08", whole(stages="[{ shift = 0.03 }, { noise = 0.08 }]")),
        ("colour 0.1", whole(stages="[{ shift = 0.03 }, { noise = 0.02 }, { colour = 0.1 }]")),
        ("shift 0.1", whole(stages="[{ shift = 0.1 }, { noise = 0.02 }]")),
        ("rotate 15", whole(stages="[{ shift = 0.03 }, { rotate = 15 }, { noise = 0.02 }]")),
        ("loss cosine", whole(target='loss = "cosine"')),
    ]),
    "places": (5, [
        (f"places {places}{said}", parts(detail=f'places = {places}\nselect = "{select}"{bare}'))
        for select, said, bare in (("best", "", BARE), ("turns", ", turns", ""))
        for places in (0, 4, 6, 12, 24)
    ]),
    "selection": (6, [
        (select, parts(detail=f'places = 6\nselect = "{select}"{bare}'))
        for select, bare in (("best", BARE), ("worst", BARE), ("all", ""), ("mix", BARE), ("random", ""), ("turns", ""))
    ]),
    "calibration": (3, [
        (f"{name}, {places} places: {calibration}", shared(prompts, places, calibration))
        for name, prompts in (("two", TWO), ("seven", SEVEN))
        for places in (9, 0)
        for calibration in ("none", "start", "past")
    ]),
    "keys": (5, [
        ("mountains, lava", both()),
        ("active: first 60", both(phase="active = [0, 60]")),
        ("active: last 60", both(phase='active = [140, "end"]')),
        ('templates: "{} at night"', both(target='templates = ["{} at night"]')),
        ("loss l1", both(target='loss = "l1"')),
        ("loss l2", both(target='loss = "l2"')),
        ("adamw", both(extra='[render]\noptimiser = "adamw"')),
        ("clip 0.001, epsilon 1e-8", both(f"[render]\n{SMALL_EPSILON}", phases="[[phase]]\nsteps = 200\ngradient = { clip = 0.001 }")),
        ("stop 0.3", both().replace('["mountains at sunset"]', '[{ text = "mountains at sunset", stop = 0.3 }]')),
        ("patience 40 of 3000", both(phases="[[phase]]\nsteps = 3000\npatience = 40")),
    ]),
    "optimisers": (4, [
        ("adam 0.1", optimiser('"adam"', 0.1)),
        ("adam 0.06, plain, epsilon 1e-8", optimiser("{ adam = { epsilon = 1e-8 } }", 0.06, "plain")),
        ("adamw 0.1", optimiser('"adamw"', 0.1)),
        ("adamw 0.1, decay 2", optimiser("{ adamw = { decay = 2 } }", 0.1)),
        ("rmsprop 0.03", optimiser('"rmsprop"', 0.03)),
        ("sign 0.015", optimiser('"sign"', 0.015)),
        ("sgd 0.002", optimiser('"sgd"', 0.002)),
        ("sgd 0.01", optimiser('"sgd"', 0.01)),
    ]),
    "resolution": (3, [
        (f"{basis}, {name}", grown(basis, *how))
        for basis in ("fourier", "pyramid", "pixels")
        for name, how in (("whole", (1, 1)), ("quarter, then whole", (0.25, 1)), ("growing", (0.25, "{ keys = [[0, 0.25], [0.5, 1]] }")))
    ]),
}


def windows():
    """A picture through each stage, by examples/stages.rs."""
    with tempfile.TemporaryDirectory() as folder:
        sheet = pathlib.Path(folder) / "windows.png"
        command = ["cargo", "run", "--quiet", "--release", "--example", "stages", "--", DOCS / "pictures/volcano.jpg", sheet]
        subprocess.run(command, check=True, cwd=DOCS.parent)
        with Image.open(sheet) as image:
            image.convert("RGB").save(DOCS / "pictures/windows.jpg", quality=85, optimize=True)


def main():
    named = [name for name in sys.argv[1:] if name in SHEETS or name == "windows"]
    program = [name for name in sys.argv[1:] if name not in named] or [DOCS.parent / "target/release/recipe-render"]
    program = pathlib.Path(program[0]).resolve()
    for name in named or [*SHEETS, "windows"]:
        if name == "windows":
            windows()
            print(name, flush=True)
            continue
        columns, pictures = SHEETS[name]
        rows = -(-len(pictures) // columns)
        sheet = Image.new("RGB", (columns * SIDE, rows * (SIDE + RIM)), "white")
        pen = ImageDraw.Draw(sheet)
        with tempfile.TemporaryDirectory() as folder:
            for place, (label, text) in enumerate(pictures):
                recipe = pathlib.Path(folder) / f"{place}.toml"
                recipe.write_text(text)
                picture = recipe.with_suffix(".png")
                subprocess.run([program, recipe, "-o", picture, "--quiet", "--fresh"], check=True, stdout=subprocess.DEVNULL)
                x, y = place % columns * SIDE, place // columns * (SIDE + RIM)
                with Image.open(picture) as image:
                    sheet.paste(image.convert("RGB").resize((SIDE - 4, SIDE - 4), Image.LANCZOS), (x + 2, y + RIM))
                pen.text((x + 4, y + 3), label, fill="black")
        sheet.save(DOCS / f"pictures/{name}.jpg", quality=80, optimize=True)
        print(name, flush=True)


main()
