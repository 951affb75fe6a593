"""Writes the small models of this folder with what PyTorch computes for them.

    python tests/models/generate.py                    the models that are part of the tests, here
    python tests/models/generate.py --all FOLDER       every family in every form, elsewhere
    python tests/models/generate.py --all FOLDER siglip eva02      of these families alone

Needs torch, open_clip_torch, timm, transformers, onnx, onnxscript, onnxconverter-common, numpy. Run by hand when a model
is to be added; the tests only read the files. `models.json` lists them: file, reference, side of the image, tolerance.
The reference of a family, NAME.f32, is raw little-endian 32-bit floats of image, embedding, embedding_gradient,
image_gradient, one after the other, computed in 64 bits. What is left to check by hand is checked with

    RECIPE_RENDER_MODELS=FOLDER cargo test --lib models_of_a_folder -- --ignored --nocapture
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

import onnx
import torch

from common import half, randomise, strip, write
from families import FAMILIES

warnings.filterwarnings("ignore")
FOLDER = Path(__file__).parent
WINDOWS = 2
# Without this, attention runs in a fused form that the TorchScript exporter does not know.
torch.backends.mha.set_fastpath_enabled(False)

# A form is a text of parts: `ts14` is the TorchScript exporter at operator set 14, `dy18` the other one at 18; `static` is
# a fixed batch, `sizes` free height and width; `f16` weights and activations of 16 bits, inputs and outputs too; `io32`
# 16 bits inside, 32 outside, as converters write it.
EVERY = [
    "ts11", "ts13", "ts14", "ts17", "ts18", "ts20", "ts14-static", "ts17-sizes", "ts14-f16", "ts17-io32",
    "dy18", "dy20", "dy23", "dy18-static", "dy18-f16", "dy18-io32",
]
ALL_SETS = [f"ts{n}" for n in range(11, 21)] + [f"dy{n}" for n in range(18, 24)]

# What is committed: for each family a few forms, so that between them every form is there.
COMMITTED = {}


def export(model, image, form, path):
    """Writes the model in a form. Gives the tolerance of its figures."""
    parts = form.split("-")
    exporter, opset = parts[0][:2], int(parts[0][2:])
    if "f16" in parts:
        model, image = model.half(), image.half()
    free = {} if "static" in parts else {0: "batch"}
    if "sizes" in parts:
        free |= {2: "height", 3: "width"}
    if exporter == "ts":
        torch.onnx.export(
            model, (image,), path, input_names=["image"], output_names=["embedding"],
            dynamic_axes={"image": free, "embedding": {} if "static" in parts else {0: "batch"}},
            opset_version=opset, dynamo=False,
        )
    else:
        dims = {axis: torch.export.Dim(name) for axis, name in free.items()}
        torch.onnx.export(
            model, (image,), path, input_names=["image"], output_names=["result"], dynamo=True,
            dynamic_shapes=(dims,), external_data=False, opset_version=opset, verbose=False,
        )
        strip(path)
    if "io32" in parts:
        half(path)
    return 2e-2 if "f16" in parts or "io32" in parts else 1e-4


def family(name, index):
    """The family's model, and its image; the same at every call."""
    make, side = FAMILIES[name]
    torch.manual_seed(index)
    model = make().eval()
    randomise(model)
    return model, torch.rand(WINDOWS, 3, side, side)


def reference(name, index, folder):
    model, image = family(name, index)
    # In 64 bits: what differs is then our rounding alone.
    model.double()
    image = image.double().requires_grad_()
    embedding = model(image)
    gradient = torch.randn_like(embedding).float().double()
    embedding.backward(gradient)
    write(folder / f"{name}.f32", [image, embedding, gradient, image.grad])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--all", type=Path)
    arguments.add_argument("--forms", nargs="*")
    arguments.add_argument("families", nargs="*")
    arguments = arguments.parse_args()
    folder = arguments.all or FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / "models.json"
    entries = json.loads(listing.read_text()) if listing.exists() and arguments.families else []
    failed = []
    for index, (name, (_, side)) in enumerate(FAMILIES.items()):
        if arguments.families and name not in arguments.families:
            continue
        forms = COMMITTED.get(name, [])
        if arguments.all:
            forms = arguments.forms or (ALL_SETS if name == "vit-gelu" else []) + EVERY
        if forms:
            reference(name, index, folder)
        for form in dict.fromkeys(forms):
            file = f"{name}-{form}.onnx"
            entries = [entry for entry in entries if entry["file"] != file]
            try:
                model, image = family(name, index)
                tolerance = export(model, image, form, folder / file)
                onnx.checker.check_model(folder / file)
            except Exception as error:  # noqa: BLE001: what an exporter cannot write is listed and left out
                failed.append(f"{file}: {type(error).__name__} {' '.join(str(error).split())[:200]}")
                (folder / file).unlink(missing_ok=True)
                continue
            entries.append(dict(file=file, reference=f"{name}.f32", side=side, tolerance=tolerance))
            print(file, (folder / file).stat().st_size, flush=True)
        listing.write_text("[\n" + ",\n".join("  " + json.dumps(entry) for entry in entries) + "\n]\n")
    print("not exported:", *failed, sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())
