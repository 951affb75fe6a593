"""What a model draws, to be named by somebody who does not know the prompts.

`python evaluate.py PROGRAM MODEL_FOLDER OUT_FOLDER [--prompts FILE] [--seed N] [--size N]` renders every prompt of
prompts-60.txt with PROGRAM (recipe-render), as a recipe of nothing but a composition, all else being the program's defaults.
OUT_FOLDER holds
  pictures/    one PNG for each prompt, named by the prompt
  sheet-1.png  and so on: contact sheets of shuffled, numbered pictures, with names-200.txt to choose from
  key.json     which prompt has which number; not to be shown to who names them

`python evaluate.py --score OUT_FOLDER ANSWERS.json` counts. ANSWERS.json says for each number up to five of the 200 names, the
likeliest first: {"1": ["sword", "dagger"], ...}.
"""

import argparse
import json
import pathlib
import random
import subprocess
import tempfile

from PIL import Image, ImageDraw

HERE = pathlib.Path(__file__).parent
ACROSS, DOWN = 4, 3
SIDE = 288  # of a picture on a sheet, pixels
RIM = 22  # above it, for its number
AMONG = 5


def lines(path):
    """The lines of a text file that say something."""
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"]


def render(program, model, prompt, seed, size, out):
    """One picture of one prompt by the program's defaults."""
    recipe = f"seed = {seed}\n" + (f"size = [{size}, {size}]\n" if size else "")
    recipe += f"[[composition]]\nprompts = [{json.dumps(prompt)}]\n"
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(recipe)
        file.flush()
        command = [program, file.name, "--model", model.resolve(), "-o", out, "--quiet", "--fresh"]
        subprocess.run(command, check=True)


def sheet(pictures):
    """A contact sheet of (number, path)."""
    page = Image.new("RGB", (ACROSS * SIDE, DOWN * (SIDE + RIM)), "white")
    pen = ImageDraw.Draw(page)
    for place, (number, path) in enumerate(pictures):
        x, y = place % ACROSS * SIDE, place // ACROSS * (SIDE + RIM)
        page.paste(Image.open(path).convert("RGB").resize((SIDE - 4, SIDE - 4), Image.LANCZOS), (x + 2, y + RIM))
        pen.text((x + 8, y + 4), str(number), fill="black", font_size=16)
    return page


def evaluate(options):
    """Render, shuffle, lay out."""
    pictures = options.out / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    prompts = lines(options.prompts)
    for prompt in prompts:
        path = pictures / f"{prompt.replace(' ', '-')}.png"
        if not path.exists():
            render(options.program, options.model, prompt, options.seed, options.size, path)
    order = list(prompts)
    # another order for each model: who has named one model's pictures must not know the next one's
    random.Random(f"{options.seed} {options.out.name}").shuffle(order)
    key = {str(number): prompt for number, prompt in enumerate(order, 1)}
    (options.out / "key.json").write_text(json.dumps(key, indent=1))
    numbered = [(number, pictures / f"{prompt.replace(' ', '-')}.png") for number, prompt in enumerate(order, 1)]
    for page, start in enumerate(range(0, len(order), ACROSS * DOWN), 1):
        sheet(numbered[start : start + ACROSS * DOWN]).save(options.out / f"sheet-{page}.png")


def score(out, answers):
    """Print how many were named at once and among five, and which were not."""
    key = json.loads((out / "key.json").read_text())
    given = json.loads(answers.read_text())
    known = set(lines(HERE / "names-200.txt"))
    ranks = {}
    for number, prompt in key.items():
        named = given.get(number, [])[:AMONG]
        for name in named:
            if name not in known:
                print(f"{number}: {name!r} is not one of the names")
        ranks[prompt] = named.index(prompt) if prompt in named else None
    at_once = sum(rank == 0 for rank in ranks.values())
    among = sum(rank is not None for rank in ranks.values())
    print(f"at once {at_once} of {len(key)} ({at_once / len(key):.0%}), among five {among} ({among / len(key):.0%})")
    print("among five, not at once:", ", ".join(prompt for prompt, rank in ranks.items() if rank))
    print("not at all:", ", ".join(prompt for prompt, rank in ranks.items() if rank is None))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--score", action="store_true", help="count answers instead: OUT_FOLDER ANSWERS.json")
    parser.add_argument("paths", nargs="+", metavar="PATH", type=pathlib.Path)
    parser.add_argument("--prompts", type=pathlib.Path, default=HERE / "prompts-60.txt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, help="the canvas's side in pixels, in place of the program's default")
    options = parser.parse_args()
    if len(options.paths) != (2 if options.score else 3):
        parser.error("wanted are PROGRAM MODEL_FOLDER OUT_FOLDER, or --score OUT_FOLDER ANSWERS.json")
    if options.score:
        score(*options.paths)
    else:
        options.program, options.model, options.out = options.paths
        evaluate(options)


if __name__ == "__main__":
    main()
