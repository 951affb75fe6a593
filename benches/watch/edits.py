#!/usr/bin/env python3
"""Edits a watched recipe again and again: how soon the picture changes, and whether anything grows (Linux).

    benches/watch/edits.py PROGRAM [EDITS] [--edit rate|later|prompt] [--model NAME] [--windows N] [--other PROGRAM]

The edit is of the rate, so that everything is done anew; of a later phase alone; or of a prompt, which is a new one each time.
With another program both are measured in turns, edit by edit.
"""
import argparse, statistics, time

from common import Watched, load, workplace

parser = argparse.ArgumentParser()
parser.add_argument("program")
parser.add_argument("edits", nargs="?", type=int, default=50)
parser.add_argument("--edit", choices=["rate", "later", "prompt"], default="rate")
parser.add_argument("--model", default="pocket")
parser.add_argument("--windows", type=int, default=12)
parser.add_argument("--other")
args = parser.parse_args()
PLACES = ["harbour", "garden", "forest", "valley", "river", "desert", "market", "temple", "island", "bridge"]
FIRST = 20


def text(edit):
    rate = 0.05 + edit * 1e-6 if args.edit == "rate" else 0.05
    later = 0.05 + edit * 1e-6 if args.edit == "later" else 0.05
    prompt = f"{PLACES[edit % 10]} and {PLACES[edit // 10 % 10]} number {edit}" if args.edit == "prompt" else "castle"
    return f"""title = "edit {edit:06}"
size = [512, 512]
seed = 4
model = "{args.model}"
[[composition]]
prompts = ["malazan landscape"]
windows = {max(1, args.windows // 3)}
[[detail]]
prompts = ["sword", "{prompt}", "metal armour"]
windows = {args.windows}
[[phase]]
steps = {FIRST}
rate = {rate}
[[phase]]
steps = 100000
rate = {later}
"""


def quantiles(times):
    times = sorted(times)
    return f"median {statistics.median(times):.3f} s, fastest {times[0]:.3f} s, slowest {times[-1]:.3f} s of {len(times)}"


programs = [args.program] + ([args.other] if args.other else [])
with workplace() as (one, environment), workplace() as (two, other_environment):
    places = [(one, environment), (two, other_environment)]
    before = load()
    times, states = {program: [] for program in programs}, {program: [] for program in programs}
    watched = {}
    for program, (folder, environment) in zip(programs, places):
        watched[program] = Watched(program, folder, environment, text(0))
        watched[program].wait("edit 000000")
    for edit in range(1, args.edits + 1):
        for program in programs:
            # The others stand still meanwhile.
            for name, one in watched.items():
                one.process.send_signal(18 if name == program else 19)
            own = watched[program]
            start = time.monotonic()
            own.save(text(edit))
            own.wait(f"edit {edit:06}")
            times[program].append(time.monotonic() - start)
            if edit % max(1, args.edits // 10) == 1:
                states[program].append(own.state())
    for program in programs:
        watched[program].process.send_signal(18)
        states[program].append(watched[program].state())
        watched[program].stop()
        print(f"{program}: save to first changed picture: {quantiles(times[program])}")
        print("  MB, threads, open files:", *states[program])
    print(f"load of the machine before and after: {before:.1f}, {load():.1f}")
