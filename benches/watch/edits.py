#!/usr/bin/env python3
"""Edits a watched recipe again and again: how soon the picture changes, and whether anything grows (Linux).

    benches/watch/edits.py PROGRAM [EDITS]
"""
import os, pathlib, statistics, subprocess, sys, tempfile, time

program, edits = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 50
RECIPE = """size = [512, 512]
seed = 4
[[composition]]
prompts = ["malazan landscape"]
windows = 4
[[detail]]
prompts = ["sword", "castle", "metal armour"]
windows = 12
[[phase]]
steps = 100000
rate = %s
"""
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    recipe, picture = folder / "a.toml", folder / "a.png"
    recipe.write_text(RECIPE % 0.05)
    environment = dict(os.environ, RECIPE_RENDER_STORE=str(folder / "store"))
    watch = subprocess.Popen([program, "a.toml", "--watch"], cwd=folder, env=environment,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def holds(text):
        """The picture of this very text is there: its title is not compressed."""
        try:
            return text in picture.read_bytes()
        except FileNotFoundError:
            return False

    def state():
        status = pathlib.Path(f"/proc/{watch.pid}/status").read_text().splitlines()
        field = lambda name: int(next(line for line in status if line.startswith(name)).split()[1])
        return field("VmRSS") // 1024, field("Threads"), len(os.listdir(f"/proc/{watch.pid}/fd"))

    times, states = [], []
    while not picture.exists():
        time.sleep(0.05)
    for edit in range(edits):
        title = f"edit {edit:06}"
        new = folder / "new"
        new.write_text(f'title = "{title}"\n' + RECIPE % (0.05 + edit * 1e-6))
        start = time.monotonic()
        os.rename(new, recipe)
        while not holds(title.encode()):
            time.sleep(0.002)
            assert time.monotonic() - start < 60, "the edit never came"
        times.append(time.monotonic() - start)
        if edit % max(1, edits // 10) == 0:
            states.append(state())
    states.append(state())
    watch.terminate()
    watch.wait()
    times.sort()
    print(f"save to first changed frame: median {statistics.median(times):.3f} s, of {edits} the slowest {times[-1]:.3f} s")
    print("MB, threads, open files:", *states)
