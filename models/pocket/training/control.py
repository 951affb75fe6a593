"""A control: what gradient descent makes of the same pictures, with robustness and without.

`python control.py WORK_FOLDER OUT_FOLDER [--robust] [--minutes N] [--early N]` trains a convolutional image tower on the drawings
and scenes that make.py left in WORK_FOLDER, on one processor, and writes a model folder with the model's own text tower. A view
is to have the embedding of its text: softmax over all texts that have pictures; drawings of no weight (fit.py --held-out) are not
shown. Minutes are the processor's, of the training alone, so that two runs of the same minutes have had the same compute. --early
writes OUT_FOLDER-early, too: the tower after so many minutes, when its rate has not fallen yet.

--robust moves each view, before every step, to where it is told worse ("free" adversarial training, Shafahi et al. 2019): the
gradient that changes the weights also changes the views, which are used several times. How far they may move (L2 over the pixels
of a window, values 0 to 1) grows over the run.
"""

import argparse
import copy
import math
import pathlib
import shutil
import time

import numpy
import onnxruntime
import torch
from torch import nn

import features
import fit
import image_tower
import make
import names
import text_tower

SEED = 23
WIDTHS = (24, 48, 96, 192)
BATCH = 64
RATE = 2e-3
DECAY = 0.02  # of the weights
SHARPNESS = 20.0  # of the softmax over texts, to begin with; it is learned
AVERAGED = 0.998  # what the moving average of the weights keeps at each step
FURTHEST = 1.5  # how far views may move at the end
AGAIN = 4  # how often views that move are used


class Block(nn.Module):
    """A residual pair of convolutions."""

    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(*convolution(width, width), nn.SiLU(), *convolution(width, width))

    def forward(self, maps):
        return maps + self.inner(maps)


def convolution(inside, outside):
    """3x3, with batch normalisation."""
    return nn.Conv2d(inside, outside, 3, padding=1, bias=False), nn.BatchNorm2d(outside)


class Tower(nn.Module):
    """Windows (n, 3, 64, 64), 0 to 1 -> unit embeddings (n, dimensions).

    The last map of 4x4 cells is not averaged: where things stand counts, as it does in the model.
    """

    def __init__(self, dimensions):
        super().__init__()
        stages = []
        inside = 3
        for width in WIDTHS:
            stages += [*convolution(inside, width), nn.SiLU(), nn.AvgPool2d(2)]
            if inside > 3:
                stages.append(Block(width))
            inside = width
        self.stages = nn.Sequential(*stages)
        self.map = nn.Linear(WIDTHS[-1] * (image_tower.WINDOW >> len(WIDTHS)) ** 2, dimensions)

    def forward(self, windows):
        answers = self.map(self.stages(2 * windows - 1).flatten(1))
        return answers / (answers.square().sum(dim=1, keepdim=True) + 1e-8).sqrt()


def all_views(work):
    """The views of features.py, uint8 (n, 3, 64, 64), and which picture each shows."""
    drawings, scenes = numpy.load(work / "drawings.npz"), numpy.load(work / "scenes.npz")
    _, _, views = make.FULL
    kept = []

    def keep(windows):
        kept.append((windows * 255 + 0.5).astype(numpy.uint8))
        return numpy.zeros((len(windows), 1), numpy.float32)

    _, drawing = features.drawing_features(keep, drawings["rgba"], views)
    _, scene = features.scene_features(keep, scenes["rgb"], features.SCENE_VIEWS)
    return numpy.concatenate(kept), numpy.concatenate((drawing, len(drawings["rgba"]) + scene))


class Lesson:
    """Views with what they are to be taken for; `next()` draws a batch by weight, as the fit weighs them."""

    def __init__(self, work):
        fitted = dict(numpy.load(work / "fitted.npz"))
        _, values, _, place = text_tower.drawn(fitted, names.load_aliases())
        self.targets = torch.from_numpy(values.astype(numpy.float32))
        # what the text tower has no place for is not taught
        text_of = [
            place.get(str(caption), place.get(str(name), -1)) for caption, name in zip(fitted["caption"], fitted["name"])
        ]
        self.windows, picture = all_views(work)
        self.text = numpy.array(text_of)[picture]
        is_scene = fitted["source"] == "scene"
        _, scene, variants = numpy.unique(fitted["name"][is_scene], return_inverse=True, return_counts=True)
        share = fitted["weight"].astype(numpy.float64)
        share[is_scene] *= fit.SCENE_WEIGHT / variants[scene]
        share = share[picture] / numpy.bincount(picture)[picture] * (self.text >= 0)
        self.upto = numpy.cumsum(share / share.sum())
        self.chance = numpy.random.default_rng(SEED)

    def next(self):
        """A batch: windows, float32, and the numbers of their texts."""
        chosen = numpy.minimum(self.upto.searchsorted(self.chance.random(BATCH)), len(self.upto) - 1)
        return torch.from_numpy(self.windows[chosen]).float() / 255, torch.from_numpy(self.text[chosen])


def shortened(moves, furthest):
    """Each move of a batch, no longer than `furthest`."""
    length = moves.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None, None]
    return moves * (furthest / length).clamp_max(1)


def train(lesson, options, early):
    """The moving average of the tower that is trained for options.minutes; `early(tower)` gets it once before."""
    tower = Tower(lesson.targets.shape[1])
    sharpness = nn.Parameter(torch.tensor(math.log(SHARPNESS)))
    optimiser = torch.optim.AdamW([*tower.parameters(), sharpness], RATE, weight_decay=DECAY)
    average = copy.deepcopy(tower)
    limit = 60 * options.minutes
    spent, steps, views, losses = 0.0, 0, 0, []
    while spent < limit:
        start = time.process_time()
        part = spent / limit
        for group in optimiser.param_groups:
            group["lr"] = RATE * min(1, steps / 200) * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * part)))
        windows, texts = lesson.next()
        furthest = FURTHEST * part
        moves = torch.zeros_like(windows)
        for _ in range(AGAIN if options.robust else 1):
            moves.requires_grad_(options.robust)
            # views that move stay pictures
            answers = tower((windows + moves).clamp(0, 1))
            loss = nn.functional.cross_entropy(sharpness.exp() * answers @ lesson.targets.T, texts)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if options.robust:
                step = moves.grad / moves.grad.flatten(1).norm(dim=1).clamp_min(1e-12)[:, None, None, None]
                # the first step alone reaches the limit
                moves = shortened(moves.detach() + furthest * step, furthest)
            with torch.no_grad():
                kept = min(AVERAGED, (steps + 1) / (steps + 10))
                for own, new in zip(average.parameters(), tower.parameters()):
                    own.lerp_(new, 1 - kept)
                for own, new in zip(average.buffers(), tower.buffers()):
                    own.copy_(new)
            steps += 1
            views += len(texts)
            losses.append(loss.item())
        spent += time.process_time() - start
        if early and spent >= 60 * options.early:
            early(average)
            early = None
        if len(losses) >= 1000:
            print(f"{spent:6.0f} s, {steps} steps, {views} views, loss {sum(losses) / len(losses):.3f}", flush=True)
            losses = []
    print(f"{views} views, {views / spent:.0f} a second")
    return average


def write(tower, model, out):
    """A model folder: this image tower in ONNX, all else the model's."""
    out.mkdir(parents=True, exist_ok=True)
    for path in model.iterdir():
        if path.name != "image.onnx":
            shutil.copyfile(path, out / path.name)
    tower = copy.deepcopy(tower).eval()
    example = torch.rand(2, 3, image_tower.WINDOW, image_tower.WINDOW)
    torch.onnx.export(
        tower,
        (example,),
        out / "image.onnx",
        input_names=["image"],
        output_names=["embedding"],
        dynamic_axes={"image": {0: "batch"}, "embedding": {0: "batch"}},
        opset_version=image_tower.OPSET,
        dynamo=False,
    )
    [given] = onnxruntime.InferenceSession(out / "image.onnx").run(None, {"image": example.numpy()})
    with torch.no_grad():
        print(f"{out}: {(out / 'image.onnx').stat().st_size / 1e6:.1f} MB, {abs(given - tower(example).numpy()).max():.1e} off")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", metavar="WORK_FOLDER", type=pathlib.Path)
    parser.add_argument("out", metavar="OUT_FOLDER", type=pathlib.Path)
    parser.add_argument("--robust", action="store_true")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--early", type=float, metavar="MINUTES")
    options = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    lesson = Lesson(options.work)
    model = options.work / "model"
    early = options.early and (lambda tower: write(tower, model, options.out.with_name(options.out.name + "-early")))
    write(train(lesson, options, early), model, options.out)


if __name__ == "__main__":
    main()
