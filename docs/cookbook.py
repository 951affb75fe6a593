#!/usr/bin/env python3
"""Renders the recipes of cookbook.md anew: python3 docs/cookbook.py [PROGRAM]

PROGRAM is the recipe-render to use, target/release/recipe-render if none is named. Each recipe belongs to the picture before it.
Needs Pillow, for JPEG. Nothing in the build needs this script.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from PIL import Image

DOCS = pathlib.Path(__file__).resolve().parent
RECIPE = re.compile(r"^!\[[^\]]*\]\((pictures/cookbook/[^)]+\.jpg)\)$.*?^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main():
    program = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else DOCS.parent / "target/release/recipe-render").resolve()
    with tempfile.TemporaryDirectory() as folder:
        for picture, text in RECIPE.findall((DOCS / "cookbook.md").read_text()):
            # Beside the page, for paths in recipes count from their file.
            recipe = DOCS / (pathlib.Path(picture).stem + ".cookbook.toml")
            rendered = pathlib.Path(folder) / "picture.png"
            recipe.write_text(text)
            try:
                subprocess.run([program, recipe, "-o", rendered, "--quiet"], check=True, stdout=subprocess.DEVNULL)
            finally:
                recipe.unlink()
            with Image.open(rendered) as image:
                image.convert("RGB").save(DOCS / picture, quality=82, optimize=True)
            print(picture)


main()
