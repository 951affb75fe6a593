"""How well a model knows drawings of a source that it was not made with: `python held_out.py DRAWINGS.npz MODEL_FOLDER [--source twemoji]`.

Every held-out drawing whose name other sources show, too, is looked at in the views of features.py, and ranked among all names
by a name's text, and by the mean of the other sources' drawings of that name. For a model of ours: fit.py --held-out, colours.py
and export.py first.
"""

import argparse
import pathlib
import tomllib

import numpy
import onnxruntime
from tokenizers import Tokenizer

import features
import fit

VIEWS = 2
TOPS = (1, 5, 20)


class Model:
    """A model folder's two encoders."""

    def __init__(self, folder):
        page = tomllib.loads((folder / "model.toml").read_text())
        self.image = onnxruntime.InferenceSession(folder / page["image"]["file"])
        self.text = onnxruntime.InferenceSession(folder / page["text"]["file"])
        self.tokenizer = Tokenizer.from_file(str(folder / page["tokenizer"]["file"]))
        shape = (1, 3, 1, 1)
        self.mean = numpy.array(page["image"]["mean"], numpy.float32).reshape(shape)
        self.deviation = numpy.array(page["image"]["deviation"], numpy.float32).reshape(shape)

    def __call__(self, windows):
        """Embeddings of windows (n, 3, 64, 64), 0 to 1."""
        name = self.image.get_inputs()[0].name
        return fit.unit(self.image.run(None, {name: (windows - self.mean) / self.deviation})[0])

    def texts(self, texts):
        """Embeddings of texts."""
        name = self.text.get_inputs()[0].name
        rows = []
        for text in texts:
            ids = numpy.array([self.tokenizer.encode(text).ids or [0]], numpy.int64)
            rows.append(self.text.run(None, {name: ids})[0][0])
        return fit.unit(numpy.stack(rows))


def ranked(similar, own):
    """Shares whose own name (a column of `similar`, one a row) is among the first TOPS."""
    mine = similar[numpy.arange(len(own)), own]
    rank = (similar > mine[:, None]).sum(axis=1)
    return ", ".join(f"{(rank < top).mean():.1%}" for top in TOPS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawings", metavar="DRAWINGS.npz")
    parser.add_argument("model", metavar="MODEL_FOLDER", type=pathlib.Path)
    parser.add_argument("--source", default="twemoji")
    options = parser.parse_args()
    drawings = numpy.load(options.drawings)
    model = Model(options.model)
    rows, owner = features.drawing_features(model, drawings["rgba"], VIEWS)
    seen = fit.unit(fit.sums(rows.astype(numpy.float32), owner, len(drawings["name"])))
    out = drawings["source"] == options.source
    names, number = numpy.unique(drawings["name"], return_inverse=True)
    means = fit.sums(seen[~out], number[~out], len(names))
    known = numpy.linalg.norm(means, axis=1) > 0
    means = fit.unit(means)[known]
    place = numpy.cumsum(known) - 1
    asked = numpy.flatnonzero(out & known[number])
    own = place[number[asked]]
    tops = ", ".join(map(str, TOPS))
    print(f"{len(asked)} drawings of {options.source} among {known.sum()} names; own name among the first {tops}:")
    print("  by the other drawings' mean:", ranked(seen[asked] @ means.T, own))
    print("  by the name's text:", ranked(seen[asked] @ model.texts(names[known]).T, own))


if __name__ == "__main__":
    main()
