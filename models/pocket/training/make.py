"""From nothing to the model's files: `python make.py WORK_FOLDER [--out MODEL_FOLDER] [--smoke]`.

WORK_FOLDER/data takes what fetch.py brings, the rest of WORK_FOLDER what the steps write. A step is left out where all that
it writes is there already and newer than what it reads; delete a file to have it made anew. MODEL_FOLDER (WORK_FOLDER/model if
none is said) gets image.onnx and its weights, text.onnx, names.txt, tokenizer.json and model.toml, and the hashes are printed.

--smoke does the same on a small scale, to see that everything works: what comes of it draws nothing well.
"""

import argparse
import hashlib
import pathlib
import subprocess
import sys
import time

from fetch import debian_folder
from image_tower import NETWORKS

HERE = pathlib.Path(__file__).parent
FILES = (
    "image.onnx", "lite0/lite0.weights", "lite2/lite2.weights", "text.onnx", "names.txt", "tokenizer.json", "model.toml",
)
# drawings of each source, variants of each scene, views of each drawing, updates of each network of photographs
FULL = (None, 24, 6, 1100)
SMOKE = (150, 3, 2, 4)


def steps(work, data, out, smoke):
    """Each step's words for Python, what it reads and what it writes."""
    few, each, views, updates = SMOKE if smoke else FULL
    drawings, scenes, captions = work / "drawings.npz", work / "scenes.npz", work / "captions.txt"
    features, fitted, colours = work / "features.npz", work / "fitted.npz", work / "colours.npz"
    words, labels = [work / "words.npz", work / "tokenizer.json"], work / "labels.npz"
    only = ["--few", few] if few else []
    yield ["drawings.py", data, drawings, *only], [], [drawings]
    yield ["-m", "scenes", scenes, "--each", each], [], [scenes]
    known = [drawings, scenes, HERE / "aliases.toml", HERE / "matter.toml"]
    yield ["captions.py", drawings, scenes, captions], known, [captions]
    wordnet = debian_folder(data, "wordnet-base")
    yield ["words.py", wordnet, captions, work], [captions, HERE / "words.toml"], words
    yield ["labels.py", wordnet, captions, labels], [captions, HERE / "matter.toml"], [labels]
    yield ["features.py", drawings, scenes, features, "--views", views], [drawings, scenes], [features]
    yield ["fit.py", features, fitted], [features], [fitted]
    yield ["colours.py", drawings, fitted, colours], [drawings, fitted], [colours]
    seen, robust = work / "seen.npz", [work / f"robust{number}.pth" for number in NETWORKS]
    for number, weights in zip(NETWORKS, robust):
        yield ["robust.py", number, data, drawings, weights, "--updates", updates], [drawings], [weights]
    yield ["seen.py", drawings, scenes, fitted, work, seen], [drawings, scenes, fitted, *robust], [seen]
    made = [out / name for name in FILES]
    reads = [fitted, colours, labels, seen, HERE / "aliases.toml", HERE / "advice.toml", *words, *robust]
    yield ["export.py", fitted, colours, labels, work, out], reads, made


def is_done(reads, writes):
    """Whether all that is written is there, and none of what is read is newer."""
    if not all(path.exists() for path in writes):
        return False
    oldest = min(path.stat().st_mtime for path in writes)
    return all(path.stat().st_mtime <= oldest for path in reads)


def run(words):
    """Python with these words, in this folder; tells the seconds that it takes."""
    print("$ python", *words, flush=True)
    start = time.monotonic()
    done = subprocess.run([sys.executable, *map(str, words)], cwd=HERE)
    if done.returncode:
        raise SystemExit(f"{words[0]} failed with exit code {done.returncode}")
    print(f"  {time.monotonic() - start:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", metavar="WORK_FOLDER", type=pathlib.Path)
    parser.add_argument("--out", metavar="MODEL_FOLDER", type=pathlib.Path)
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    work = options.work.resolve()
    data, out = work / "data", (options.out or work / "model").resolve()
    data.mkdir(parents=True, exist_ok=True)
    run(["fetch.py", data])
    for words, reads, writes in steps(work, data, out, options.smoke):
        if is_done(reads, writes):
            print("is done:", *words)
        else:
            run(words)
    for name in FILES[:-1]:
        content = (out / name).read_bytes()
        print(f"{hashlib.sha256(content).hexdigest()}  {name} ({len(content)} bytes)")


if __name__ == "__main__":
    main()
