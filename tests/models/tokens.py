"""Writes texts and their token ids as transformers' CLIPTokenizer and OpenCLIP's SimpleTokenizer give them.

    python tests/models/tokens.py VOCABULARY-FOLDER [MORE-TEXTS OUTPUT]

Needs transformers and open_clip_torch; the folder holds CLIP's vocab.json and merges.txt. Writes tokens.json beside this file,
which the tests read; with a file of more texts, one a line, writes these to OUTPUT instead. Texts on which the two libraries
differ (OpenCLIP repairs texts and unescapes HTML first) are left out and printed.
"""

import json
import sys
from pathlib import Path

TEXTS = [
    "a photo of a cat", "how are you doing?", "", " ", "hello world", "Hello, World!", "malazan landscape",
    "stairs in a dungeon, leather armour", "an oil painting of a sunset, 1889", "it's the dog's; they're, we've, I'm, you'll, he'd",
    "don't can't won't", "IT'S THE DOG'S", "naïve café crème brûlée", "nai\u0308ve cafe\u0301", "Ångström Übermensch Straße",
    "東京の夜景", "красная площадь", "ελληνικά", "שלום עולם", "مرحبا بالعالم", "안녕하세요 세계", "नमस्ते दुनिया", "สวัสดีชาวโลก",
    "🐱🚀 emoji ❤️", "👩‍👩‍👧‍👦", "1234567890", "3.14159 and 2,718", "x²+y²=z²", "½ ¾ Ⅳ ①", "a\tb\nc\r\nd", "  many   spaces  ",
    "underscore_and-dash", "semi;colon:colon", "!!!???...", "#hashtag @mention http://example.org/a?b=c&d=e",
    "supercalifragilisticexpialidocious", "Pneumonoultramicroscopicsilicovolcanoconiosis", "\"quotes\" 'single' “curly” ‘one’",
    "price: $5, €6, £7, ¥8", "C++ vs. C# & F#", "a/b\\c|d", "İstanbul", "ﬁne ligature", "zero\u200bwidth", "em—dash en–dash",
    "The Quick Brown Fox Jumps Over The Lazy Dog", "unicode \u00a0 non-breaking", "line\u2028separator", "ﬀ Ǆ ǅ",
]


def tokenizers(folder):
    from open_clip.tokenizer import SimpleTokenizer
    from transformers import CLIPTokenizer

    vocab = json.loads((folder / "vocab.json").read_text())
    lines = (folder / "merges.txt").read_text().split("\n")
    merges = [tuple(line.split()) for line in lines[1:] if line]
    fast = CLIPTokenizer(vocab=vocab, merges=merges)
    slow = SimpleTokenizer()
    return lambda text: fast(text).input_ids, lambda text: [49406, *slow.encode(text), 49407]


def main():
    fast, slow = tokenizers(Path(sys.argv[1]))
    texts, output = TEXTS, Path(__file__).with_name("tokens.json")
    if len(sys.argv) > 2:
        texts, output = Path(sys.argv[2]).read_text().split("\n"), Path(sys.argv[3])
    table = []
    for text in texts:
        if fast(text) == slow(text):
            table.append([text, fast(text)])
        else:
            print("they differ:", repr(text), fast(text), slow(text))
    rows = ",\n".join(json.dumps(row, ensure_ascii=True) for row in table)
    output.write_text(f"[\n{rows}\n]\n")
    print(len(table), "of", len(texts))


if __name__ == "__main__":
    sys.exit(main())
