#!/usr/bin/env python3
"""Renders what provokes letters with and without a direction against them, and counts the letters.

    benches/lettering/measure.py PROGRAM FOLDER --fonts FONTS [--seeds 3] [--size 512] [--steps 150] [--weight -0.06] [--below 0.002]

A picture's upper left quarter shows what a prompt that provokes letters asks for, the other quarters what has none. For each such prompt
and seed there is a picture without more (the twin), one with recipes/letters.safetensors against letters in all targets, and the
baselines: a perspective stage, a blur stage, a negative prompt, again in all of them. Of each picture are told

* the probability of letters in that quarter, as a whole and the mean of its parts, by a direction that had no part in rendering:
  drawn in the fonts of FONTS alone (choose fonts that the machine has not installed), over pictures that are rendered for it here;
* the characters that Tesseract (Debian: tesseract-ocr) is sure of there, in the whole quarter and its quarters, enlarged;
* the similarity of the quarter to its own prompt, and the mean of the others' to theirs.

Everything stays in FOLDER: pictures, pairs.png (twins above, pictures against letters below), results.json.
"""
import argparse, json, os, pathlib, shutil, statistics, struct, subprocess, sys, zlib

PROMPTS = ["a book cover", "a page of text", "letters"]
# What has none, and is to stay as it is.
OTHERS = ["owl", "castle", "rose"]
# What the other direction's letters are drawn over.
SCENES = ["desert", "coral", "waterfall", "temple", "field of grass", "snow", "rusty iron", "jungle", "wooden planks", "brick wall",
          "helmet", "axe", "cat", "horse", "elephant", "fish", "butterfly", "snake", "eagle", "bear", "apple", "banana", "bread",
          "violin", "piano", "bicycle", "car", "train", "airplane", "sailing ship", "house", "bridge", "windmill", "anchor",
          "umbrella", "hourglass", "candle", "crown", "skeleton", "robot"]
NEGATIVE = '{ text = "text, letters", weight = -0.3 }'
# Tesseract's own confidence, in percent.
SURE = 60
ENLARGED = 3


def target(kind, prompts, place, stages):
    """A composition or a detail in a quarter, 0 to 3."""
    region = f"region = [{place % 2 / 2}, {place // 2 / 2}, 0.5, 0.5]"
    listed = ", ".join(f"{{ {stage} }}" for stage in stages)
    return f"[[{kind}]]\n{region}\nprompts = [{prompts}]\nwindows = {2 if kind == 'composition' else 8}\nstages = [{listed}]\n"


def recipe(prompt, against, stages, size, steps):
    """In the first quarter both kinds of targets, so that letters can come up as the whole and as its parts."""
    text = f"size = [{size}, {size}]\n"
    for place, own in enumerate([prompt, *OTHERS]):
        text += target("composition", f'"{own}"{against}', place, ["shift = 0.03", "noise = 0.02", *stages])
    text += target("detail", f'"{prompt}"{against}', 0, ["cover = [0.15, 0.2]", "rotate = 4", "noise = 0.02", *stages])
    return text + f"[[phase]]\nsteps = {steps}\n"


def png(path):
    """Rows of RGB bytes of a picture of eight bits a channel."""
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
    return rows


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


def quarters(rows):
    """The four quarters of rows of RGB bytes."""
    half, middle = len(rows) // 2, len(rows[0]) // 6 * 3
    cuts = (slice(0, middle), slice(middle, None))
    return [[row[cut] for row in part] for part in (rows[:half], rows[half:]) for cut in cuts]


def characters(rows):
    """Letters and digits that Tesseract is sure of: in a picture, or in its four quarters if those have more."""
    def read(rows):
        big = enlarged(rows, ENLARGED)
        picture = b"P5\n%d %d\n255\n" % (len(big[0]), len(big)) + b"".join(big)
        told = subprocess.run(["tesseract", "stdin", "stdout", "--psm", "11", "tsv"], input=picture, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=True, env=dict(os.environ, OMP_THREAD_LIMIT="1")).stdout
        words = [line.split("\t") for line in told.decode().splitlines()[1:]]
        return sum(sum(c.isalnum() for c in word[11]) for word in words if len(word) > 11 and float(word[10]) >= SURE)
    return max(read(rows), sum(map(read, quarters(rows))))


def main():
    parse = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parse.add_argument("program", type=pathlib.Path)
    parse.add_argument("folder", type=pathlib.Path)
    parse.add_argument("--fonts", type=pathlib.Path, required=True)
    parse.add_argument("--seeds", type=int, default=3)
    parse.add_argument("--size", type=int, default=512)
    parse.add_argument("--steps", type=int, default=150)
    parse.add_argument("--weight", type=float, default=-0.06)
    parse.add_argument("--below", type=float, default=0.002)
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
        render(f"scenes/{index}", f'size = [192, 192]\n[[composition]]\nprompts = ["{scene}"]\n[[phase]]\nsteps = 120\n', 1000 + index)
    made = json.loads(run("direction", "fit", "--lettering", "--seed", 4711, "--fonts", args.fonts, "--background", scenes,
                          "-o", other, "--count", 3000, "--json"))
    print("the other direction:", json.dumps(made["classes"][0]["scores"]["accuracy"]))

    shipped = pathlib.Path(__file__).resolve().parents[2] / "recipes" / "letters.safetensors"
    shutil.copy(shipped, folder / "letters.safetensors")
    against = f'{{ direction = "letters.safetensors", weight = {args.weight}, below = {args.below} }}'
    ways = {
        "twin": ("", []),
        "direction": (", " + against, []),
        "negative prompt": (", " + NEGATIVE, []),
        "perspective": ("", ["perspective = 0.5"]),
        "blur": ("", ["blur = 1.5"]),
    }
    results, pairs = [], []
    for index, prompt in enumerate(args.prompts):
        for seed in range(1, args.seeds + 1):
            for way, (more, stages) in ways.items():
                name = f"{index}-{seed}-{way.replace(' ', '-')}"
                picture = render(name, recipe(prompt, more, stages, args.size, args.steps), seed)
                whole, similarities = png(picture), []
                cut = quarters(whole)
                for place, (own, rows) in enumerate(zip([prompt, *OTHERS], cut)):
                    part = folder / f"{name}-{place}.png"
                    write_png(part, rows)
                    similarities.append(json.loads(run("score", part, own, "--json"))["scores"][0]["similarity"])
                shown = json.loads(run("direction", "show", other, folder / f"{name}-0.png", "--json"))
                results.append({
                    "prompt": prompt, "seed": seed, "way": way, "whole": shown["probability"], "parts": shown["mean_of_parts"],
                    "similarity": similarities[0], "others": statistics.mean(similarities[1:]),
                    "least": min(similarities[1:]), "characters": characters(cut[0]) if counts else None,
                })
                print(json.dumps(results[-1]), flush=True)
                if way in ("twin", "direction"):
                    pairs.append((way, whole))
    (folder / "results.json").write_text(json.dumps(results, indent=1))
    rows = []
    for way in ("twin", "direction"):
        pictures = [rows for own, rows in pairs if own == way]
        rows += [b"".join(parts) for parts in zip(*pictures)]
    write_png(folder / "pairs.png", rows)

    keys = ("whole", "parts", "similarity", "others")
    print("\nmeans, and in brackets the twin's share")
    print(f"{'way':16}" + "".join(f"{key:>16}" for key in keys) + f"{'characters':>12}")
    mean = lambda way, key: statistics.mean(one[key] for one in results if one["way"] == way)
    for way in ways:
        sum_of = sum(one["characters"] for one in results if one["way"] == way) if counts else "-"
        told = "".join(f"{mean(way, key):8.3f} ({mean(way, key) / mean('twin', key):.3f})" for key in keys)
        print(f"{way:16}{told}{sum_of:>12}")


main()
