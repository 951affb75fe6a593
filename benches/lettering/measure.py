#!/usr/bin/env python3
"""Renders what provokes letters with and without a direction against them, and counts the letters.

    benches/lettering/measure.py PROGRAM FOLDER --fonts FONTS [--seeds 3] [--size 256] [--steps 150] [--weight -0.06] [--below 0.02]

For each prompt and seed there is a picture of the prompt alone (the twin), one with recipes/letters.safetensors against letters, and
the baselines: a perspective stage, a blur stage, a negative prompt. Of each picture are told

* the probability of letters by a direction that had no part in rendering: drawn in the fonts of FONTS alone (choose fonts that the
  machine has not installed), over pictures that are rendered for it here;
* the characters that Tesseract (Debian: tesseract-ocr) is sure of, in the whole picture and its quarters, enlarged;
* the similarity to the prompt.

Everything stays in FOLDER: pictures, pairs.png (twins above, pictures against letters below), results.json.
"""
import argparse, json, os, pathlib, shutil, statistics, struct, subprocess, sys, zlib

PROMPTS = ["a book cover", "a page of text", "letters"]
# What the other direction's letters are drawn over.
SCENES = ["desert", "coral", "waterfall", "ruins", "field of grass", "snow", "rusty iron", "jungle"]
NEGATIVE = '{ text = "text, letters", weight = -0.3 }'
# Tesseract's own confidence, in percent.
SURE = 60
ENLARGED = 3


def recipe(prompts, stages, size, steps):
    """Both kinds of targets, so that letters can come up as the whole and as its parts."""
    extra = "".join(f", {stage}" for stage in stages)
    return f"""size = [{size}, {size}]
[[composition]]
prompts = [{prompts}]
windows = 2
stages = [{{ shift = 0.03 }}, {{ noise = 0.02 }}{extra}]
[[detail]]
prompts = [{prompts}]
windows = 8
stages = [{{ cover = [0.3, 0.4] }}, {{ rotate = 4 }}, {{ noise = 0.02 }}{extra}]
[[phase]]
steps = {steps}
"""


def png(path):
    """Rows of RGB bytes, and the width, of a picture of eight bits a channel."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            assert (depth, colour, interlaced) == (8, 2, 0), f"{path}: not plain RGB"
        if kind == b"IDAT":
            packed += body
        at += 12 + length
    raw, rows, above = zlib.decompress(packed), [], bytearray(3 * width)
    for row in range(height):
        start = row * (3 * width + 1)
        how, line = raw[start], bytearray(raw[start + 1:start + 1 + 3 * width])
        for i in range(len(line)):
            left, up, corner = line[i - 3] if i > 2 else 0, above[i], above[i - 3] if i > 2 else 0
            if how == 4:
                guess = left + up - corner
                nearest = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))
                line[i] = (line[i] + nearest[2]) & 255
            elif how:
                line[i] = (line[i] + (left if how == 1 else up if how == 2 else (left + up) // 2)) & 255
        rows.append(bytes(line))
        above = line
    return rows, width


def write_png(path, rows):
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    head = struct.pack(">IIBBBBB", len(rows[0]) // 3, len(rows), 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b""))


def enlarged(rows, times):
    """Linear between pixels, as grey: letters of few pixels have edges that Tesseract can follow."""
    grey = [[(54 * row[i] + 183 * row[i + 1] + 19 * row[i + 2]) >> 8 for i in range(0, len(row), 3)] for row in rows]
    def line(values):
        out = []
        for a, b in zip(values, values[1:] + values[-1:]):
            out += [(a * (times - k) + b * k) // times for k in range(times)]
        return out
    wide = [line(row) for row in grey]
    tall = []
    for a, b in zip(wide, wide[1:] + wide[-1:]):
        tall += [bytes((x * (times - k) + y * k) // times for x, y in zip(a, b)) for k in range(times)]
    return tall


def characters(path):
    """Letters and digits that Tesseract is sure of: in the whole picture, or in its four quarters if those have more."""
    rows, width = png(path)
    half = len(rows) // 2
    def read(rows):
        big = enlarged(rows, ENLARGED)
        picture = b"P5\n%d %d\n255\n" % (len(big[0]), len(big)) + b"".join(big)
        told = subprocess.run(["tesseract", "stdin", "stdout", "--psm", "11", "tsv"], input=picture, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=True, env=dict(os.environ, OMP_THREAD_LIMIT="1")).stdout
        words = [line.split("\t") for line in told.decode().splitlines()[1:]]
        return sum(sum(c.isalnum() for c in word[11]) for word in words if len(word) > 11 and float(word[10]) >= SURE)
    middle = 3 * (width // 2)
    quarters = [[row[cut] for row in part] for part in (rows[:half], rows[half:]) for cut in (slice(0, middle), slice(middle, None))]
    return max(read(rows), sum(map(read, quarters)))


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("program", type=pathlib.Path)
    parse.add_argument("folder", type=pathlib.Path)
    parse.add_argument("--fonts", type=pathlib.Path, required=True)
    parse.add_argument("--seeds", type=int, default=3)
    parse.add_argument("--size", type=int, default=256)
    parse.add_argument("--steps", type=int, default=150)
    parse.add_argument("--weight", type=float, default=-0.06)
    parse.add_argument("--below", type=float, default=0.02)
    parse.add_argument("--prompts", nargs="+", default=PROMPTS)
    args = parse.parse_args()
    program, folder = str(args.program.resolve()), args.folder
    folder.mkdir(parents=True, exist_ok=True)
    counts = shutil.which("tesseract") is not None
    if not counts:
        print("tesseract is not installed (Debian: tesseract-ocr): NO CHARACTERS ARE COUNTED", file=sys.stderr)

    def run(*words):
        return subprocess.run([program, *map(str, words)], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout

    def render(name, text, seed):
        source, picture = folder / f"{name}.toml", folder / f"{name}.png"
        source.write_text(text)
        run(source, "--seed", seed, "-o", picture)
        return picture

    # The other direction.
    scenes, other = folder / "scenes", folder / "other.safetensors"
    scenes.mkdir(exist_ok=True)
    for index, scene in enumerate(SCENES):
        render(f"scenes/{index}", recipe(f'"{scene}"', [], 192, 120), 1000 + index)
    made = json.loads(run("direction", "fit", "--lettering", "--seed", 4711, "--fonts", args.fonts, "--background", scenes,
                          "-o", other, "--count", 1500, "--json"))
    print("the other direction:", json.dumps(made["classes"][0]["scores"]["accuracy"]))

    shipped = pathlib.Path(__file__).resolve().parents[2] / "recipes" / "letters.safetensors"
    shutil.copy(shipped, folder / "letters.safetensors")
    against = f'{{ direction = "letters.safetensors", weight = {args.weight}, below = {args.below} }}'
    ways = {
        "twin": ("", []),
        "direction": (", " + against, []),
        "negative prompt": (", " + NEGATIVE, []),
        "perspective": ("", ["{ perspective = 0.5 }"]),
        "blur": ("", ["{ blur = 1.5 }"]),
    }
    results, pairs = [], []
    for index, prompt in enumerate(args.prompts):
        for seed in range(1, args.seeds + 1):
            for way, (more, stages) in ways.items():
                text = recipe(f'"{prompt}"' + more, stages, args.size, args.steps)
                picture = render(f"{index}-{seed}-{way.replace(' ', '-')}", text, seed)
                shown = json.loads(run("direction", "show", other, picture, "--json"))
                similarity = json.loads(run("score", picture, prompt, "--json"))["scores"][0]["similarity"]
                results.append({
                    "prompt": prompt, "seed": seed, "way": way, "whole": shown["probability"], "parts": shown["mean_of_parts"],
                    "similarity": similarity, "characters": characters(picture) if counts else None,
                })
                print(json.dumps(results[-1]), flush=True)
                if way in ("twin", "direction"):
                    pairs.append((way, png(picture)[0]))
    (folder / "results.json").write_text(json.dumps(results, indent=1))
    rows = []
    for way in ("twin", "direction"):
        pictures = [rows for own, rows in pairs if own == way]
        rows += [b"".join(parts) for parts in zip(*pictures)]
    write_png(folder / "pairs.png", rows)

    print(f"\n{'way':16} {'whole':>7} {'parts':>7} {'of twin':>8} {'similarity':>10} {'of twin':>8} {'characters':>10}")
    mean = lambda way, key: statistics.mean(one[key] for one in results if one["way"] == way)
    for way in ways:
        parts, similarity = mean(way, "parts"), mean(way, "similarity")
        sum_of = sum(one["characters"] for one in results if one["way"] == way) if counts else "-"
        print(f"{way:16} {mean(way, 'whole'):7.3f} {parts:7.3f} {parts / mean('twin', 'parts'):8.3f} {similarity:10.4f}"
              f" {similarity / mean('twin', 'similarity'):8.3f} {sum_of:>10}")


main()
