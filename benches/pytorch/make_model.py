"""Exports an open_clip architecture with random weights as a model folder, for benchmarks and checks.

    python make_model.py OUT [--arch ViT-B-32] [--opset 17]

Needs torch, open_clip_torch, onnx and tokenizers. The tokenizer is a toy (every lower-case word of two letters or more gets
an id by its letters): random weights have nothing to say anyway.
"""
import argparse
import json
import pathlib

import open_clip
import torch


class Text(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids):
        return self.model.encode_text(ids)


class Image(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, image):
        return self.model.encode_image(image)


def toy_tokenizer(path):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = {"<start>": 1, "<end>": 2, "[UNK]": 3}
    for i, character in enumerate("abcdefghijklmnopqrstuvwxyz0123456789"):
        vocabulary[character] = 4 + 2 * i
        vocabulary["##" + character] = 5 + 2 * i
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 1), ("<end>", 2)]
    )
    tokenizer.save(str(path))


def export(module, example, path, inputs, opset):
    torch.onnx.export(
        module, (example,), str(path), input_names=[inputs], output_names=["embedding"], opset_version=opset,
        dynamic_axes={inputs: {0: "batch"}, "embedding": {0: "batch"}}, dynamo=False,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--arch", default="ViT-B-32")
    parser.add_argument("--opset", type=int, default=17)
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    # The written-out attention is what exporters can follow; PyTorch's fused fast path is for inference alone.
    torch.backends.mha.set_fastpath_enabled(False)
    model = open_clip.create_model(arguments.arch, pretrained=None).eval()
    size = model.visual.image_size
    size = size[0] if isinstance(size, (tuple, list)) else size
    context = model.context_length
    with torch.no_grad():
        export(Image(model), torch.rand(2, 3, size, size), out / "image.onnx", "image", arguments.opset)
        export(Text(model), torch.randint(1, 70, (2, context)), out / "text.onnx", "ids", arguments.opset)
    torch.save(model.state_dict(), out / "weights.pt")
    toy_tokenizer(out / "tokenizer.json")
    mean, deviation = list(open_clip.OPENAI_DATASET_MEAN), list(open_clip.OPENAI_DATASET_STD)
    (out / "model.toml").write_text(
        f'name = "{out.name}"\nabout = "{arguments.arch} with random weights, for benchmarks"\n\n'
        f'[image]\nfile = "image.onnx"\nsize = {size}\nmean = {json.dumps(mean)}\ndeviation = {json.dumps(deviation)}\n'
        f'input = "image"\noutput = "embedding"\n\n[text]\nfile = "text.onnx"\nids = "ids"\noutput = "embedding"\n\n'
        f'[tokenizer]\nfile = "tokenizer.json"\ncontext = {context}\n'
    )


if __name__ == "__main__":
    main()
