"""All texts that the model is to know: `python captions.py DRAWINGS.npz SCENES.npz OUT.txt` writes one a line."""

import sys

import numpy

import labels
import names


def main():
    if len(sys.argv) != 4:
        raise SystemExit("usage: captions.py DRAWINGS.npz SCENES.npz OUT.txt")
    drawings = numpy.load(sys.argv[1])
    scenes = numpy.load(sys.argv[2])
    texts = set(drawings["name"].tolist()) | set(names.load_aliases())
    texts |= set(scenes["name"].tolist()) | set(scenes["caption"].tolist())
    texts |= set(labels.synonyms(labels.load_labels())) | set(labels.matter())
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in sorted(texts))


if __name__ == "__main__":
    main()
