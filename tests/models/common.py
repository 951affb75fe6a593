"""What the scripts of this folder share."""

import numpy as np
import torch


def randomise(model):
    """What a fresh network leaves at 0 or 1 would hide mistakes."""
    for parameter in model.parameters():
        if parameter.ndim <= 1:
            parameter.data.add_(0.2 + 0.1 * torch.randn_like(parameter))
        else:
            parameter.data.mul_(3.0 if parameter.ndim == 4 else 1.5)
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer.add_(0.1 * torch.randn_like(buffer))
        if name.endswith("running_var"):
            buffer.mul_(1 + 0.5 * torch.rand_like(buffer))


def write(path, parts):
    """Raw little-endian 32-bit floats."""
    values = [part.detach().double().numpy().astype("<f4").ravel() for part in parts]
    np.concatenate(values).tofile(path)


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


def half(path):
    """Weights and activations of 16 bits, inputs and outputs of 32, by the usual converter."""
    import onnx
    from onnxconverter_common import float16

    onnx.save(float16.convert_float_to_float16(onnx.load(path), keep_io_types=True), path)


def shorten(path):
    """Gives values short names, and nodes none: with paths of modules in them they are half the file."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    kept = {value.name for value in [*graph.input, *graph.output]} | {""}
    names = {}

    def short(name):
        return name if name in kept else names.setdefault(name, f"v{len(names)}")

    def rename(graph):
        for tensor in graph.initializer:
            tensor.name = short(tensor.name)
        for node in graph.node:
            node.name = node.doc_string = ""
            node.input[:] = map(short, node.input)
            node.output[:] = map(short, node.output)
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    rename(attribute.g)
                    for value in [*attribute.g.input, *attribute.g.output]:
                        value.name = short(value.name)
        del graph.value_info[:]

    rename(graph)
    onnx.save(model, path)
