"""The text tower as an ONNX graph: word vectors, and a memory of everything that was drawn.

A text's vector is the weighted sum of its words'. It is compared with the vectors of all known texts (the keys), and the
embeddings stored with these (the values) are mixed by a sharp softmax: a text that is known gets its own pictures'
embedding, another one a mixture of what is nearest in meaning. Words for colours and materials add what pictures gain by
them.
"""

import numpy
from onnx import TensorProto, helper

import image_tower
from fit import sums, unit

# how sharply near texts win over others: weight = exp(SHARPNESS * cosine)
SHARPNESS = 48.0
# how strongly words for colours act
PAINT = 1.0
EMOJI = ("fluent", "noto", "twemoji")
LONG_NAME = 3  # words
# a name's value lies between the mean of its pictures and the most typical one: means of different layouts are mush
TYPICAL = 0.7
# of equally typical drawings the ones with modelled light are nicer to render
PREFERRED = {"fluent": 0.15, "noto": 0.08, "game": -0.05, "openclipart": -0.05}


def values_by_text(texts, embedding, source, weight):
    """Per text: the unit embedding between the mean of its pictures' and the most typical picture's."""
    listed, owner = numpy.unique(texts, return_inverse=True)
    mean = unit(sums(embedding * weight[:, None], owner, len(listed)))
    score = (embedding * mean[owner]).sum(axis=1) * weight
    score += numpy.array([PREFERRED.get(kind, 0.0) for kind in source])
    best = {}
    for index in numpy.argsort(score, kind="stable"):
        best[owner[index]] = index
    chosen = numpy.array([best[number] for number in range(len(listed))])
    mixed = unit((1 - TYPICAL) * mean + TYPICAL * embedding[chosen])
    return {str(text): value for text, value in zip(listed, mixed)}


def memory(fitted, aliases):
    """All known texts with their values: a scene's captions first, then aliases, then drawings' names."""
    scenes = fitted["source"] == "scene"

    def part(texts, chosen):
        return values_by_text(
            texts[chosen], fitted["embedding"][chosen], fitted["source"][chosen], fitted["weight"][chosen]
        )

    drawings = part(fitted["name"], ~scenes)
    scenic = part(fitted["name"], scenes) | part(fitted["caption"], scenes)
    wanted_names = {name for wanted in aliases.values() for name in wanted}
    emoji = set(fitted["name"][numpy.isin(fitted["source"], EMOJI)])
    # what is seldom asked for by its long name is not worth its place
    known = {
        name: value
        for name, value in drawings.items()
        if name in emoji or name in wanted_names or len(name.split()) < LONG_NAME
    }
    everything = drawings | scenic
    for alias, wanted in aliases.items():
        # all are there, but in a smoke run
        there = [name for name in wanted if name in everything]
        if there:
            known[alias] = everything[there[0]]
    known.update(scenic)
    return known


def bags(texts, words, tokenizer):
    """The texts' vectors, unit length, float32 (texts, size)."""
    table = words["vector"].astype(numpy.float32) * words["scale"][:, None]
    return unit(numpy.stack([table[tokenizer.encode(text).ids].sum(axis=0) for text in texts]))


def tower(words, keys, values, word_change, changes):
    """ONNX model: `ids` [batch, tokens], 0 is padding -> `embedding` [batch, dimensions], unit length.

    words: the arrays of words.npz; keys (texts, size) and values (texts, dimensions), unit length; word_change (words):
    for each word the row of `changes` (n, dimensions) that it adds; row 0 is zero.
    """
    graph = image_tower.Graph()
    axis = graph.constant((1,), numpy.int64)

    def stored(rows):
        return image_tower.stored(graph, rows, rows.shape)

    def length(rows, floor):
        squares = graph.add("ReduceSum", graph.add("Mul", rows, rows), axis, keepdims=1)
        return graph.add("Sqrt", graph.add("Add", squares, graph.constant(floor)))

    vectors = graph.add("Gather", graph.constant(words["vector"], numpy.int8), "ids", axis=0)
    scales = graph.add("Gather", graph.constant(words["scale"][:, None]), "ids", axis=0)
    parts = graph.add("Mul", graph.add("Cast", vectors, to=TensorProto.FLOAT), scales)
    text = graph.add("ReduceSum", parts, axis, keepdims=0)
    text = graph.add("Div", text, length(text, 1e-8))
    near = graph.add("MatMul", text, graph.add("Transpose", stored(keys), perm=(1, 0)))
    shares = graph.add("Softmax", graph.add("Mul", near, graph.constant(SHARPNESS)), axis=1)
    mixed = graph.add("MatMul", shares, stored(values))
    rows = graph.add("Gather", graph.constant(word_change, numpy.uint8), "ids", axis=0)
    rows = graph.add("Cast", rows, to=TensorProto.INT64)
    added = graph.add("Gather", graph.constant(changes), rows, axis=0)
    mixed = graph.add("Add", mixed, graph.add("ReduceSum", added, axis, keepdims=0))
    graph.add("Div", mixed, length(mixed, 1e-12), output="embedding")
    return graph.model(
        "pocket_text",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ("batch", "tokens"))],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ("batch", values.shape[1]))],
    )
