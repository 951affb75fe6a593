"""The text tower as an ONNX graph: word vectors, and a memory of everything that was drawn or photographed.

A text is read as all its runs of one to RUN words that begin and end with a word that says something of a picture. A run's
vector is the weighted sum of its words'; it is compared with the vectors of all known texts (the keys), and a sharp softmax over
these says how much of each is in it. Runs count more that a key fits well, that are longer, and that come earlier: "two androids
in a futuristic city" is rather more of androids than of a city. So a text comes to shares of names, which sum to 1. A name means
labels of photographs (labels.py), a drawing, or both; what the shares mix of these is the embedding. Words for colours and
materials add the change that drawings gain by them.
"""

import numpy
from onnx import TensorProto, helper

import image_tower
from fit import sums, unit

# how sharply near texts win over others: weight = exp(SHARPNESS * cosine)
SHARPNESS = 48.0
# runs of words: the longest; how much a run gains by a word more; how much it loses by a key that fits badly,
# weight = LONGER^words * exp(FIT * (best cosine - 1))
RUN = 4
LONGER = 5.0
FIT = 14.0
# a word that weighs less than this says nothing of a picture
SAYS = 0.25
# how much a run loses by each such word before it: what a text is about comes first ("a lighthouse on a cliff in a storm")
LATER = 0.85
# how strongly words for colours act
PAINT = 1.0
# how much a drawing counts that shows what a thing is in general (a heron as a bird)
GENERAL = 0.5
# how much it counts, beside a shape of weight 1, what the networks say of a drawing (seen.py), and how much photographs may count
# at most where it does: more of it looks like clip art, and who has seen the thing need not see its drawing
SEEN, SEEN_BESIDE = 0.05, 0.1
EMOJI = ("fluent", "noto", "twemoji")
LONG_NAME = 3  # words
# a name's value lies between the mean of its pictures and the most typical one: means of different layouts are mush
TYPICAL = 0.7
# of equally typical drawings the ones with modelled light are nicer to render
PREFERRED = {"fluent": 0.15, "noto": 0.08, "game": -0.05, "openclipart": -0.05}


def values_by_text(texts, embedding, source, weight):
    """Per text: the unit embedding between the mean of its pictures' and the most typical picture's, and which that is."""
    listed, owner = numpy.unique(texts, return_inverse=True)
    mean = unit(sums(embedding * weight[:, None], owner, len(listed)))
    score = (embedding * mean[owner]).sum(axis=1) * weight
    score += numpy.array([PREFERRED.get(kind, 0.0) for kind in source])
    best = {}
    for index in numpy.argsort(score, kind="stable"):
        best[owner[index]] = index
    chosen = numpy.array([best[number] for number in range(len(listed))])
    mixed = unit((1 - TYPICAL) * mean + TYPICAL * embedding[chosen])
    return {str(text): (value, picture) for text, value, picture in zip(listed, mixed, chosen)}


def drawn(fitted, aliases):
    """The drawings' names and values (drawings, dimensions), each one's most typical picture, and each known text's drawing:
    {text: row}.

    A scene's captions first, then aliases, then drawings' names.
    """
    scenes = fitted["source"] == "scene"

    def part(texts, chosen):
        found = values_by_text(
            texts[chosen], fitted["embedding"][chosen], fitted["source"][chosen], fitted["weight"][chosen]
        )
        numbers = numpy.flatnonzero(chosen)
        return {text: (value, numbers[picture]) for text, (value, picture) in found.items()}

    drawings = part(fitted["name"], ~scenes)
    scenic = part(fitted["name"], scenes) | part(fitted["caption"], scenes)
    wanted_names = {name for wanted in aliases.values() for name in wanted}
    emoji = set(fitted["name"][numpy.isin(fitted["source"], EMOJI)])
    # what is seldom asked for by its long name is not worth its place
    kept = {
        name: value
        for name, value in drawings.items()
        if name in emoji or name in wanted_names or len(name.split()) < LONG_NAME
    }
    kept |= scenic
    names = sorted(kept)
    row = {name: place for place, name in enumerate(names)}
    text = dict(row)
    for alias, wanted in aliases.items():
        # all are there, but in a smoke run
        there = [name for name in wanted if name in row]
        if there and alias not in scenic:
            text[alias] = row[there[0]]
    values, pictures = zip(*(kept[name] for name in names))
    return names, numpy.stack(values), numpy.array(pictures), text


def memory(row_of, labels):
    """What each known text means: (texts, rows of drawings, how much the drawing counts, labels, their shares).

    row_of: {text: drawing}; labels: the arrays of labels.npz.
    """
    texts, rows, counts, numbers, shares = [], [], [], [], []
    for place, text in enumerate(labels["text"].tolist()):
        general = [word for word in labels["wider"][place].split("|") if word in row_of]
        if text in row_of:
            row, count = row_of[text], 1.0
        elif general:
            row, count = row_of[general[0]], GENERAL
        else:
            row, count = 0, 0.0
        if count or labels["share"][place].any():
            texts.append(text)
            rows.append(row)
            counts.append(count)
            numbers.append(labels["label"][place])
            shares.append(labels["share"][place])
    return texts, numpy.array(rows), numpy.array(counts, numpy.float32), numpy.stack(numbers), numpy.stack(shares)


def code_of(seen, texts, shares, unseen):
    """What the networks say of each drawing, as seen.npz has it; nothing of the unseen ones, and of one whose own name means
    photographs enough."""
    share = dict(zip(texts, numpy.linalg.norm(shares, axis=1)))
    code = seen["code"].copy()
    for row, name in enumerate(seen["name"].tolist()):
        if name in unseen or share.get(name, 0.0) >= SEEN_BESIDE:
            code[row] = 0
    return code


def bags(texts, words, tokenizer):
    """The texts' vectors, unit length, float32 (texts, size)."""
    table = words["vector"].astype(numpy.float32) * words["scale"][:, None]
    return unit(numpy.stack([table[tokenizer.encode(text).ids].sum(axis=0) for text in texts]))


class Tower:
    """The graph in the making. Every method returns the name of a tensor."""

    def __init__(self, words, keys, values, meaning, change, seen=None):
        self.graph = image_tower.Graph()
        self.words, self.keys, self.values = words, keys, values
        self.rows, self.counts, self.numbers, self.shares = meaning
        self.code, self.basis = seen or (None, [])
        self.word_change, self.changes = change
        self.axis = self.graph.constant((1,), numpy.int64)
        # so that runs may reach beyond the last word
        padding = self.graph.constant((0, 0, 0, RUN), numpy.int64)
        self.ids = self.graph.add("Pad", "ids", padding, mode="constant")

    def stored(self, rows):
        return image_tower.stored(self.graph, rows, rows.shape)

    def halves(self, values):
        """Stored as float16, used as float32."""
        return self.graph.add("Cast", self.graph.constant(values, numpy.float16), to=TensorProto.FLOAT)

    def scalar(self, value):
        return self.graph.constant(value)

    def moved(self, values, rank, words):
        """At each token the value so many tokens further; behind the text are zeros."""
        if not words:
            return values
        ends = [0] * (2 * rank)
        ends[1], ends[rank + 1] = -words, words
        return self.graph.add("Pad", values, self.graph.constant(ends, numpy.int64), mode="constant")

    def moved_sums(self, values, rank, words):
        """At each token the sum of its own value and those of the next ones, `words` of them in all."""
        total = values
        for step in range(1, words):
            total = self.graph.add("Add", total, self.moved(values, rank, step))
        return total

    def words_of(self):
        """Word vectors [batch, tokens, size], and which of the words say something [batch, tokens]."""
        add, constant = self.graph.add, self.graph.constant
        vectors = add("Gather", constant(self.words["vector"], numpy.int8), self.ids, axis=0)
        scales = add("Gather", constant(self.words["scale"][:, None], numpy.float16), self.ids, axis=0)
        parts = add("Mul", add("Cast", vectors, to=TensorProto.FLOAT), add("Cast", scales, to=TensorProto.FLOAT))
        says = numpy.linalg.norm(self.words["vector"].astype(numpy.float32), axis=1) * self.words["scale"] > SAYS
        says = add("Gather", constant(says, numpy.uint8), self.ids, axis=0)
        return parts, add("Cast", says, to=TensorProto.FLOAT)

    def runs(self, parts, says):
        """All runs of words: vectors [batch, runs, size], unit length, how many of their words say something, and how many
        before them do not, both [batch, runs]."""
        add, constant = self.graph.add, self.graph.constant
        there = add("Cast", add("Greater", self.ids, constant(0, numpy.int64)), to=TensorProto.FLOAT)
        says = add("Mul", there, says)
        vectors, counts = [], []
        for words in range(1, RUN + 1):
            vectors.append(self.moved_sums(parts, 3, words))
            both = add("Mul", says, self.moved(says, 2, words - 1))
            counts.append(add("Mul", self.moved_sums(says, 2, words), both))
        before = add("CumSum", add("Sub", there, says), constant(1, numpy.int64))
        vectors = add("Concat", *vectors, axis=1)
        vectors = add("Div", vectors, image_tower.length(self.graph, vectors, 2, 1e-8))
        return vectors, add("Concat", *counts, axis=1), add("Concat", *[before] * RUN, axis=1)

    def names(self):
        """The share of each key in the text, [batch, keys]."""
        add = self.graph.add
        parts, says = self.words_of()
        runs, counts, before = self.runs(parts, says)
        near = add("MatMul", runs, add("Transpose", self.stored(self.keys), perm=(1, 0)))
        best = add("ReduceMax", near, self.graph.constant((2,), numpy.int64), keepdims=1)
        fit = add("Exp", add("Mul", add("Sub", best, self.scalar(1.0)), self.scalar(FIT)))
        longer = add("Mul", counts, self.scalar(float(numpy.log(LONGER))))
        longer = add("Exp", add("Add", longer, add("Mul", before, self.scalar(float(numpy.log(LATER))))))
        some = add("Cast", add("Greater", counts, self.scalar(0.5)), to=TensorProto.FLOAT)
        weight = add("Mul", add("Mul", longer, some), add("Squeeze", fit, self.graph.constant((2,), numpy.int64)))
        total = add("Add", add("ReduceSum", weight, self.axis, keepdims=1), self.scalar(1e-12))
        weight = add("Div", weight, total)
        shares = add("Softmax", add("Mul", near, self.scalar(SHARPNESS)), axis=2)
        mixed = add("MatMul", add("Unsqueeze", weight, self.axis), shares)
        return add("Squeeze", mixed, self.axis, output="shares")

    def spread(self, shares, indices, factors, size):
        """Sums of shares * factors at the places that `indices` say, [batch, size]; indices an array, factors a tensor, both
        [keys, several]."""
        add, constant = self.graph.add, self.graph.constant
        several = indices.shape[1]
        scaled = add("Mul", add("Unsqueeze", shares, constant((2,), numpy.int64)), factors)
        flat = add("Reshape", scaled, constant((0, -1), numpy.int64))
        batch = add("Shape", shares, end=1)
        places = constant(indices.reshape(1, -1), numpy.int16 if size < 2**15 else numpy.int32)
        places = add("Cast", places, to=TensorProto.INT64)
        shape = add("Concat", batch, constant((len(indices) * several,), numpy.int64), axis=0)
        places = add("Expand", places, shape)
        nothing = add(
            "ConstantOfShape", add("Concat", batch, constant((size,), numpy.int64), axis=0),
            value=helper.make_tensor("zero", TensorProto.FLOAT, (1,), (0.0,)),
        )
        return add("ScatterElements", nothing, places, flat, axis=1, reduction="add")

    def labels(self, shares):
        """What the shares mix of the labels, [batch, LABELS].

        Photographs count as much as the names have of them, strength [keys], in the mean. Which photographs is mixed by the
        roots of the strengths: by the strengths themselves a viaduct would hide the train on it.
        """
        add = self.graph.add
        length = numpy.linalg.norm(self.shares, axis=1, keepdims=True)
        rooted = self.halves(self.shares / numpy.sqrt(numpy.maximum(length, 1e-9)))
        mixed = self.spread(shares, self.numbers, rooted, image_tower.LABELS)
        strength = add("ReduceSumSquare", rooted, self.axis, keepdims=1)
        mean = add("MatMul", shares, strength)
        by = add("Add", add("MatMul", shares, add("Sqrt", strength)), self.scalar(1e-6))
        return add("Mul", mixed, add("Div", mean, by))

    def photographs(self, shares, drawings):
        """What each network of photographs is to say, [batch, LABELS] each."""
        if not len(self.basis):
            return []
        add = self.graph.add
        labels = self.labels(shares)
        labels = add("Sub", labels, add("ReduceMean", labels, self.axis, keepdims=1))
        labels = add("Mul", labels, self.scalar(len(self.basis) ** -0.5))
        code = add("MatMul", drawings, self.stored(self.code))
        return [add("Add", labels, add("MatMul", code, self.stored(SEEN * basis))) for basis in self.basis]

    def embedding(self):
        """[batch, dimensions + networks * LABELS], unit length."""
        add, constant = self.graph.add, self.graph.constant
        shares = self.names()
        drawings = self.spread(shares, self.rows[:, None], self.halves(self.counts[:, None]), len(self.values))
        photographs = self.photographs(shares, drawings)
        shape = add("MatMul", drawings, self.stored(self.values))
        row = add("Gather", constant(self.word_change, numpy.uint8), self.ids, axis=0)
        row = add("Cast", row, to=TensorProto.INT64)
        painted = add("ReduceSum", add("Gather", constant(self.changes), row, axis=0), self.axis, keepdims=0)
        some = add("ReduceSum", drawings, self.axis, keepdims=1)
        shape = add("Add", shape, add("Mul", painted, some))
        mixed = add("Concat", shape, *photographs, axis=1)
        add("Div", mixed, image_tower.length(self.graph, mixed, 1, 1e-12), output="embedding")


def tower(words, keys, values, meaning, change, seen=None):
    """ONNX model: `ids` [batch, tokens], 0 is padding -> `embedding` [batch, dimensions + networks * LABELS], unit length, and
    `shares` [batch, keys], how much of each known text is in it.

    words: the arrays of words.npz; keys (texts, size), unit length; values (drawings, dimensions), unit length; meaning: for
    each key its drawing, how much that counts, labels, their shares, as from memory(); change: for each word the row of
    `changes` (n, dimensions) that it adds, and these; row 0 is zero; seen: what code_of() gives,
    and the basis, which has an entry for each network of photographs in the image tower; None where there are none.
    """
    made = Tower(words, keys, values, meaning, change, seen)
    made.embedding()
    size = len(made.basis) * image_tower.LABELS + values.shape[1]
    return made.graph.model(
        "pocket_text",
        [helper.make_tensor_value_info("ids", TensorProto.INT64, ("batch", "tokens"))],
        [
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ("batch", size)),
            helper.make_tensor_value_info("shares", TensorProto.FLOAT, ("batch", len(keys))),
        ],
    )
