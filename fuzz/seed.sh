#!/bin/sh
# Makes the corpora to begin from: the shipped recipes and the invalid ones, and every expression in them.
set -eu
cd "$(dirname "$0")"
mkdir -p corpus/recipe corpus/expression
cp ../recipes/*.toml ../tests/invalid/*.toml corpus/recipe/
for recipe in ../tests/invalid/extends/*.toml; do
    name=$(basename "$recipe")
    { cat "$recipe"; printf '\n=== base\n'; cat ../tests/invalid/extends/bases/sound.toml; printf '\n=== set\n%s\n%s\n' \
        'detail.0.weight=0.5*t' 'stages.roam.1.rotate=20'; } > "corpus/recipe/extends-$name"
done
number=0
sed -n 's/.*= *"\([^"]*[-+*\/(][^"]*\)".*/\1/p' ../recipes/*.toml ../tests/invalid/*.toml ../src/recipe/defaults.toml | sort -u |
    while read -r expression; do
        number=$((number + 1))
        printf '%s' "$expression" > "corpus/expression/$number"
    done
mkdir -p corpus/graph corpus/page corpus/directions corpus/picture corpus/tokenizer corpus/request
find ../tests/models -name '*.onnx' -size -60k -exec cp {} corpus/graph/ \;
cp ../models/pocket/model.toml corpus/page/
cp ../recipes/*.safetensors corpus/directions/
find ../tests/preprocess ../tests/golden -type f ! -name '*.py' -size -20k -exec cp {} corpus/picture/ \;
cat > corpus/tokenizer/pairs <<'END'
{"added_tokens": [{"id": 4, "content": "<s>", "special": true, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}]},
"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "'s|[a-z]+|[0-9]"}, "behavior": "Removed", "invert": true},
"post_processor": {"type": "RobertaProcessing", "sep": ["b</w>", 2], "cls": ["<s>", 4], "trim_offsets": false, "add_prefix_space": false},
"model": {"type": "BPE", "unk_token": "<unk>", "end_of_word_suffix": "</w>", "vocab": {"<unk>": 0, "a": 1, "b</w>": 2, "ab</w>": 3}, "merges": ["a b</w>"]}}
=== text
a castle ab
END
cat > corpus/tokenizer/pieces <<'END'
{"normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
"pre_tokenizer": {"type": "BertPreTokenizer"}, "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
"max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "a": 1, "##b": 2}}}
=== text
ab
END
printf 'GET /frame?after=3&token=a HTTP/1.1\r\nHost: localhost:8765\r\nOrigin: http://localhost:8765\r\nSec-Fetch-Site: same-origin\r\nrecipe-render-token: a\r\n\r\n' > corpus/request/steer
printf 'GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n' > corpus/request/page
