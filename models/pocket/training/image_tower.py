"""The image tower as an ONNX graph: networks of photographs, and beside them fixed filters under one linear map of templates.

`features()` is the filters alone, for fitting, `shapes()` with the map; `tower()` is the whole. Operator set 18, forward only.
The filters see windows of [batch, 3, 64, 64], the whole tower of [batch, 3, SIDE, SIDE], values 0 to 1.
"""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

import filters

WINDOW = 64  # pixels a side, for the filters
SIDE = 160  # pixels a side, for the networks of photographs
NETWORKS = (0, 2)  # those of photographs: EfficientNet-lite0 and lite2
LABELS = 1000  # ImageNet's
GRID = 16  # cells a side; a cell is 4 x 4 pixels
SCALES = 3  # octaves of oriented energies
CHANNELS = 3 + SCALES * filters.ORIENTATIONS
# a window may show its subject up to so many cells off: templates are tried at (2 * SHIFT + 1)^2 places
SHIFT = 1
# how clearly the best of these places wins over the others (softmax over the lengths of what they say); more lets what is
# seen a little off, and so is like nothing known, win by its sheer strength
SHARPNESS = 5.0
# one more number of an embedding, before it is made of unit length, is always this (answers' lengths are about 1): an
# embedding then says not only what is seen but how strongly, and pictures need not be exaggerated to be seen
ANCHOR = 0.5
# energies below this (squared) are flat: the root's gradient stays finite
FLAT = 1e-4
# energies are divided by OWN + SURROUND * their mean over 9 x 9 places (divisive normalisation, Heeger 1992), so that a
# faint outline counts nearly as much as a strong one
OWN = 0.6
SURROUND = 0.5
OPSET = 18


class Graph:
    """Collects nodes and constants; every method returns the name of a tensor."""

    def __init__(self):
        self.nodes = []
        self.constants = []
        self.count = 0

    def constant(self, values, dtype=numpy.float32):
        """A stored tensor."""
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(numpy.asarray(values, dtype), name))
        return name

    def add(self, kind, *inputs, output=None, **attributes):
        """A node with one output."""
        self.count += 1
        output = output or f"{kind.lower()}{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def model(self, name, inputs, outputs):
        """The ONNX model, checked."""
        graph = helper.make_graph(self.nodes, name, inputs, outputs, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
        model.producer_name = "recipe-render pocket training"
        onnx.checker.check_model(model, full_check=True)
        return model


def in_bytes(rows):
    """Rows as (int8, float32 scales): values are bytes * scale."""
    scale = numpy.maximum(1e-12, numpy.abs(rows).max(axis=1, keepdims=True)) / 127
    return numpy.rint(rows / scale).astype(numpy.int8), scale.astype(numpy.float32)


def _padded(graph, name, width):
    """Repeat the outermost rows and columns `width` times."""
    amounts = graph.constant((0, 0, width, width, 0, 0, width, width), numpy.int64)
    return graph.add("Pad", name, amounts, mode="edge")


def _pooled(graph, name, side):
    """Means over squares of `side`."""
    if side == 1:
        return name
    return graph.add("AveragePool", name, kernel_shape=(side, side), strides=(side, side))


def _energies(graph, light, octave):
    """Oriented energies of the light at half resolution per octave, [batch, ORIENTATIONS, GRID, GRID]."""
    smaller = _pooled(graph, light, 2**octave)
    margin = filters.SIDE // 2
    answers = graph.add("Conv", _padded(graph, smaller, margin), graph.constant(filters.gabors()))
    squares = graph.add("Mul", answers, answers)
    floor = graph.constant(numpy.full(filters.ORIENTATIONS, FLAT))
    energy = graph.add("Sqrt", graph.add("Conv", squares, graph.constant(filters.pairs()), floor))
    energy = graph.add("Sub", energy, graph.constant(FLAT**0.5))
    total = graph.add("ReduceSum", energy, graph.constant((1,), numpy.int64), keepdims=1)
    around = graph.add("AveragePool", total, kernel_shape=(9, 9), strides=(1, 1), pads=(4, 4, 4, 4), count_include_pad=0)
    divisor = graph.add("Add", graph.add("Mul", around, graph.constant(SURROUND)), graph.constant(OWN))
    return _pooled(graph, graph.add("Div", energy, divisor), WINDOW // GRID // 2**octave)


def _feature_maps(graph, image):
    """Colour cells and energies, [batch, CHANNELS, GRID, GRID]."""
    # opponent colours of 2x - 1
    weights = 2 * filters.OPPONENT[:, :, None, None]
    colours = graph.add("Conv", image, graph.constant(weights), graph.constant(-filters.OPPONENT.sum(axis=1)))
    light = graph.add("Conv", image, graph.constant(weights[:1]), graph.constant((-1.0,)))
    maps = [_pooled(graph, colours, WINDOW // GRID)]
    maps += [_energies(graph, light, octave) for octave in range(SCALES)]
    return graph.add("Concat", *maps, axis=1)


def features():
    """ONNX model: `image` [batch, 3, 64, 64] -> `features` [batch, CHANNELS, GRID, GRID]."""
    graph = Graph()
    maps = _feature_maps(graph, "image")
    graph.add("Identity", maps, output="features")
    return graph.model(
        "features",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ("batch", 3, WINDOW, WINDOW))],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ("batch", CHANNELS, GRID, GRID))],
    )


def length(graph, rows, axis, floor=0.0):
    """Root of the sum of squares along an axis, which is kept."""
    squares = graph.add("ReduceSum", graph.add("Mul", rows, rows), graph.constant((axis,), numpy.int64), keepdims=1)
    if floor:
        squares = graph.add("Add", squares, graph.constant(floor))
    return graph.add("Sqrt", squares)


def stored(graph, rows, shape):
    """A table (rows, n) kept in bytes with a scale for each row, as floats of the given shape."""
    small, scale = in_bytes(rows)
    wide = graph.add("Cast", graph.constant(small.reshape(shape), numpy.int8), to=TensorProto.FLOAT)
    return graph.add("Mul", wide, graph.constant(scale.reshape((-1,) + (1,) * (len(shape) - 1))))


def _shapes(graph, image, templates, bias, output):
    """The filters' embedding of [batch, 3, WINDOW, WINDOW]: [batch, dimensions + 1], unit length."""
    dimensions = len(templates)
    maps = _feature_maps(graph, image)
    weights = stored(graph, templates, (dimensions, CHANNELS, GRID, GRID))
    answers = graph.add("Conv", _padded(graph, maps, SHIFT), weights, graph.constant(bias))
    places = (2 * SHIFT + 1) ** 2
    answers = graph.add("Reshape", answers, graph.constant((0, dimensions, places), numpy.int64))
    lengths = graph.add("Mul", length(graph, answers, 1, 1e-6), graph.constant(SHARPNESS))
    shares = graph.add("Softmax", lengths, axis=2)
    place_axis = graph.constant((2,), numpy.int64)
    pooled = graph.add("ReduceSum", graph.add("Mul", answers, shares), place_axis, keepdims=0)
    one_more = graph.constant((0, 0, 0, 1), numpy.int64)
    anchored = graph.add("Pad", pooled, one_more, graph.constant(ANCHOR), mode="constant")
    return graph.add("Div", anchored, length(graph, anchored, 1), output=output)


def shapes(templates, bias):
    """The filters and their map alone.

    templates: (dimensions, CHANNELS * GRID * GRID), stored in bytes with a scale each; bias: (dimensions,).
    ONNX model: `image` [batch, 3, 64, 64], values 0 to 1 -> `embedding` [batch, dimensions + 1], unit length.
    """
    graph = Graph()
    _shapes(graph, "image", templates, bias, "embedding")
    return graph.model(
        "pocket_shapes",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ("batch", 3, WINDOW, WINDOW))],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ("batch", len(templates) + 1))],
    )


def areas(large, small):
    """The matrix (small, large) that scales a line of pixels down, each the mean of the stretch that it covers."""
    edges = numpy.linspace(0, large, small + 1)
    pixels = numpy.arange(large)
    covered = numpy.minimum(pixels + 1, edges[1:, None]) - numpy.maximum(pixels, edges[:-1, None])
    return numpy.maximum(0, covered) * small / large


def tower(templates, bias, photographs):
    """The whole tower.

    templates, bias: as for shapes(); photographs: for each network a graph (onnx.GraphProto) of `image` [batch, 3, SIDE, SIDE],
    values 0 to 1 -> `logits` [batch, LABELS], whose names are its own.
    ONNX model: `image` [batch, 3, SIDE, SIDE] -> `embedding` [batch, dimensions + 1 + networks * LABELS]: the filters' embedding, of
    unit length, and the logits of each network, their mean taken away, of unit length too. All three
    together have unit length again; a text's embedding says how much each part counts.
    """
    graph = Graph()
    parts = []
    for network in photographs:
        graph.nodes += network.node
        graph.constants += network.initializer
        logits = network.output[0].name
        centred = graph.add("Sub", logits, graph.add("ReduceMean", logits, graph.constant((1,), numpy.int64), keepdims=1))
        parts.append(graph.add("Div", centred, length(graph, centred, 1, 1e-6)))
    scale = areas(SIDE, WINDOW)
    small = graph.add("MatMul", graph.constant(scale), graph.add("MatMul", "image", graph.constant(scale.T)))
    shape = _shapes(graph, small, templates, bias, None)
    whole = graph.add("Concat", shape, *parts, axis=1)
    graph.add("Mul", whole, graph.constant((len(photographs) + 1) ** -0.5), output="embedding")
    size = len(photographs) * LABELS + len(templates) + 1
    return graph.model(
        "pocket_image",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ("batch", 3, SIDE, SIDE))],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ("batch", size))],
    )
