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
