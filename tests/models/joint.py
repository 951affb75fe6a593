"""Writes joint.onnx, both towers of a small CLIP in one file as optimum and transformers.js publish them, and what
PyTorch computes for it.

    python tests/models/joint.py

Needs torch, transformers, onnx, onnxruntime, numpy. The model: vocabulary 64, context 8, end token 63 (also the greatest
id, and the one that pads), start token 62, pictures of 16 x 16, embeddings of length 8.

    joint.onnx            inputs  input_ids [text, 8] i64, pixel_values [image, 3, 16, 16] f32, attention_mask [text, 8] i64
                          outputs logits_per_image [image, text], logits_per_text, text_embeds [text, 8], image_embeds [image, 8]
                          (names and order as optimum's; embeddings are of unit length, as transformers gives them)
    joint-quantised.onnx  the same with DynamicQuantizeLinear, MatMulInteger and ConvInteger
    joint-qdq.onnx        its image side with QuantizeLinear and DequantizeLinear around every product
    joint-qlinear.onnx    its image side with QLinearConv, QLinearMatMul, and onnxruntime's further operators of that kind
    joint.f32             raw little-endian 32-bit floats, one after the other:
                          pixel_values       [2, 3, 16, 16]
                          image_embeds       [2, 8]
                          input_ids          [3, 8]    whole numbers
                          attention_mask     [3, 8]    1 for tokens, 0 behind the end token
                          text_embeds        [3, 8]
                          logits_per_image   [2, 3]
                          embedding_gradient [2, 8]    of a loss by image_embeds
                          image_gradient     [2, 3, 16, 16]  of that loss by pixel_values
"""

import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

from common import randomise, write

warnings.filterwarnings("ignore")
FOLDER = Path(__file__).parent
VOCABULARY, CONTEXT, START, END = 64, 8, 62, 63


def joint():
    from transformers import CLIPConfig, CLIPModel

    config = CLIPConfig(
        text_config=dict(
            vocab_size=VOCABULARY, hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=CONTEXT, eos_token_id=END, bos_token_id=START, pad_token_id=END, projection_dim=8,
        ),
        vision_config=dict(
            hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, image_size=16,
            patch_size=8, projection_dim=8,
        ),
        projection_dim=8,
    )
    config._attn_implementation = config.text_config._attn_implementation = "eager"
    config.vision_config._attn_implementation = "eager"
    return CLIPModel(config)


class Optimum(torch.nn.Module):
    """The outputs in optimum's order."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, pixel_values, attention_mask):
        result = self.model(input_ids=input_ids, pixel_values=pixel_values, attention_mask=attention_mask)
        return result.logits_per_image, result.logits_per_text, result.text_embeds, result.image_embeds


def tokens():
    torch.manual_seed(11)
    ids = torch.full((3, CONTEXT), END)
    mask = torch.zeros(3, CONTEXT, dtype=torch.long)
    for row, length in enumerate([3, 6, CONTEXT]):
        ids[row, 0] = START
        ids[row, 1 : length - 1] = torch.randint(0, START, (length - 2,))
        mask[row, :length] = 1
    return ids, mask


def export(model, path, opset=14):
    ids, mask = tokens()
    image = torch.rand(2, 3, 16, 16)
    text, picture = {0: "text_batch_size", 1: "sequence_length"}, {0: "image_batch_size", 1: "num_channels", 2: "height", 3: "width"}
    torch.onnx.export(
        model, (ids, image, mask), path, input_names=["input_ids", "pixel_values", "attention_mask"],
        output_names=["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"],
        dynamic_axes={
            "input_ids": text, "attention_mask": text, "pixel_values": picture,
            "logits_per_image": {0: "image_batch_size", 1: "text_batch_size"},
            "logits_per_text": {0: "text_batch_size", 1: "image_batch_size"},
            "text_embeds": {0: "text_batch_size"}, "image_embeds": {0: "image_batch_size"},
        },
        opset_version=opset, dynamo=False,
    )


def main():
    torch.manual_seed(7)
    model = Optimum(joint()).eval()
    randomise(model)
    model.model.logit_scale.data.fill_(2.0)
    torch.manual_seed(8)
    image = torch.rand(2, 3, 16, 16)
    export(model, FOLDER / "joint.onnx")
    model.double()
    ids, mask = tokens()
    image = image.double().requires_grad_()
    logits, _, text, embedding = model(ids, image, mask)
    gradient = torch.randn_like(embedding).float().double()
    embedding.backward(gradient)
    write(FOLDER / "joint.f32", [image, embedding, ids, mask, text, logits, gradient, image.grad])
    quantise(FOLDER / "joint.onnx", image.detach().float().numpy())


def quantise(path, image):
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quantize_dynamic(path, FOLDER / "joint-quantised.onnx", weight_type=QuantType.QUInt8)

    class Reader(CalibrationDataReader):
        def __init__(self):
            draws = [np.random.default_rng(i).random(image.shape, dtype=np.float32) for i in range(8)]
            self.pictures = iter([{"pixel_values": picture} for picture in [image, *draws]])

        def get_next(self):
            return next(self.pictures, None)

    with tempfile.TemporaryDirectory() as folder:
        vision = Path(folder) / "vision.onnx"
        onnx.utils.extract_model(path, vision, ["pixel_values"], ["image_embeds"])
        quant_pre_process(vision, vision, skip_symbolic_shape=True)
        for name, form in [("qdq", QuantFormat.QDQ), ("qlinear", QuantFormat.QOperator)]:
            quantize_static(vision, FOLDER / f"joint-{name}.onnx", Reader(), quant_format=form, per_channel=True)


if __name__ == "__main__":
    sys.exit(main())
