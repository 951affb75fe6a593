#!/usr/bin/env python3
"""A day of watching in fast motion: edits of every kind, one after another, while a recipe is watched and its page is served (Linux).

    benches/reliability/day.py PROGRAM [EDITS]

The recipe's seed changes with each edit, so that a picture tells which edit it is of. An edit is noticed if the picture, or the message
that it should bring, comes within ten seconds. Printed are edits that were not noticed, and memory, open files, threads, the store's and the cache's
bytes as the edits go on.
"""
import collections, os, pathlib, random, struct, subprocess, sys, tempfile, threading, time, zlib

PROGRAM = os.path.abspath(sys.argv[1])
EDITS = int((sys.argv[2:] or ["2000"])[0])
PATIENCE = 10
WORDS = ["castle", "owl", "sea", "dragon", "a knight in armour", "stairs in a dungeon", "lighthouse at night", "robots", "a red rose", "skull"]


def recipes_in(picture):
    """The texts in a PNG's international text chunks."""
    place, texts = 8, []
    while place + 8 <= len(picture):
        length, kind = struct.unpack(">I4s", picture[place : place + 8])
        if kind == b"iTXt":
            _, rest = picture[place + 8 : place + 8 + length].split(b"\0", 1)
            text = rest[2:].split(b"\0", 2)[2]
            texts.append(zlib.decompress(text) if rest[0] else text)
        place += length + 12
    return texts


class Watched:
    """A folder with a recipe that builds on another, and the program that watches it."""

    def __init__(self, root):
        self.root, self.folder, self.picture = root, root / "work", root / "a.png"
        self.folder.mkdir()
        self.said, self.seed, self.words = [], 0, WORDS[0]
        self.write_base("")
        self.recipe_path().write_text(self.recipe())
        environment = dict(os.environ, RECIPE_RENDER_STORE=str(root / "store"), RECIPE_RENDER_STORE_LIMIT="20MB")
        self.program = subprocess.Popen([PROGRAM, "work/a.toml", "-o", "a.png", "--watch", "--serve"], cwd=root, env=environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=lambda: self.said.extend(self.program.stderr), daemon=True).start()
        if not self.until(self.picture.exists, 120):
            raise SystemExit("".join(self.said))

    def recipe_path(self):
        return self.folder / "a.toml"

    def recipe(self):
        return f'extends = "base.toml"\nseed = {self.seed}\n[[composition]]\nprompts = ["{self.words}"]\nwindows = 1\n'

    def write_base(self, comment):
        (self.folder / "base.toml").write_text(f"{comment}\nsize = [64, 64]\n[render]\nsteps = 2\n")

    def until(self, what, patience=PATIENCE):
        end = time.monotonic() + patience
        while time.monotonic() < end and self.program.poll() is None:
            if what():
                return True
            time.sleep(0.005)
        return what()

    def new_picture(self):
        """Whether a picture of the present seed comes."""
        wanted = f"seed = {self.seed}\n".encode()

        def there():
            try:
                return any(wanted in text for text in recipes_in(self.picture.read_bytes()))
            except FileNotFoundError:
                return False
        return self.until(there)

    def new_message(self, before, words):
        return self.until(lambda: any(words in line for line in self.said[before:]))

    # Kinds of edits: each says whether it was noticed.

    def in_place(self):
        self.recipe_path().write_text(self.recipe())
        return self.new_picture()

    def renamed_over(self):
        new = self.folder / ".a.toml.swp"
        new.write_text(self.recipe())
        new.rename(self.recipe_path())
        return self.new_picture()

    def removed_and_made(self):
        self.recipe_path().unlink()
        time.sleep(random.choice([0, 0.05, 0.4]))
        self.recipe_path().write_text(self.recipe())
        return self.new_picture()

    def in_two_parts(self):
        text = self.recipe()
        with open(self.recipe_path(), "w") as file:
            file.write(text[:40])
            file.flush()
            time.sleep(random.choice([0.01, 0.1]))
            file.write(text[40:])
        return self.new_picture()

    def broken_and_mended(self):
        before = len(self.said)
        self.recipe_path().write_text(self.recipe().replace("windows = 1", "widows = 1"))
        told = self.new_message(before, "widows")
        self.recipe_path().write_text(self.recipe())
        return told and self.new_picture()

    def base_changed(self):
        # The seed stands in the recipe; what is built on is noticed by its own mistake.
        before = len(self.said)
        self.write_base("colour = 1")
        told = self.new_message(before, "colour")
        self.write_base(f"# {self.seed}")
        self.recipe_path().write_text(self.recipe())
        return told and self.new_picture()

    def base_removed(self):
        # What is gone for the moment changes nothing.
        (self.folder / "base.toml").unlink()
        time.sleep(random.choice([0, 0.05, 0.4]))
        self.write_base("")
        self.recipe_path().write_text(self.recipe())
        return self.new_picture()

    def folder_replaced(self):
        new = self.root / "new"
        new.mkdir()
        (new / "a.toml").write_text(self.recipe())
        (new / "base.toml").write_text((self.folder / "base.toml").read_text())
        old = self.root / f"old-{self.seed}"
        self.folder.rename(old)
        new.rename(self.folder)
        noticed = self.new_picture()
        for file in old.iterdir():
            file.unlink()
        old.rmdir()
        return noticed

    def other_words(self):
        self.words = random.choice(WORDS) + random.choice(["", " in the mist", " of gold", f" number {self.seed}"])
        self.recipe_path().write_text(self.recipe())
        return self.new_picture()

    def state(self):
        """Memory in MB, open files, threads, and MB of the store."""
        process = pathlib.Path("/proc") / str(self.program.pid)
        status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines() if ":\t" in line)
        store = sum(file.stat().st_size for file in (self.root / "store").rglob("*") if file.is_file())
        return int(status["VmRSS"].split()[0]) / 1e3, len(list((process / "fd").iterdir())), int(status["Threads"]), store / 1e6


def main():
    random.seed(1)
    kinds = ["in_place", "renamed_over", "removed_and_made", "in_two_parts", "broken_and_mended", "base_changed", "base_removed",
             "folder_replaced", "other_words"]
    missed = collections.Counter()
    with tempfile.TemporaryDirectory() as root:
        watched = Watched(pathlib.Path(root))
        start = time.monotonic()
        print("| edits | memory, MB | open files | threads | store, MB | seconds an edit |\n| --- | --- | --- | --- | --- | --- |")
        for edit in range(1, EDITS + 1):
            watched.seed = edit
            kind = random.choice(kinds)
            if not getattr(watched, kind)():
                missed[kind] += 1
                print(f"not noticed: edit {edit}, {kind}", file=sys.stderr)
            if watched.program.poll() is not None:
                raise SystemExit(f"it ended with {watched.program.returncode}:\n" + "".join(watched.said[-20:]))
            if edit in (50, 100, 200) or edit % (EDITS // 4) == 0:
                memory, files, threads, store = watched.state()
                rate = (time.monotonic() - start) / edit
                print(f"| {edit} | {memory:.0f} | {files} | {threads} | {store:.1f} | {rate:.2f} |", flush=True)
        watched.program.terminate()
        watched.program.wait()
    print(f"\nNot noticed: {sum(missed.values())} of {EDITS} {dict(missed) or ''}")


main()
