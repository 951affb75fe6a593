#!/usr/bin/env python3
"""A day of watching in fast motion: edits of every kind, one after another, while a recipe is watched and its page is served (Linux).

    benches/watch/day.py PROGRAM [EDITS]

The recipe's title changes with each edit, so that a picture tells which edit it is of. An edit is noticed if the picture, and the message
that it should bring before, comes within ten seconds. Printed are edits that were not noticed, and memory, threads, open files and the store's
size as the edits go on.
"""
import collections, random, shutil, sys, time

from common import Watched, workplace

PROGRAM, EDITS = sys.argv[1], int((sys.argv[2:] or ["2000"])[0])
PATIENCE = 10
WORDS = ["castle", "owl", "sea", "dragon", "a knight in armour", "stairs in a dungeon", "lighthouse at night", "robots", "a red rose", "skull"]
BASE = "size = [64, 64]\n[render]\nsteps = 2\n"


def pause():
    time.sleep(random.choice([0, 0.05, 0.4]))


class Day:
    """A recipe that builds on another, both in a folder `work`, and the program that watches it from above."""

    def __init__(self, folder, environment):
        self.work, self.number, self.words = folder / "work", 0, WORDS[0]
        self.work.mkdir()
        (self.work / "base.toml").write_text(BASE)
        self.watched = Watched(PROGRAM, folder, environment, self.recipe(), "--serve", recipe="work/a.toml")
        self.watched.wait(self.title())

    def title(self):
        return f"edit {self.number:06}"

    def recipe(self):
        text = f'extends = "base.toml"\ntitle = "{self.title()}"\nseed = {self.number}\n'
        return text + f'[[composition]]\nprompts = ["{self.words}"]\nwindows = 1\n'

    def write(self):
        self.watched.recipe.write_text(self.recipe())

    def comes(self, there):
        """Whether something is there soon."""
        end = time.monotonic() + PATIENCE
        while not (found := there()) and time.monotonic() < end and self.watched.process.poll() is None:
            time.sleep(0.005)
        return found

    def is_noticed(self, edit):
        """Makes an edit; whether the picture comes, and before it the words that the edit says will be told."""
        before = len(self.watched.log())
        told = edit(self)
        if told is not None:
            if not self.comes(lambda: told in self.watched.log()[before:]):
                return False
            (self.work / "base.toml").write_text(BASE)
            self.write()
        return self.comes(lambda: self.watched.holds(self.title()))


# Edits. One that breaks something gives a word of the message that this brings; it is mended then.

def in_place(day):
    day.write()


def renamed_over(day):
    day.watched.save(day.recipe())


def removed_and_made(day):
    day.watched.recipe.unlink()
    pause()
    day.write()


def in_two_parts(day):
    text = day.recipe()
    with open(day.watched.recipe, "w") as file:
        file.write(text[:40])
        file.flush()
        pause()
        file.write(text[40:])


def broken(day):
    day.watched.recipe.write_text(day.recipe().replace("windows = 1", "widows = 1"))
    return "widows"


def base_broken(day):
    (day.work / "base.toml").write_text("colour = 1\n" + BASE)
    return "colour"


def base_removed(day):
    # What is gone for the moment changes nothing.
    (day.work / "base.toml").unlink()
    pause()
    (day.work / "base.toml").write_text(BASE)
    day.write()


def folder_replaced(day):
    new, old = day.work.with_name("new"), day.work.with_name("old")
    new.mkdir()
    (new / "a.toml").write_text(day.recipe())
    (new / "base.toml").write_text(BASE)
    shutil.rmtree(old, ignore_errors=True)
    day.work.rename(old)
    new.rename(day.work)


def other_words(day):
    day.words = random.choice(WORDS) + random.choice(["", " in the mist", " of gold", f" number {day.number}"])
    day.write()


KINDS = [in_place, renamed_over, removed_and_made, in_two_parts, broken, base_broken, base_removed, folder_replaced, other_words]


def main():
    random.seed(1)
    missed = collections.Counter()
    with workplace() as (folder, environment):
        day = Day(folder, dict(environment, RECIPE_RENDER_STORE_LIMIT="20MB"))
        start = time.monotonic()
        print("| edits | memory, MB | threads | open files | store, MB | seconds an edit |\n| --- | --- | --- | --- | --- | --- |")
        for day.number in range(1, EDITS + 1):
            edit = random.choice(KINDS)
            if not day.is_noticed(edit):
                missed[edit.__name__] += 1
                print(f"not noticed: edit {day.number}, {edit.__name__}", file=sys.stderr)
            if day.watched.process.poll() is not None:
                raise SystemExit(f"it ended with {day.watched.process.returncode}:\n{day.watched.log()[-2000:]}")
            if day.number in (50, 100, 200) or day.number % max(1, EDITS // 4) == 0:
                store = sum(file.stat().st_size for file in (folder / "store").rglob("*") if file.is_file()) / 1e6
                rate = (time.monotonic() - start) / day.number
                print("|", day.number, *(f"| {value}" for value in day.watched.state()), f"| {store:.1f} | {rate:.2f} |", flush=True)
        day.watched.stop()
    print(f"\nNot noticed: {sum(missed.values())} of {EDITS} {dict(missed) or ''}")


main()
