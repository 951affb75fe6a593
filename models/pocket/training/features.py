"""The image tower's fixed features of all training pictures.

`python features.py DRAWINGS.npz SCENES.npz OUT.npz [--views N]` writes
  features  float16 (views, CHANNELS * GRID * GRID)
  picture   int32 (views): which picture a view shows
  name      str (pictures): pictures of one name are alike in layout
  caption   str (pictures): what the picture is called, for scenes sometimes with details; else its name
  source    str (pictures): fluent, noto, twemoji, game, openclipart or scene
  weight    float32 (pictures): how much a picture should count
"""

import argparse

import numpy
import onnxruntime

import image_tower
import views

SEED = 17
BATCH = 256
SCENE_VIEWS = 2  # a scene has variants enough


class Extractor:
    """Features of windows by onnxruntime, in batches."""

    def __init__(self):
        self.session = onnxruntime.InferenceSession(image_tower.features().SerializeToString())

    def __call__(self, windows):
        """Windows (n, 3, 64, 64) -> float32 (n, CHANNELS * GRID * GRID)."""
        return self.session.run(None, {"image": windows})[0].reshape(len(windows), -1)


def in_batches(count):
    """Slices that cover range(count)."""
    return (slice(start, min(start + BATCH, count)) for start in range(0, count, BATCH))


def drawing_features(extract, rgba, per_picture):
    """(drawings * per_picture) rows, all views of one drawing after another.

    Every other view is on the complement of the ground before it, so that a drawing's mean has a grey ground: otherwise
    the few colours that chance gave it would be taken for its own.
    """
    chance = numpy.random.default_rng(SEED)
    rows = []
    owners = numpy.repeat(numpy.arange(len(rgba)), per_picture)
    for part in in_batches(len(owners)):
        windows = []
        for owner in owners[part][::2]:
            below = views.ground(chance)
            windows.append(views.drawing_view(rgba[owner], below, chance))
            windows.append(views.drawing_view(rgba[owner], 1 - below, chance))
        rows.append(extract(numpy.stack(windows).astype(numpy.float32)).astype(numpy.float16))
    return numpy.concatenate(rows), owners


def scene_features(extract, rgb, per_picture):
    """(scenes * per_picture) rows, all views of one scene after another."""
    chance = numpy.random.default_rng(SEED + 1)
    owners = numpy.repeat(numpy.arange(len(rgb)), per_picture)
    rows = []
    for part in in_batches(len(owners)):
        windows = numpy.stack([views.scene_view(rgb[owner], chance) for owner in owners[part]])
        rows.append(extract(windows.astype(numpy.float32)).astype(numpy.float16))
    return numpy.concatenate(rows), owners


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawings", metavar="DRAWINGS.npz")
    parser.add_argument("scenes", metavar="SCENES.npz")
    parser.add_argument("out", metavar="OUT.npz")
    parser.add_argument("--views", type=int, default=4, help="views per drawing; an even number")
    options = parser.parse_args()
    extract = Extractor()
    drawings = numpy.load(options.drawings)
    scenes = numpy.load(options.scenes)
    first, owner = drawing_features(extract, drawings["rgba"], options.views)
    second, scene_owner = scene_features(extract, scenes["rgb"], SCENE_VIEWS)
    count = len(drawings["rgba"])
    numpy.savez(
        options.out,
        features=numpy.concatenate((first, second)),
        picture=numpy.concatenate((owner, count + scene_owner)).astype(numpy.int32),
        name=numpy.concatenate((drawings["name"], scenes["name"])),
        caption=numpy.concatenate((drawings["name"], scenes["caption"])),
        source=numpy.concatenate((drawings["source"], numpy.full(len(scenes["rgb"]), "scene"))),
        weight=numpy.concatenate((drawings["weight"], numpy.ones(len(scenes["rgb"]), numpy.float32))),
    )
    print(f"{len(first) + len(second)} views of {count} drawings and {len(scenes['rgb'])} scenes")


if __name__ == "__main__":
    main()
