"""Choose the prompts of the renderings: `python prompts.py` writes prompts-60.txt from names-200.txt.

The ten seed prompts, 20 more fantasy subjects and 30 of the long tail, drawn with a fixed seed so that nobody picks
what looks good. `python prompts.py DRAWINGS.npz` only reports which of the 200 names have neither a drawing nor an
alias (a scene must show those).
"""

import pathlib
import random
import sys

import numpy

import names

FOLDER = pathlib.Path(__file__).parent
SEED = 13
FANTASY = 20
LONG_TAIL = 30


def sections():
    """names-200.txt by its comment lines: section title -> names, in the file's order."""
    found = {}
    for line in (FOLDER / "names-200.txt").read_text().splitlines():
        if line.startswith("# "):
            current = found.setdefault(line[2:], [])
        elif line:
            current.append(line)
    return found


def choose(parts):
    """The 60 prompts: seed prompts first, then the drawn ones in the list's order."""
    chance = random.Random(SEED)
    picked = set(chance.sample(parts["fantasy subjects"], FANTASY)) | set(chance.sample(parts["long tail"], LONG_TAIL))
    rest = [name for title in ("fantasy subjects", "long tail") for name in parts[title] if name in picked]
    return parts["seed prompts"] + rest


def main():
    parts = sections()
    if len(sys.argv) == 2:
        known = set(numpy.load(sys.argv[1])["name"].tolist()) | set(names.load_aliases())
        left = [name for part in parts.values() for name in part if name not in known]
        print(f"neither drawn nor an alias: {', '.join(left)}")
    else:
        (FOLDER / "prompts-60.txt").write_text("\n".join(choose(parts)) + "\n")


if __name__ == "__main__":
    main()
