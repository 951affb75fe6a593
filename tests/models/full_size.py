"""Compares the gradient of full-size encoders with PyTorch's: the table of docs/operators.md.

    python tests/models/full_size.py target/release/recipe-render [NAME...]

Needs torch, open_clip_torch, timm, transformers, onnx, onnxruntime, and some GB of memory. Weights are random: nothing is
downloaded. One model at a time is exported into a temporary folder, differentiated by `recipe-render models gradient`, run by
onnxruntime, and compared with PyTorch in 64 bits, of the same weights.
"""

import gc
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from generate import export

warnings.filterwarnings("ignore")


def open_clip_visual(name):
    import open_clip

    model = open_clip.create_model(name)
    side = model.visual.image_size
    side = side[0] if isinstance(side, (tuple, list)) else side
    visual = model.visual
    if name.startswith("coca"):
        from families import First

        visual = First(visual)
    return visual, side


def transformers_visual(kind, **sizes):
    import transformers

    from families import Named

    if kind == "clip":
        config = transformers.CLIPVisionConfig(**sizes)
        config._attn_implementation = "eager"
        return Named(transformers.CLIPVisionModelWithProjection(config), "image_embeds"), config.image_size
    config = transformers.SiglipVisionConfig(**sizes)
    config._attn_implementation = "eager"
    return Named(transformers.SiglipVisionModel(config), "pooler_output"), config.image_size


B32 = dict(patch_size=32)
B16 = dict(patch_size=16)
L14 = dict(
    hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16, patch_size=14,
    projection_dim=768,
)
TINY = dict(
    hidden_size=256, intermediate_size=1024, num_hidden_layers=10, num_attention_heads=4, patch_size=16,
    projection_dim=512,
)
SIGLIP = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, patch_size=16)

# Name in the table, how to make it, forms.
MODELS = {
    "ViT-B/32, QuickGELU (transformers)": (lambda: transformers_visual("clip", **B32), ["ts14", "dy18", "ts14-io32"]),
    "ViT-B/32, GELU (open_clip)": (lambda: open_clip_visual("ViT-B-32"), ["ts17", "dy18", "ts17-io32"]),
    "ViT-B/16, QuickGELU (transformers)": (lambda: transformers_visual("clip", **B16), ["ts14", "dy20"]),
    "ViT-B/16, GELU (open_clip)": (lambda: open_clip_visual("ViT-B-16"), ["ts17"]),
    "ViT-L/14, QuickGELU (transformers)": (lambda: transformers_visual("clip", **L14), ["ts14"]),
    "ViT-L/14, GELU (open_clip)": (lambda: open_clip_visual("ViT-L-14"), ["ts17"]),
    "RN50 (open_clip)": (lambda: open_clip_visual("RN50"), ["ts17", "dy18", "ts17-io32"]),
    "SigLIP B/16 (transformers)": (lambda: transformers_visual("siglip", **SIGLIP), ["ts14", "dy23"]),
    "SigLIP 2 B/16 (open_clip, timm)": (lambda: open_clip_visual("ViT-B-16-SigLIP2"), ["ts17", "dy18"]),
    "EVA02-B/16 (open_clip, timm)": (lambda: open_clip_visual("EVA02-B-16"), ["ts17", "dy23"]),
    "ConvNeXt-B (open_clip, timm)": (lambda: open_clip_visual("convnext_base"), ["ts17", "dy18", "ts17-io32"]),
    "MobileCLIP-S1 (open_clip, timm)": (lambda: open_clip_visual("MobileCLIP-S1"), ["ts17", "dy18"]),
    "MobileCLIP-S2 (open_clip, timm)": (lambda: open_clip_visual("MobileCLIP-S2"), ["ts14"]),
    "MobileCLIP-B (open_clip, timm)": (lambda: open_clip_visual("MobileCLIP-B"), ["ts17"]),
    "MobileCLIP2-S0 (open_clip, timm)": (lambda: open_clip_visual("MobileCLIP2-S0"), ["dy20"]),
    "MobileCLIP2-S3 (open_clip, timm)": (lambda: open_clip_visual("MobileCLIP2-S3"), ["ts17"]),
    "CoCa ViT-B/32 (open_clip)": (lambda: open_clip_visual("coca_ViT-B-32"), ["ts17", "dy18"]),
    "TinyCLIP ViT-8M/16 (transformers)": (lambda: transformers_visual("clip", **TINY), ["ts11", "dy18", "ts14-f16"]),
    "PE-Core-T/16 (open_clip, timm)": (lambda: open_clip_visual("PE-Core-T-16-384"), ["dy20"]),
    "ViTamin-S (open_clip, timm)": (lambda: open_clip_visual("ViTamin-S"), ["ts17"]),
}


def disturb(model):
    """What a fresh network leaves at 0 or 1 would hide mistakes; deep networks bear less of it than small ones."""
    for parameter in model.parameters():
        if parameter.ndim <= 1:
            parameter.data.add_(0.1 * torch.randn_like(parameter))
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.add_(0.1 * torch.randn_like(buffer))
        if name.endswith("running_var"):
            buffer.mul_(1 + 0.5 * torch.rand_like(buffer))


def relative(a, b):
    return float(np.linalg.norm(a.astype(np.float64) - b) / np.linalg.norm(b))


def check(program, make, form):
    torch.manual_seed(1)
    model, side = make()
    model.eval()
    disturb(model)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    image = torch.rand(2, 3, side, side)
    halves = form.endswith(("f16", "io32"))
    with tempfile.TemporaryDirectory() as folder:
        path, gradient = Path(folder) / "model.onnx", Path(folder) / "gradient.onnx"
        export(model, image, form, path)
        if halves:
            model.half()
        model.double()
        x = image.double().requires_grad_()
        embedding = model(x)
        seed = torch.randn_like(embedding).float()
        embedding.backward(seed.double())
        expected = [embedding.detach().numpy(), x.grad.numpy()]
        del model, x, embedding
        gc.collect()
        command = [program, "models", "gradient", path, "--windows", "2", "--output", gradient]
        subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True)
        session = onnxruntime.InferenceSession(gradient, providers=["CPUExecutionProvider"])
        got = session.run(
            ["embedding", "image_gradient"], {"image": image.numpy(), "embedding_gradient": seed.numpy()}
        )
        return [relative(g, e) for g, e in zip(got, expected)]


def describe(form):
    parts = form.split("-")
    exporter = {"ts": "TorchScript", "dy": "dynamo"}[parts[0][:2]]
    kind = {"f16": "f16", "io32": "f16, ends f32"}.get(parts[-1], "f32")
    return f"{exporter} | {parts[0][2:]} | {kind}"


def main():
    program, *only = sys.argv[1:]
    # Every model in its first form before any in its second.
    rounds = [(name, make, forms[i]) for i in range(3) for name, (make, forms) in MODELS.items() if i < len(forms)]
    for name, make, form in rounds:
        if only and not any(part in name for part in only):
            continue
        try:
            errors = check(program, make, form)
            print(f"| {name} | {describe(form)} | {errors[0]:.1e} | {errors[1]:.1e} |", flush=True)
        except subprocess.CalledProcessError as error:
            print(f"| {name} | {describe(form)} | {' '.join(error.stderr.split())[:300]} |", flush=True)
        except Exception as error:  # noqa: BLE001: the next one may do
            print(f"| {name} | {describe(form)} | {type(error).__name__} {str(error)[:300]} |", flush=True)
        gc.collect()


if __name__ == "__main__":
    sys.exit(main())
