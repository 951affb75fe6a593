"""Writes the small models of this folder with what PyTorch computes for them.

    python tests/models/generate.py

Needs torch, open_clip_torch, transformers, onnx, onnxscript, numpy. Run by hand when a model is to be added; the tests
only read the files. For every model NAME there are NAME.onnx and NAME.f32: raw little-endian 32-bit floats of image,
embedding, embedding_gradient, image_gradient, one after the other.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import torch

warnings.filterwarnings("ignore")
FOLDER = Path(__file__).parent
WINDOWS = 2
# Without this, attention runs in a fused form that the TorchScript exporter does not know.
torch.backends.mha.set_fastpath_enabled(False)


def vit(act):
    from open_clip.transformer import VisionTransformer

    return VisionTransformer(
        image_size=16, patch_size=8, width=24, layers=2, heads=2, mlp_ratio=2.0, output_dim=8, act_layer=act
    )


def resnet(_):
    from open_clip.modified_resnet import ModifiedResNet

    return ModifiedResNet(layers=(1, 1, 1, 1), output_dim=8, heads=4, image_size=64, width=3)


class Transformers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

        config = CLIPVisionConfig(
            hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, image_size=16,
            patch_size=8, projection_dim=8,
        )
        config._attn_implementation = "eager"
        self.model = CLIPVisionModelWithProjection(config)

    def forward(self, image):
        return self.model(pixel_values=image).image_embeds


def models():
    from open_clip.transformer import QuickGELU

    yield "vit-quickgelu", vit(QuickGELU), 16, 17
    yield "vit-gelu", vit(torch.nn.GELU), 16, 17
    yield "resnet", resnet(None), 64, 17
    yield "transformers", Transformers(), 16, 14


def randomise(model):
    """What a fresh network leaves at 0 or 1 would hide mistakes."""
    for parameter in model.parameters():
        if parameter.ndim == 1:
            parameter.data.add_(0.2 + 0.1 * torch.randn_like(parameter))
        else:
            parameter.data.mul_(3.0 if parameter.ndim == 4 else 1.5)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.add_(0.1 * torch.randn_like(buffer))
        if name.endswith("running_var"):
            buffer.mul_(1 + 0.5 * torch.rand_like(buffer))


def main():
    for index, (name, model, side, opset) in enumerate(models()):
        torch.manual_seed(index)
        model.eval()
        randomise(model)
        image = torch.rand(WINDOWS, 3, side, side)
        torch.onnx.export(
            model, (image,), FOLDER / f"{name}.onnx", input_names=["image"], output_names=["embedding"],
            dynamic_axes={"image": {0: "batch"}, "embedding": {0: "batch"}}, opset_version=opset, dynamo=False,
        )
        batch = torch.export.Dim("batch")
        torch.onnx.export(
            model, (image,), FOLDER / f"{name}-dynamo.onnx", input_names=["image"], output_names=["result"],
            dynamo=True, dynamic_shapes=({0: batch},), external_data=False,
        )
        strip(FOLDER / f"{name}-dynamo.onnx")
        # The reference in 64 bits: what differs is then our rounding alone.
        model.double()
        image = image.double().requires_grad_()
        embedding = model(image)
        gradient = torch.randn_like(embedding).float().double()
        embedding.backward(gradient)
        parts = [image.detach(), embedding.detach(), gradient, image.grad]
        np.concatenate([p.numpy().astype("<f4").ravel() for p in parts]).tofile(FOLDER / f"{name}.f32")
        print(name, (FOLDER / f"{name}.onnx").stat().st_size, (FOLDER / f"{name}-dynamo.onnx").stat().st_size)


def strip(path):
    """Takes out stack traces, which name the exporting machine's folders and are larger than the weights."""
    import onnx

    model = onnx.load(path)
    for item in [*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output]:
        del item.metadata_props[:]
        item.doc_string = ""
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    onnx.save(model, path)


if __name__ == "__main__":
    sys.exit(main())
