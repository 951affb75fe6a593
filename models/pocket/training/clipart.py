"""The openclipart collection (PNG, public domain): what shows one thing with a plain English name."""

import re

import numpy
from PIL import Image
from scipy import ndimage

import names
import pictures
from fetch import debian_folder

# folders whose pictures are signs, screens, ornaments or copies (transportation's own files are road signs and copies),
# and the uncoloured versions ("_bw") of coloured drawings
DROP_FOLDERS = re.compile(
    r"^(shapes|special|logos|computer|buttons|signs_and_symbols|office|people/(smilies|stickmen)|unsorted/duplicates"
    r"|recreation/(games/cards|holiday/valentines|religion)|transportation/(aiga-symbols|roadsigns|[^/]+$)"
    r"|education/books/cartoon|geography/(?!astronomy))|_bw(_|\.|\d)"
)
KEEP_FOLDERS = re.compile(r"^(signs_and_symbols/weather|office/telephone)")
# where the file's title is a collection's name, the file name says more
COLLECTION = re.compile(r"collection|theme|clipart|untitled|symbol|architetto|draft|test|simple|\bby\b", re.IGNORECASE)
# what follows the plain part of a file name: authors, "bw", numbers
AUTHOR = re.compile(
    "_?(architet|archi_|rollandin).*|_(" + "|".join(names.TABLES["authors"]) + r").*|(_r|[_-]md|_\d+r?|_+)$"
)
# larger files take seconds to open
MOST_PIXELS = 30_000_000


def caption(path, title, nouns):
    """The plain name of one file: from its file name, else from its title; None if neither is plain English."""
    stem = AUTHOR.sub("", path.stem)
    found = names.plain_name(stem, nouns)
    if found:
        return found
    if title and not COLLECTION.search(title):
        return names.plain_name(title, nouns)
    return None


def without_paper(pixels):
    """Make the white paper round a drawing transparent, where the whole border is white; else the picture as it is."""
    white = (pixels[..., :3].min(axis=2) > 0.93) & (pixels[..., 3] > 0.99)
    border = numpy.concatenate([white[0], white[-1], white[:, 0], white[:, -1]])
    if border.mean() < 0.97:
        return pixels
    regions, _ = ndimage.label(white)
    edge = numpy.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
    paper = numpy.isin(regions, numpy.unique(edge[edge > 0]))
    return pixels * ~paper[..., None]


def is_colourful(pixels):
    """False for plain line drawings in black on nothing: their outlines are too thin to be read when small."""
    alpha = pixels[..., 3]
    solid = alpha > 0.5
    if solid.mean() < 0.12:
        return False
    colours = pixels[..., :3][solid]
    # only black: a silhouette is fine if it covers much, a line drawing is not
    return bool(colours.max(axis=1).mean() > 0.12 or solid.mean() > 0.3)


def clipart_drawings(data, few=None):
    """Yield (small and large pixels, name, weight), sorted by path, without copies of the same picture under the same name."""
    root = debian_folder(data, "openclipart-png")
    wordnet = debian_folder(data, "wordnet-base")
    if root is None or wordnet is None:
        raise SystemExit("openclipart-png or wordnet-base is missing: run fetch.py first")
    nouns = names.english_nouns(wordnet)
    # the size is checked below
    Image.MAX_IMAGE_PIXELS = None
    seen = set()
    count = 0
    for path in sorted(root.rglob("*.png")):
        relative = path.relative_to(root).as_posix()
        if DROP_FOLDERS.search(relative) and not KEEP_FOLDERS.match(relative):
            continue
        image = Image.open(path)  # reads the header only
        name = caption(path, image.info.get("Title", ""), nouns)
        if name is None or max(image.size) < 48:
            continue
        if image.width * image.height > MOST_PIXELS:
            continue
        image = image.convert("RGBA")
        if max(image.size) > 400:
            # reducing first by whole steps keeps thin lines
            image.thumbnail((400, 400), Image.Resampling.LANCZOS, reducing_gap=2.0)
        both = pictures.fit_both(without_paper(pictures.from_image(image)))
        if both is None or not is_colourful(both[0]):
            continue
        coarse = pictures.to_bytes(both[0])[::6, ::6]
        key = (name, numpy.round(coarse / 24).tobytes())
        if key in seen:
            continue
        seen.add(key)
        yield both, name, 0.7
        count += 1
        if count == few:
            return
