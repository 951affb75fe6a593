"""Plain English names from the titles and file names of the openclipart collection."""

import pathlib
import re
import sys
import tomllib
import unicodedata

import numpy

with open(pathlib.Path(__file__).with_name("clipart.toml"), "rb") as _file:
    TABLES = tomllib.load(_file)
ITALIAN = TABLES["italian"]
JUNK = set(TABLES["junk"])
DROP = set(TABLES["drop"])
ADJECTIVES = set(TABLES["adjectives"])
SPELLING = TABLES["spelling"]
PHRASES = TABLES["phrases"]


def english_nouns(wordnet):
    """The single-word nouns of WordNet's index, lower case."""
    nouns = set()
    with open(wordnet / "index.noun", encoding="utf-8") as lines:
        for line in lines:
            word = line.split(" ", 1)[0]
            if word.isalpha():
                nouns.add(word)
    return nouns


def split_words(text):
    """Lower case words of a title or file name, without accents and digits; camelCase is split."""
    text = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.findall(r"[a-z]+", text)


def is_noun(word, nouns):
    """Whether a word, or its singular, is in the list of nouns."""
    forms = [word, word.removesuffix("s"), word.removesuffix("es")]
    forms.append(word.removesuffix("ies") + "y")
    forms.append(word.removesuffix("ves") + "f")
    return any(form in nouns for form in forms)


def plain_name(text, nouns):
    """1 to 3 English words naming the thing, or None if the text has other words than that."""
    words = []
    for word in split_words(text):
        if word in DROP:
            return None
        if word in ITALIAN:
            words += ITALIAN[word].split()
        elif word in JUNK or len(word) < 3:
            continue
        elif word in ADJECTIVES or is_noun(word, nouns):
            words += SPELLING.get(word, word).split()
        else:
            return None
    words = list(dict.fromkeys(words))
    name = " ".join(words)
    for phrase, usual in PHRASES.items():
        name = name.replace(phrase, usual)
    words = name.split()
    # "balloon red", "pie apple": English has it the other way round
    if len(words) == 2 and (words[1] in ADJECTIVES or words[0] == "pie") and words[0] not in ADJECTIVES:
        words.reverse()
        name = " ".join(words)
    if not 1 <= len(words) <= 3 or all(word in ADJECTIVES for word in words):
        return None
    return name


def load_aliases():
    """What people type -> names of drawings, from aliases.toml beside this file."""
    with open(pathlib.Path(__file__).with_name("aliases.toml"), "rb") as file:
        return tomllib.load(file)


def missing_pictures(aliases, drawn):
    """The aliases that name a picture that does not exist: alias -> the names that are missing."""
    missing = {alias: [name for name in wanted if name not in drawn] for alias, wanted in aliases.items()}
    return {alias: wanted for alias, wanted in missing.items() if wanted}


def main():
    if len(sys.argv) != 3:
        raise SystemExit("usage: names.py DRAWINGS.npz SCENES.npz")
    scenes = numpy.load(sys.argv[2])
    drawn = set(numpy.load(sys.argv[1])["name"].tolist())
    drawn |= set(scenes["name"].tolist()) | set(scenes["caption"].tolist())
    aliases = load_aliases()
    missing = missing_pictures(aliases, drawn)
    for alias, wanted in missing.items():
        print(f"{alias}: no picture named {', '.join(wanted)}")
    print(f"{len(aliases)} aliases, {len(missing)} of them name missing pictures")
    raise SystemExit(1 if missing else 0)


if __name__ == "__main__":
    main()
