"""Compares recipe-render with PyTorch on the same work, in turns on the same machine: eager, compiled (needs a C++
compiler), or with autocast to bfloat16.

    python compare.py MODEL_FOLDER [--modes eager,compile,bfloat16] [--windows 16] [--size 1024] [--steps 6] [--rounds 3]
        [--threads 2] [--binary PATH]

MODEL_FOLDER is one that make_model.py or make_classifier.py wrote (it holds the weights for PyTorch, too). A round is one run of each: PyTorch's
forward and backward of the image encoder and its whole step (windows by grid_sample from average-pooled levels, rotation,
perspective, noise, cosine loss, Adam on the pixels) in each mode, then the program on a recipe that asks for the same. The
first step of each run warms up and is left out. Prints seconds a step and the ratios, round by round and their medians.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import torch
import torch.nn.functional as F

RECIPE = """size = [{size}, {size}]
seed = 1

[canvas]
basis = "pixels"

[[detail]]
prompts = ["castle"]
windows = {windows}
loss = "cosine"
stages = [{{ cover = [0.25, 0.6] }}, {{ rotate = 15 }}, {{ perspective = 0.3 }}, {{ noise = 0.1 }}]

[[phase]]
steps = {steps}
rate = 0.01
"""


MEAN, DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class Classifier:
    """A classifier in the shape of open_clip's models."""

    def __init__(self, network):
        self.network = network
        self.visual = self
        self.image_size = network._global_params.image_size

    def encode_image(self, images):
        return self.network(images)


def load(folder, arch):
    if (folder / "network.pt").exists():
        network = torch.load(folder / "network.pt", weights_only=False)
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        return Classifier(network)
    import open_clip

    model = open_clip.create_model(arch, pretrained=None).eval()
    model.load_state_dict(torch.load(folder / "weights.pt"))
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model


def sample(picture, count, side):
    """`count` windows of the picture [3, H, W], sides log-uniform in 0.25..0.6, turned and tilted."""
    levels = [picture[None]]
    while levels[-1].shape[-1] > side:
        levels.append(F.avg_pool2d(levels[-1], 2))
    size = picture.shape[-1]
    cover = 0.25 * (0.6 / 0.25) ** torch.rand(count)
    level = (cover * size / side).clamp_min(1).log2().round().long().clamp(max=len(levels) - 1)
    base = F.affine_grid(torch.eye(2, 3)[None].repeat(count, 1, 1), (count, 3, side, side), align_corners=False)
    angle = (torch.rand(count) * 2 - 1) * 0.26
    turn = torch.zeros(count, 2, 3)
    turn[:, 0, 0], turn[:, 0, 1] = cover * angle.cos(), -cover * angle.sin()
    turn[:, 1, 0], turn[:, 1, 1] = cover * angle.sin(), cover * angle.cos()
    grid = F.affine_grid(turn, (count, 3, side, side), align_corners=False)
    tilt = (torch.rand(count, 2) * 2 - 1) * 0.15
    grid = grid / (1 + base @ tilt[:, None, :, None])[..., 0][..., None]
    grid = grid + ((torch.rand(count, 1, 1, 2) * 2 - 1) * (1 - cover)[:, None, None, None])
    windows, order = [], []
    for which in level.unique().tolist():
        chosen = (level == which).nonzero()[:, 0]
        source = levels[which].expand(len(chosen), -1, -1, -1)
        windows.append(F.grid_sample(source, grid[chosen], padding_mode="reflection", align_corners=False))
        order.append(chosen)
    return torch.cat(windows)[torch.cat(order).argsort()]


def pytorch(model, mode, arguments):
    """Seconds a step: (encoder forward and backward, whole step)."""
    side = model.visual.image_size
    side = side[0] if isinstance(side, (tuple, list)) else side
    mean = torch.tensor(MEAN)[:, None, None]
    deviation = torch.tensor(DEVIATION)[:, None, None]
    width = model.encode_image(torch.zeros(1, 3, side, side)).shape[-1]
    encode_image = torch.compile(model.encode_image) if mode == "compile" else model.encode_image
    half = torch.autocast("cpu", dtype=torch.bfloat16, enabled=mode == "bfloat16")
    target = F.normalize(torch.randn(width), dim=0)
    picture = torch.full((3, arguments.size, arguments.size), 0.5).requires_grad_()
    optimiser = torch.optim.Adam([picture], lr=0.01)
    encode, whole = [], []
    for _ in range(arguments.steps):
        begin = time.perf_counter()
        windows = sample(picture, arguments.windows, side)
        windows = windows + torch.randn_like(windows) * 0.1 * torch.rand(len(windows), 1, 1, 1)
        leaf = windows.detach().requires_grad_()
        middle = time.perf_counter()
        with half:
            embedding = encode_image((leaf - mean) / deviation)
        (1 - F.normalize(embedding.float(), dim=-1) @ target).mean().backward()
        encode.append(time.perf_counter() - middle)
        optimiser.zero_grad(set_to_none=True)
        windows.backward(leaf.grad)
        optimiser.step()
        with torch.no_grad():
            picture.clamp_(0, 1)
        whole.append(time.perf_counter() - begin)
    return statistics.median(encode[1:]), statistics.median(whole[1:])


def program(arguments, folder):
    """Seconds a step: (encode, whole step), from the difference of a long and a one-step run's timings."""
    figures = []
    for steps in (1, arguments.steps):
        recipe = folder / "bench.toml"
        recipe.write_text(RECIPE.format(size=arguments.size, windows=arguments.windows, steps=steps))
        timings = folder / "timings.json"
        subprocess.run(
            [arguments.binary, recipe, "--model", arguments.model.resolve(), "--threads", str(arguments.threads), "--device",
             "cpu", "--quiet", "--timings", timings, "-o", folder / "bench.png"], check=True, stdout=subprocess.DEVNULL)
        figures.append(json.loads(timings.read_text())["seconds"])
    one, many = figures
    parts = {key: (many[key] - one[key]) / (arguments.steps - 1) for key in ("look", "encode", "push", "optimize")}
    return parts["encode"], sum(parts.values()), parts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--arch", default="ViT-B-32")
    parser.add_argument("--modes", default="eager")
    parser.add_argument("--windows", type=int, default=16)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--binary", default="target/release/recipe-render")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = load(arguments.model, arguments.arch)
    modes = arguments.modes.split(",")
    ratios = {mode: [] for mode in modes}
    with tempfile.TemporaryDirectory() as folder:
        for round_ in range(arguments.rounds):
            theirs = {mode: pytorch(model, mode, arguments) for mode in modes}
            ours, our_whole, parts = program(arguments, pathlib.Path(folder))
            print(f"round {round_ + 1}: recipe-render encoder {ours:.3f} s, step {our_whole:.3f} s, outside the encoder "
                  f"{100 * (1 - ours / our_whole):.1f} %")
            for mode, (encode, whole) in theirs.items():
                ratios[mode].append((encode / ours, whole / our_whole))
                print(f"    PyTorch {mode}: encoder {encode:.3f} s, ratio {encode / ours:.2f}; step {whole:.3f} s, ratio "
                      f"{whole / our_whole:.2f}", flush=True)
    for mode, found in ratios.items():
        encoders, steps = zip(*found)
        print(f"PyTorch {mode}, median ratios: encoder {statistics.median(encoders):.2f} ({min(encoders):.2f} to "
              f"{max(encoders):.2f}), step {statistics.median(steps):.2f} ({min(steps):.2f} to {max(steps):.2f})")


if __name__ == "__main__":
    main()
