"""One-colour icons (white on nothing) drawn as objects: material by name, a dark closed outline, some relief."""

import hashlib
import pathlib
import tomllib

import numpy
from scipy import ndimage

from pictures import SIDE, fit_both

with open(pathlib.Path(__file__).with_name("materials.toml"), "rb") as _file:
    _TABLES = tomllib.load(_file)
# material -> (colour at the top, colour at the bottom)
MATERIALS = _TABLES["colours"]
# word -> (place in the list, material)
RANK_OF_WORD = {}
for _place, _entry in enumerate(_TABLES["words"]):
    for _word in _entry["of"].split():
        RANK_OF_WORD.setdefault(_word, (_place, _entry["material"]))
# what is left takes one of these by a hash of its name, the same in every run
REST = ("steel", "gold", "cloth", "magic", "wood", "leaf", "blood", "water", "orange", "stone", "bronze", "pink")
OUTLINE = numpy.array((0.08, 0.06, 0.09), numpy.float32)


def material(name):
    """The material of an object by the words of its name ("battle axe" -> "steel")."""
    found = [RANK_OF_WORD[word] for word in name.split() if word in RANK_OF_WORD]
    if found:
        # "dragon head", "chest armour": the word that comes first in WORDS says it
        return min(found)[1]
    digest = hashlib.sha256(name.encode()).digest()
    return REST[digest[0] % len(REST)]


def silhouette(alpha):
    """The closed shape of an icon (bool): its dark inner lines and small holes belong to it, wide openings do not."""
    white = alpha > 0.5
    closed = ndimage.binary_closing(numpy.pad(white, 8), iterations=4)[8:-8, 8:-8] | white
    holes, count = ndimage.label(ndimage.binary_fill_holes(closed) & ~closed)
    if count:
        sizes = ndimage.sum_labels(numpy.ones_like(holes), holes, index=numpy.arange(1, count + 1))
        small = 1 + numpy.flatnonzero(sizes < 0.10 * closed.sum())
        closed |= numpy.isin(holes, small)
    return closed


def as_object(alpha, name, brightness):
    """Colour an icon's alpha (side x side, 0 to 1): premultiplied RGBA, small and large, or None if nothing is left.

    brightness scales the material's colours: 1 is as listed, 0.7 a darker make of the same.
    """
    margin = 10
    alpha = numpy.pad(alpha, margin)
    side = alpha.shape[0]
    solid = silhouette(alpha)
    top, bottom = (numpy.array(colour, numpy.float32) for colour in MATERIALS[material(name)])
    rows = numpy.flatnonzero(solid.any(axis=1))
    if len(rows) == 0:
        return None
    height = numpy.clip((numpy.arange(side) - rows[0]) / max(1, rows[-1] - rows[0]), 0, 1)[:, None, None]
    colour = top * (1 - height) + bottom * height
    # relief: the blurred shape is a hill, lit from the upper left
    hill = ndimage.gaussian_filter(alpha, side / 40)
    slope_y, slope_x = numpy.gradient(hill)
    light = 1 + numpy.clip((slope_x + slope_y) * side / 55, -0.3, 0.3)
    colour = numpy.clip(colour * light[..., None] * brightness, 0, 1)
    # white parts show the material, the rest of the closed shape is its shadow
    lit = alpha[..., None]
    inside = colour * lit + (0.22 * colour + 0.02) * (1 - lit)
    smooth = ndimage.gaussian_filter(solid.astype(numpy.float32), 0.7)
    # about 2 of SIDE pixels
    distance = ndimage.distance_transform_edt(~solid)
    outline = numpy.clip(2.2 * side / SIDE - distance, 0, 1)
    cover = numpy.maximum(smooth, outline)
    result = numpy.zeros((side, side, 4), numpy.float32)
    result[..., :3] = inside * smooth[..., None] + OUTLINE * (cover - smooth)[..., None]
    result[..., 3] = cover
    return fit_both(result)


# these are discs or squares by nature
ROUND_THINGS = set(
    (
        "shield coin coins gear cog wheel sawblade moon planet ball eye disc buoy target clock watch globe pizza "
        "button tyre egg orange melon compass record cookie donut chest crate box window door wall book pillow face "
        "abacus dartboard frisbee mirror plate drum jupiter maze chessboard brick bricks planks cage dynamite cheese "
        "waffle bread pumpkin"
    ).split()
)


def is_inverted(alpha, name):
    """True for icons that are a full disc or square with the subject cut out: they show the ground, not the subject."""
    if ROUND_THINGS & set(name.split()):
        return False
    white = alpha > 0.5
    whole = ndimage.binary_fill_holes(white)
    share = whole.mean()
    holes = 1 - white.sum() / max(1, whole.sum())
    corners = numpy.mean([whole[0, 0], whole[0, -1], whole[-1, 0], whole[-1, -1]])
    side = alpha.shape[0]
    grid = (numpy.arange(side) + 0.5) / side * 2 - 1
    disc = grid[:, None] ** 2 + grid[None, :] ** 2 < 1
    same = (whole & disc).sum() / (whole | disc).sum()
    return bool((same > 0.93 and holes > 0.12) or (corners == 1 and share > 0.97 and holes > 0.12))
