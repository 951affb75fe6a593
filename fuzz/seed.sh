#!/bin/sh
# Makes the corpora to begin from: the shipped recipes and the invalid ones, every expression in them, and the tests' models, pictures
# and tokenizers.
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
sed -n 's/.*= *"\([^"]*[-+*\/(][^"]*\)".*/\1/p' ../recipes/*.toml ../tests/invalid/*.toml ../crates/recipe/src/keys/defaults.toml | sort -u |
    while read -r expression; do
        number=$((number + 1))
        printf '%s' "$expression" > "corpus/expression/$number"
    done
mkdir -p corpus/graph corpus/page corpus/directions corpus/picture corpus/tokenizer corpus/request
find ../tests/models -name '*.onnx' -size -60k -exec cp {} corpus/graph/ \;
cp ../models/pocket/model.toml corpus/page/
cp ../recipes/*.safetensors corpus/directions/
find ../tests/preprocess ../tests/golden -type f ! -name '*.py' -size -20k -exec cp {} corpus/picture/ \;
cp ../tests/hostile/* corpus/tokenizer/
printf 'GET /frame?after=3&token=a HTTP/1.1\r\nHost: localhost:8765\r\nOrigin: http://localhost:8765\r\nSec-Fetch-Site: same-origin\r\nrecipe-render-token: a\r\n\r\n' > corpus/request/steer
printf 'GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n' > corpus/request/page
