"""Write the model folder: `python export.py FITTED.npz COLOURS.npz WORDS_FOLDER OUT_FOLDER`.

image.onnx, text.onnx, tokenizer.json, model.toml with reference texts. Says how far onnxruntime's embeddings are from the
sums done here.
"""

import argparse
import pathlib
import shutil

import numpy
import onnxruntime
from tokenizers import Tokenizer

import image_tower
import names
import text_tower

REFERENCES = ("a malazan landscape", "stairs in a dungeon")
PAGE = """# A model folder: two encoders in ONNX, a tokenizer, and this page. See docs/models.md.
name = "pocket"
about = "a small CLIP of {size:.1f} MB for first pictures: scenes, objects, animals, textures, as clear as icons"
licence = "Apache-2.0 AND CC-BY-4.0 AND CC-BY-3.0 data, see README.md"

[image]
file = "image.onnx"
size = 64                      # the window's side S in pixels
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

# What onnxruntime's own Python package gives; `recipe-render models check pocket` compares.
"""


def references(folder, tokenizer):
    """The reference texts with their tokens and the first numbers of their embeddings, as TOML."""
    session = onnxruntime.InferenceSession(folder / "text.onnx")
    page = []
    for text in REFERENCES:
        ids = tokenizer.encode(text).ids
        [embedding] = session.run(None, {"ids": numpy.array([ids], numpy.int64)})
        numbers = ", ".join(f"{number:.5g}" for number in embedding[0, :5])
        page.append(f'[[reference]]\ntext = "{text}"\ntokens = {ids}\nembedding = [{numbers}]\n')
    return "\n".join(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fitted", metavar="FITTED.npz")
    parser.add_argument("colours", metavar="COLOURS.npz")
    parser.add_argument("words", metavar="WORDS_FOLDER", type=pathlib.Path)
    parser.add_argument("out", metavar="OUT_FOLDER", type=pathlib.Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    fitted = dict(numpy.load(options.fitted))
    words = dict(numpy.load(options.words / "words.npz"))
    tokenizer = Tokenizer.from_file(str(options.words / "tokenizer.json"))

    image = image_tower.tower(fitted["templates"], fitted["bias"])
    (options.out / "image.onnx").write_bytes(image.SerializeToString())
    known = text_tower.memory(fitted, names.load_aliases())
    texts = sorted(known)
    values = numpy.stack([known[text] for text in texts])
    keys = text_tower.bags(texts, words, tokenizer)
    colours = numpy.load(options.colours)
    change = numpy.zeros(len(words["scale"]), numpy.uint8)
    for row, word in enumerate(colours["word"], 1):
        change[words["vocabulary"].tolist().index(word)] = row
    changes = text_tower.PAINT * numpy.pad(colours["change"], ((1, 0), (0, 0)))
    text = text_tower.tower(words, keys, values, change, changes)
    (options.out / "text.onnx").write_bytes(text.SerializeToString())
    shutil.copyfile(options.words / "tokenizer.json", options.out / "tokenizer.json")
    files = ("image.onnx", "text.onnx", "tokenizer.json")
    size = sum((options.out / file).stat().st_size for file in files) / 1e6
    (options.out / "model.toml").write_text(PAGE.format(size=size) + references(options.out, tokenizer))
    print(f"{len(texts)} texts, {size:.2f} MB")


if __name__ == "__main__":
    main()
