#!/usr/bin/env python3
"""What checkpoints and a live page cost a render: windows a second, and processor time a window, in turns (Linux).

    benches/watch/page.py PROGRAM [ROUNDS] [STEPS]

In each round a recipe is rendered without a store, with one, with one and a page served but not looked at, and with a page that
takes every picture and every event it can. Ratios are to the render with a store of the same round. Where other programs run, the
processor time says more than windows a second.
"""
import http.client, json, os, resource, statistics, subprocess, sys, threading

from common import load, workplace

program, rounds, steps = os.path.abspath(sys.argv[1]), int((sys.argv[2:] or ["5"])[0]), int((sys.argv[3:] or ["100"])[0])
RECIPE = f"""size = [512, 512]
seed = 4
[[composition]]
prompts = ["malazan landscape"]
windows = 4
[[detail]]
prompts = ["sword", "castle", "metal armour"]
windows = 12
[[phase]]
steps = {steps}
"""
KINDS = ["no store", "store", "served", "watched"]
pictures = []


def watch(address):
    """A page: takes events and pictures until the program ends."""
    def take(path, number):
        try:
            while True:
                connection = http.client.HTTPConnection(address)
                connection.request("GET", path % number)
                answer = connection.getresponse()
                answer.read()
                number = int(answer.headers.get("Picture-Number") or number)
                if answer.status == 200:
                    pictures[-1] += 1
        except (OSError, http.client.HTTPException):
            return

    for path in ["/frame?after=%d", "/views?after=%d", "/events?%d"]:
        threading.Thread(target=take, args=(path, 0), daemon=True).start()


def render(kind, folder, environment):
    more = ["--serve"] if kind in ("served", "watched") else []
    environment = dict(environment, RECIPE_RENDER_STORE_LIMIT="0") if kind == "no store" else environment
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    child = subprocess.Popen([program, "a.toml", "--quiet", "--fresh", "--timings", "t.json", *more], cwd=folder,
                             env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if more:
        address = child.stderr.readline().split("http://")[1].strip().rstrip("/")
        if kind == "watched":
            pictures.append(0)
            watch(address)
    said = child.communicate()[1]
    assert child.returncode == 0, said
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    timings = json.loads((folder / "t.json").read_text())
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return timings["windows_per_second"], 1000 * processor / timings["windows"]


with workplace() as (folder, environment):
    (folder / "a.toml").write_text(RECIPE)
    before = load()
    ratios = {kind: ([], []) for kind in KINDS}
    for turn in range(rounds):
        # Nobody is always first.
        order = KINDS[turn % 4:] + KINDS[:turn % 4]
        got = {kind: render(kind, folder, environment) for kind in order}
        for kind in KINDS:
            for mine, own, base in zip(ratios[kind], got[kind], got["store"]):
                mine.append(own / base)
        print(turn + 1, *(f"{kind}: {got[kind][0]:.0f}/s {got[kind][1]:.3f} ms;" for kind in KINDS), flush=True)
    for kind in KINDS:
        speed, cost = (statistics.median(ratio) for ratio in ratios[kind])
        print(f"{kind}: windows a second {speed:.3f}, processor time a window {cost:.3f} (median ratios)")
    print("pictures and strips that the page got:", *pictures)
    print(f"load of the machine before and after: {before:.1f}, {load():.1f}")
