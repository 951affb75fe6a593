"""Writes the small models of this folder with what PyTorch computes for them.

    python tests/models/generate.py                    the models that are part of the tests, here
    python tests/models/generate.py --all FOLDER       every family in every form, elsewhere
    python tests/models/generate.py --all FOLDER siglip eva02      of these families alone

Needs torch, open_clip_torch, timm, transformers, onnx, onnxscript, onnxconverter-common, numpy. Run by hand when a model
is to be added; the tests only read the files. `models.json` lists them: file, reference, side of the image, tolerance.
The reference of a family, NAME.f32 (NAME-f16.f32 of weights rounded to 16 bits), is raw little-endian 32-bit floats of image, embedding, embedding_gradient,
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

from common import half, randomise, shorten, strip, write
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
COMMITTED = {
    "vit-quickgelu": ["ts17", "dy18"],
    "vit-gelu": ALL_SETS,
    "vit-average": ["ts14"],
    "resnet": ["ts17", "dy18"],
    "transformers": ["ts14", "ts11", "dy18", "ts17-sizes", "ts17-io32", "ts13-static"],
    "transformers-sdpa": ["ts14-f16", "dy23"],
    "siglip": ["ts13", "dy18"],
    "siglip-sdpa": ["ts17", "dy23"],
    "siglip2-naflex": ["dy18"],
    "siglip-timm": ["ts12", "dy20"],
    "eva02": ["ts14", "dy23", "ts17-io32"],
    "eva02-fused": ["ts12", "dy20"],
    "pe-core": ["ts17", "dy20"],
    "convnext": ["ts17", "dy18-static", "ts11"],
    "convnext-wide": ["ts14-f16", "dy20"],
    "mobileclip": ["ts17"],
    "mobileclip-folded": ["ts14", "dy18-f16"],
    "mobileclip2": ["dy18"],
    "mobileclip-b": ["ts17", "dy23"],
    "coca": ["ts11", "dy18"],
    "vitamin": ["ts17"],
    "swin": ["dy18"],
}


def export(model, image, form, path):
    """Writes the model in a form. Gives the tolerance of its figures."""
    parts = form.split("-")
    exporter, opset = parts[0][:2], int(parts[0][2:])
    spell_out(exporter, opset)
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
    # Last: the converter names what it adds after the nodes.
    if exporter == "ts":
        shorten(path)
    return 2e-2 if "f16" in parts or "io32" in parts else 1e-4


FUSED = torch.nn.functional.scaled_dot_product_attention
UNFLATTEN = torch.Tensor.unflatten


def spell_out(exporter, opset):
    """Makes PyTorch of today trace as that of the time when an operator set was usual, by the TorchScript exporter: attention
    in single products before set 14, sizes without `unflatten` before 13."""

    def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
        if opset >= 14:
            # timm hands a traced truth over.
            return FUSED(q, k, v, attn_mask=attn_mask, is_causal=bool(is_causal), scale=scale)
        products = q @ k.transpose(-2, -1) * (scale or q.shape[-1] ** -0.5)
        if attn_mask is not None:
            products = products + attn_mask
        return products.softmax(dim=-1) @ v

    def unflatten(x, dim, sizes):
        return x.reshape(*x.shape[:dim], *sizes, *x.shape[dim % x.ndim + 1 :]) if opset < 13 else UNFLATTEN(x, dim, sizes)

    old = exporter == "ts"
    torch.nn.functional.scaled_dot_product_attention = attention if old else FUSED
    torch.Tensor.unflatten = unflatten if old else UNFLATTEN


def family(name, index):
    """The family's model, and its image; the same at every call."""
    make, side = FAMILIES[name]
    torch.manual_seed(index)
    model = make().eval()
    randomise(model)
    return model, torch.rand(WINDOWS, 3, side, side)


def reference(name, index, folder, halves):
    """What PyTorch computes, of weights rounded to 16 bits where the form has those."""
    spell_out("dy", 18)
    model, image = family(name, index)
    if halves:
        model.half()
    # In 64 bits: what differs is then our rounding alone.
    model.double()
    image = image.double().requires_grad_()
    embedding = model(image)
    gradient = torch.randn_like(embedding).float().double()
    embedding.backward(gradient)
    write(folder / f"{name}{'-f16' if halves else ''}.f32", [image, embedding, gradient, image.grad])


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
        rounded = [form.endswith(("f16", "io32")) for form in forms]
        for halves in set(rounded):
            reference(name, index, folder, halves)
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
            of = f"{name}-f16.f32" if form.endswith(("f16", "io32")) else f"{name}.f32"
            entries.append(dict(file=file, reference=of, side=side, tolerance=tolerance))
            print(file, (folder / file).stat().st_size, flush=True)
        listing.write_text("[\n" + ",\n".join("  " + json.dumps(entry) for entry in entries) + "\n]\n")
    print("not exported:", *failed, sep="\n  ")


if __name__ == "__main__":
    sys.exit(main())
