"""The image tower's linear map, in closed form, and the embeddings of all training pictures.

`python fit.py FEATURES.npz OUT.npz` finds the templates in which pictures of different things differ most, compared with
views of one thing (other grounds, a little turned and moved; other variants of a scene) and drawings of one thing in other
styles: the leading solutions of the generalised eigenproblem
    between * v = value * (within + ridge) * v
(Fisher's discriminants). The file holds
  templates  float32 (dimensions, features): an embedding is anchored(templates @ features + bias)
  bias       float32 (dimensions)
  embedding  float32 (pictures, dimensions + 1): unit length, of each picture's mean view
  name, caption, source, weight: of the pictures, as in FEATURES.npz
"""

import argparse

import numpy
import scipy.linalg

import image_tower

DIMENSIONS = 640
# added to the within-scatter's diagonal, in units of its mean: high values prefer features that are strong over those
# that merely never vary, which makes pictures calmer
RIDGE = 4.0
# how far leading dimensions are evened out with later ones: 0 leaves them as they are, 1 gives each the same spread
WHITENING = 0.5
# how much the differences between drawings of one name count as something to look through
STYLE = 0.5
# a scene is drawn for the purpose, and counts more than one icon among thousands
SCENE_WEIGHT = 8.0
ROWS = 4096  # views that are worked on at a time


def unit(rows):
    """Rows of unit length."""
    return rows / numpy.maximum(1e-12, numpy.linalg.norm(rows, axis=-1, keepdims=True))


def anchored(answers):
    """The templates' answers as embeddings: with one constant number more, unit length."""
    return unit(numpy.pad(answers, ((0, 0), (0, 1)), constant_values=image_tower.ANCHOR))


def sums(rows, owner, count):
    """Sums of the rows that belong to each of `count` owners."""
    result = numpy.zeros((count, rows.shape[1]), numpy.float32)
    numpy.add.at(result, owner, rows)
    return result


def scatter(rows, weight):
    """Weighted mean of outer products."""
    scaled = rows * numpy.sqrt(weight / weight.sum())[:, None].astype(numpy.float32)
    return scaled.T @ scaled


class Moments:
    """What the fit needs to know about the views: the means of things, the scatter of the views around them, weights.

    A thing is a drawing, or a scene with all its variants.
    """

    def __init__(self, data):
        things = [
            f"scene {name}" if source == "scene" else f"drawing {index}"
            for index, (name, source) in enumerate(zip(data["name"], data["source"]))
        ]
        _, first, thing = numpy.unique(things, return_index=True, return_inverse=True)
        self.name = data["name"][first]
        self.source = data["source"][first]
        self.weight = data["weight"][first] * numpy.where(self.source == "scene", SCENE_WEIGHT, 1).astype(numpy.float32)
        owner = thing[data["picture"]]
        features = data["features"]
        views = numpy.bincount(owner, minlength=len(first)).astype(numpy.float32)
        self.means = sums(features.astype(numpy.float32), owner, len(first)) / views[:, None]
        self.within = numpy.zeros((features.shape[1],) * 2, numpy.float32)
        share = numpy.sqrt(self.weight[owner] / views[owner])
        for start in range(0, len(features), ROWS):
            part = slice(start, start + ROWS)
            rows = (features[part].astype(numpy.float32) - self.means[owner[part]]) * share[part, None]
            self.within += rows.T @ rows
        self.within /= self.weight.sum()
        self.centre = (self.means * self.weight[:, None]).sum(axis=0) / self.weight.sum()


def templates(moments):
    """The map as (templates, bias)."""
    centred = moments.means - moments.centre
    between = scatter(centred, moments.weight)
    within = moments.within.copy()
    listed, owner = numpy.unique(moments.name, return_inverse=True)
    total = numpy.maximum(1e-6, numpy.bincount(owner, moments.weight)).astype(numpy.float32)
    typical = sums(centred * moments.weight[:, None], owner, len(listed)) / total[:, None]
    within += STYLE * scatter(centred - typical[owner], moments.weight)
    within[numpy.diag_indices_from(within)] += RIDGE * numpy.diagonal(within).mean()
    size = len(within)
    values, vectors = scipy.linalg.eigh(
        between, within, subset_by_index=(size - DIMENSIONS, size - 1), overwrite_a=True, overwrite_b=True
    )
    order = numpy.argsort(-values)
    found = vectors[:, order].T / (values[order, None] + 1) ** (WHITENING / 2)
    # the eigenvectors' signs are arbitrary: each one's largest entry is made positive
    found *= numpy.sign(found[numpy.arange(DIMENSIONS), numpy.abs(found).argmax(axis=1)])[:, None]
    # the softmax over places and the anchor count on answers of length 1
    found /= numpy.sqrt(((centred @ found.T) ** 2).sum(axis=1).mean())
    small, scale = image_tower.in_bytes(found)
    found = small * scale
    return found, -found @ moments.centre


def picture_embeddings(data, found, bias):
    """Unit embeddings of the pictures' mean views."""
    count = len(data["name"])
    result = numpy.zeros((count, len(found)), numpy.float32)
    for start in range(0, len(data["features"]), ROWS):
        part = slice(start, start + ROWS)
        rows = data["features"][part].astype(numpy.float32) @ found.T
        numpy.add.at(result, data["picture"][part], rows)
    return anchored(result / numpy.bincount(data["picture"], minlength=count)[:, None] + bias)


def held_out(embedding, name, out):
    """How held-out pictures (bool array) of names that others show are recognised.

    Returns the shares whose name is first, among 5, among 20; how many were asked for; and among how many names.
    """
    listed, owner = numpy.unique(name, return_inverse=True)
    known = sums(embedding[~out], owner[~out], len(listed))
    here = numpy.linalg.norm(known, axis=1) > 0
    known = unit(known)
    asked = numpy.flatnonzero(out & here[owner])
    similar = embedding[asked] @ known.T
    own = similar[numpy.arange(len(asked)), owner[asked]]
    rank = (similar > own[:, None]).sum(axis=1)
    return [float((rank < top).mean()) for top in (1, 5, 20)], len(asked), int(here.sum())


def load(path, held=None):
    """The file of features as a dictionary; pictures of the source `held` weigh nothing."""
    data = dict(numpy.load(path))
    if held:
        data["weight"][data["source"] == held] = 0
    return data


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", metavar="FEATURES.npz")
    parser.add_argument("out", metavar="OUT.npz")
    parser.add_argument("--held-out", metavar="SOURCE", help="leave one source out, and say how well it is recognised")
    options = parser.parse_args()
    data = load(options.features, options.held_out)
    found, bias = templates(Moments(data))
    embedding = picture_embeddings(data, found, bias)
    if options.held_out:
        shares, asked, known = held_out(embedding, data["name"], data["source"] == options.held_out)
        figures = ", ".join(f"{share:.1%}" for share in shares)
        print(f"{options.held_out}: first, among 5, among 20 of {known} names: {figures} of {asked} drawings")
    kept = {key: data[key] for key in ("name", "caption", "source", "weight")}
    numpy.savez(options.out, templates=found, bias=bias, embedding=embedding, **kept)
    print(f"{len(embedding)} pictures, {len(found)} dimensions")


if __name__ == "__main__":
    main()
