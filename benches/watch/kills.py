#!/usr/bin/env python3
"""Kills a render at random moments, runs it again until it is done, and compares bytes with an undisturbed render.

    benches/watch/kills.py PROGRAM [KILLS]
"""
import os, random, subprocess, sys

from common import workplace

program, kills = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 30
RECIPE = """size = [256, 256]
seed = 4
[[composition]]
prompts = ["malazan landscape"]
[[detail]]
prompts = ["sword", "castle"]
windows = 4
[[phase]]
steps = 60
detail = 0
[[phase]]
steps = 60
"""
with workplace() as (folder, environment):
    (folder / "a.toml").write_text(RECIPE)
    run = lambda *more: subprocess.Popen([program, "a.toml", *more], cwd=folder, env=environment,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    whole = run("--fresh", "-o", "whole.png")
    whole.communicate()
    wanted = (folder / "whole.png").read_bytes()
    done = resumed = wrong = killed = 0
    while killed < kills:
        subprocess.run([program, "cache", "clear", "-q"], env=environment, check=True)
        (folder / "a.png").unlink(missing_ok=True)
        while True:
            render = run()
            try:
                said = render.communicate(timeout=random.uniform(0.2, 3.0))[1]
                break
            except subprocess.TimeoutExpired:
                render.kill()
                render.communicate()
                killed += 1
        done += 1
        resumed += "resuming" in said or "rendered before" in said
        wrong += render.returncode != 0 or (folder / "a.png").read_bytes() != wanted
    print(f"{killed} kills, {done} renders completed, {resumed} of them from a checkpoint, {wrong} wrong")
    sys.exit(wrong > 0)
