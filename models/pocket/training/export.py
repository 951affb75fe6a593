"""Write the model folder: `python export.py FITTED.npz COLOURS.npz LABELS.npz WORK_FOLDER OUT_FOLDER [--shapes]`.

WORK_FOLDER has the words, the tokenizer, the robust weights and seen.npz. Written are image.onnx and a file of weights for each network of
photographs, text.onnx, names.txt, tokenizer.json, model.toml with reference texts. --shapes leaves the photographs out, and what
the model advises: the filters alone, as control.py and held_out.py want them.
"""

import argparse
import pathlib
import shutil

import numpy
import onnxruntime
from onnx import TensorProto
from tokenizers import Tokenizer

import image_tower
import names
import photographs
import text_tower
from labels import load_labels, matter_page

REFERENCES = ("a malazan landscape", "stairs in a dungeon", "castle")
HERE = pathlib.Path(__file__).parent
# of the labels that a name's photographs show, so many are told
SHOWN = 3


def weights_apart(model, out):
    """Moves the weights of each network of photographs into a file of its own beside the model; gives the files' names."""
    files = {}
    for tensor in model.graph.initializer:
        stem = tensor.name.split("/")[0]
        if tensor.data_type != TensorProto.INT8 or not stem.startswith("lite"):
            continue
        content = files.setdefault(f"{stem}/{stem}.weights", bytearray())
        entries = {"location": f"{stem}/{stem}.weights", "offset": len(content), "length": len(tensor.raw_data)}
        content += tensor.raw_data
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))
    for name, content in files.items():
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(content)
    return sorted(files)


def shorten_names(graph):
    """Gives what lies between inputs and outputs numbers for names: the exporter's long ones are a hundredth of the model."""
    short = {value.name: value.name for value in (*graph.input, *graph.output)}

    def of(name):
        return short.setdefault(name, str(len(short))) if name else ""

    for tensor in graph.initializer:
        tensor.name = of(tensor.name)
    for node in graph.node:
        node.ClearField("name")
        node.input[:] = [of(name) for name in node.input]
        node.output[:] = [of(name) for name in node.output]
    del graph.value_info[:]


def page(size, texts, side, advice):
    """model.toml without its references."""
    head = f'''# A model folder: two encoders in ONNX, a tokenizer, and this page. See docs/models.md.
name = "pocket"
about = "a small CLIP of {size:.1f} MB for first pictures: it has seen photographs of a thousand things, and drawings of thousands"
licence = "Apache-2.0 AND CC-BY-4.0 AND CC-BY-3.0 data, see README.md"

[image]
file = "image.onnx"
size = {side}                     # the window's side S in pixels
mean = [0.0, 0.0, 0.0]         # what is subtracted from 0..1 pixels, per channel
deviation = [1.0, 1.0, 1.0]    # and what they are then divided by
input = "image"
output = "embedding"

[text]
file = "text.onnx"
ids = "ids"
output = "embedding"

[tokenizer]
file = "tokenizer.json"

# The {texts} names that texts are mixtures of; `recipe-render models explain pocket "a text"` shows them.
[names]
file = "names.txt"
shares = "shares"

'''
    return head + advice + "\n# What onnxruntime's own Python package gives; `recipe-render models check pocket` compares.\n"


def remarks(texts, labels, rows, counts, drawings):
    """For each known text, what it is drawn with."""
    known = [words[0] for _, words in load_labels()]
    by_text = {text: place for place, text in enumerate(labels["text"].tolist())}
    for text, row, count in zip(texts, rows, counts):
        place = by_text[text]
        share = labels["share"][place]
        order = sorted(range(len(share)), key=lambda place: -share[place])[:SHOWN]
        seen = ", ".join(known[labels["label"][place][number]] for number in order if share[number] > 0)
        parts = [f"photographs of {seen}"] if seen else []
        if count:
            parts.append("a drawing" + (f" of {drawings[row]}" if drawings[row] != text else ""))
        yield "; ".join(parts)


def references(folder, tokenizer):
    """The reference texts with their tokens and the first numbers of their embeddings, as TOML."""
    session = onnxruntime.InferenceSession(folder / "text.onnx")
    page = []
    for text in REFERENCES:
        ids = tokenizer.encode(text).ids
        [embedding] = session.run(["embedding"], {"ids": numpy.array([ids], numpy.int64)})
        numbers = ", ".join(f"{number:.5g}" for number in embedding[0, :5])
        page.append(f'[[reference]]\ntext = "{text}"\ntokens = {ids}\nembedding = [{numbers}]\n')
    return "\n".join(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fitted", metavar="FITTED.npz")
    parser.add_argument("colours", metavar="COLOURS.npz")
    parser.add_argument("labels", metavar="LABELS.npz")
    parser.add_argument("work", metavar="WORK_FOLDER", type=pathlib.Path)
    parser.add_argument("out", metavar="OUT_FOLDER", type=pathlib.Path)
    parser.add_argument("--shapes", action="store_true", help="the filters alone, without photographs")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    fitted = dict(numpy.load(options.fitted))
    words = dict(numpy.load(options.work / "words.npz"))
    tokenizer = Tokenizer.from_file(str(options.work / "tokenizer.json"))

    labels = dict(numpy.load(options.labels))
    if options.shapes:
        side, advice = image_tower.WINDOW, ""
        labels["share"][:] = 0
        image = image_tower.shapes(fitted["templates"], fitted["bias"])
    else:
        networks = [photographs.graph(number, options.work / f"robust{number}.pth") for number in image_tower.NETWORKS]
        side, advice = image_tower.SIDE, (HERE / "advice.toml").read_text(encoding="utf-8")
        image = image_tower.tower(fitted["templates"], fitted["bias"], networks)
    weights = weights_apart(image, options.out)
    shorten_names(image.graph)
    (options.out / "image.onnx").write_bytes(image.SerializeToString())
    drawings, values, _, row_of = text_tower.drawn(fitted, names.load_aliases())
    texts, *meaning = text_tower.memory(row_of, labels)
    seen = None
    if not options.shapes:
        found = numpy.load(options.work / "seen.npz")
        _, unseen = matter_page()
        seen = text_tower.code_of(found, texts, meaning[-1], unseen), found["basis"]
    keys = text_tower.bags(texts, words, tokenizer)
    colours = numpy.load(options.colours)
    change = numpy.zeros(len(words["scale"]), numpy.uint8)
    for row, word in enumerate(colours["word"], 1):
        change[words["vocabulary"].tolist().index(word)] = row
    changes = text_tower.PAINT * numpy.pad(colours["change"], ((1, 0), (0, 0))).astype(numpy.float32)
    text = text_tower.tower(words, keys, values, meaning, (change, changes), seen)
    (options.out / "text.onnx").write_bytes(text.SerializeToString())
    lines = zip(texts, remarks(texts, labels, meaning[0], meaning[1], drawings))
    (options.out / "names.txt").write_text("".join(f"{text}\t{remark}\n" for text, remark in lines), encoding="utf-8")
    shutil.copyfile(options.work / "tokenizer.json", options.out / "tokenizer.json")
    files = ("image.onnx", "text.onnx", "tokenizer.json", "names.txt", *weights)
    size = sum((options.out / file).stat().st_size for file in files) / 1e6
    (options.out / "model.toml").write_text(page(size, len(texts), side, advice) + references(options.out, tokenizer))
    print(f"{len(texts)} texts, {size:.2f} MB")


if __name__ == "__main__":
    main()
