#!/usr/bin/env python3
"""Does to renders what machines do to them, counts how they end, and prints the table of docs/reliability.md.

    benches/reliability/faults.py PROGRAM [FAULT...]

A fault is tried several times, each in a folder of its own, with a picture there already. A render ends well in one of two ways: it
goes on and the picture is the one that it makes undisturbed, to the byte; or it ends with exit code 1 (2 where what the recipe names cannot be
read from the start), a message that
begins with `error:`, and the picture that was there before. Anything else is told and counted as wrong. Linux; disks that are full or
turn read-only are small tmpfs, which only root may mount: without it these faults are left out, aloud.
"""
import contextlib, glob, os, pathlib, random, re, resource, shutil, signal, subprocess, sys, tempfile, time

PROGRAM = os.path.abspath(sys.argv[1])
ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "pocket"
STEPS = 40
RECIPE = f"""size = [96, 96]
seed = 4
[[composition]]
prompts = ["castle"]
windows = 1
[render]
steps = {STEPS}
"""
FAULTS = {}


class Skipped(Exception):
    pass


def fault(times, title):
    """Registers a fault: a function of a Place that gives what is wrong, or None."""
    def register(function):
        FAULTS[function.__name__] = (times, title, function)
        return function
    return register


class Place:
    """A folder with a recipe and an older picture, and the environment of a program that keeps everything in it."""

    def __init__(self, folder):
        self.folder, self.out = folder, folder / "out"
        self.out.mkdir()
        (folder / "a.toml").write_text(RECIPE)
        self.environment = dict(os.environ, RECIPE_RENDER_STORE=str(folder / "store"))

    def start(self, *more, recipe="a.toml", limits=None, under=()):
        return subprocess.Popen([*under, PROGRAM, recipe, "-o", "out/a.png", "--every", "1", *more], cwd=self.folder, env=self.environment,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=limits)

    def put_old(self, wanted):
        self.old = wanted["old"]
        (self.out / "a.png").write_bytes(self.old)

    def rendering(self):
        """A render of which some steps are done: it writes a snapshot after each."""
        render = self.start()
        wanted, deadline = random.randint(1, STEPS // 2), time.monotonic() + 120
        while time.monotonic() < deadline and render.poll() is None and len(list(self.out.iterdir())) <= wanted:
            time.sleep(0.002)
        if render.poll() is not None:
            raise SystemExit(f"it ended before anything was done to it: {render.communicate()[1]}")
        return render

    def failing(self, calls, error, when):
        """A render in which system calls fail, as strace's `inject` says it."""
        if shutil.which("strace") is None:
            raise Skipped("there is no strace")
        inject = f"inject={calls}:error={error}:when={when}"
        return self.start(under=["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={calls}", "-e", inject])

    def judge(self, render, wanted, may_go_on=True, codes=(1,)):
        """Waits for its end; what is wrong with that."""
        said = render.communicate(timeout=300)[1]
        picture = self.out / "a.png"
        if "panicked" in said:
            return f"a panic: {said.strip().splitlines()[0]}"
        if render.returncode == 0 and may_go_on:
            if not picture.exists():
                return f"no picture, and exit code 0: {said.strip()[-200:]}"
            return None if picture.read_bytes() == wanted["whole"] else "another picture"
        if render.returncode not in codes:
            return f"exit code {render.returncode}: {said.strip()[-200:]}"
        if render.returncode < 128 and "error:" not in said:
            return f"no message: {said.strip()[-200:]}"
        return self.is_whole(picture)

    def is_whole(self, picture):
        """What is wrong with a picture that should be an old or a new one, but whole."""
        try:
            content = picture.read_bytes()
        except OSError:
            return None
        return None if content == self.old or content.endswith(b"IEND\xaeB`\x82") else "a picture is half written"

    def strays(self):
        return [str(path) for path in self.out.iterdir() if path.name.endswith(".tmp")]


@contextlib.contextmanager
def tmpfs(folder, size):
    folder.mkdir(exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", folder], capture_output=True).returncode:
        raise Skipped("no tmpfs can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


@fault(60, "killed (SIGKILL) at a random moment, then run again")
def killed(place, wanted):
    render = place.start()
    time.sleep(random.uniform(0, 1.5))
    render.kill()
    render.communicate()
    return place.is_whole(place.out / "a.png") or place.judge(place.start(), wanted)


@fault(12, "SIGTERM, SIGHUP or SIGINT while it renders")
def signalled(place, wanted):
    render = place.rendering()
    render.send_signal(random.choice([signal.SIGTERM, signal.SIGHUP, signal.SIGINT]))
    return place.judge(render, wanted, codes=(130,)) or (place.strays() and f"left: {place.strays()}") or None


@fault(6, "stopped (SIGSTOP), and continued after a second")
def stopped(place, wanted):
    render = place.rendering()
    render.send_signal(signal.SIGSTOP)
    time.sleep(1)
    render.send_signal(signal.SIGCONT)
    return place.judge(render, wanted)


@fault(12, "the disk of the pictures full, at another byte each time")
def full(place, wanted):
    place.environment["TMPDIR"] = str(place.out)
    with tmpfs(place.out, random.choice([8, 12, 16, 24, 32, 40])):
        try:
            place.put_old(wanted)
        except OSError:
            place.old = b""
            (place.out / "a.png").unlink()
        return place.judge(place.start(), wanted) or (place.strays() and f"left: {place.strays()}") or None


@fault(6, "the disk of the checkpoints full")
def full_store(place, wanted):
    with tmpfs(place.folder / "store", random.choice([4, 16, 64, 128])):
        return place.judge(place.start(), wanted)


@fault(4, "the disk of the pictures turned read-only while it renders")
def read_only(place, wanted):
    with tmpfs(place.out, 4096):
        place.put_old(wanted)
        render = place.rendering()
        # It is refused while a file is being written.
        while subprocess.run(["mount", "-o", "remount,ro", place.out], capture_output=True).returncode and render.poll() is None:
            pass
        return place.judge(render, wanted)


@fault(6, "the pictures' folder removed while it renders")
def removed(place, wanted):
    render = place.rendering()
    shutil.rmtree(place.out, ignore_errors=True)
    return place.judge(render, wanted)


@fault(6, "the pictures' folder replaced by a file while it renders")
def replaced_by_file(place, wanted):
    render = place.rendering()
    place.out.rename(place.folder / "gone")
    place.out.write_text("mine")
    wrong = place.judge(render, wanted, may_go_on=False)
    return wrong or (None if place.out.read_text() == "mine" else "the file was overwritten")


@fault(6, "the pictures' folder replaced by a link to another folder while it renders")
def replaced_by_link(place, wanted):
    render = place.rendering()
    elsewhere = place.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("mine")
    place.out.rename(place.folder / "gone")
    place.out.symlink_to(elsewhere)
    wrong = place.judge(render, wanted)
    return wrong or (None if (elsewhere / "mine").read_text() == "mine" else "a file of another folder was touched")


def own_model(place):
    """A model folder of its own, which the recipe names."""
    folder = place.folder / "model"
    shutil.copytree(MODEL, folder, ignore=shutil.ignore_patterns("training", "src"))
    (place.folder / "a.toml").write_text('model = "./model"\n' + RECIPE)
    return folder


@fault(4, "the model's files replaced while it renders")
def model_replaced(place, wanted):
    model = own_model(place)
    render = place.rendering()
    for name in ("image.onnx", "text.onnx", "lite0/lite0.weights"):
        fresh = model / "fresh"
        fresh.write_bytes(b"other")
        fresh.rename(model / name)
    return place.judge(render, dict(wanted, whole=wanted["with model"]))


@fault(4, "the model's files cut short in place while it renders")
def model_truncated(place, wanted):
    model = own_model(place)
    render = place.rendering()
    for name in ("image.onnx", "text.onnx", "lite0/lite0.weights", "lite2/lite2.weights"):
        os.truncate(model / name, 100)
    return place.judge(render, dict(wanted, whole=wanted["with model"]))


@fault(6, "the model's files cut short before it starts, at another byte each time")
def model_short(place, wanted):
    model = own_model(place)
    file = model / random.choice(["image.onnx", "text.onnx", "lite0/lite0.weights", "tokenizer.json", "names.txt"])
    os.truncate(file, random.randrange(file.stat().st_size))
    return place.judge(place.start(), dict(wanted, whole=wanted["with model"]), codes=(1, 2))


@fault(4, "the model's folder removed while it renders")
def model_removed(place, wanted):
    model = own_model(place)
    render = place.rendering()
    shutil.rmtree(model)
    return place.judge(render, dict(wanted, whole=wanted["with model"]))


@fault(6, "too little memory (ulimit -v)")
def little_memory(place, wanted):
    bytes_ = random.randrange(200, 900) << 20
    return place.judge(place.start(limits=lambda: resource.setrlimit(resource.RLIMIT_AS, (bytes_, bytes_))), wanted)


@fault(16, "too little memory (a control group)")
def little_group(place, wanted):
    limit = str(random.randrange(160, 600) << 20)
    first, second = pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")
    root, file = (first, "memory.limit_in_bytes") if first.is_dir() else (second, "memory.max")
    group = root / f"recipe-render-{os.getpid()}"
    try:
        group.mkdir()
        (group / file).write_text(limit)
    except OSError as error:
        raise Skipped(f"no control group can be made: {error}") from None
    try:
        return place.judge(place.start(limits=lambda: (group / "cgroup.procs").write_text(str(os.getpid()))), wanted)
    finally:
        group.rmdir()


@fault(40, "a single write fails: disk full, or an error (strace)")
def single_write(place, wanted):
    calls = "write,pwrite64,writev,copy_file_range,sendfile"
    return place.judge(place.failing(calls, random.choice(["ENOSPC", "EIO"]), random.randint(1, 300)), wanted)


@fault(24, "the disk returns errors: of `fsync`, renaming, making folders, reading folders, once or from then on (strace)")
def disk_errors(place, wanted):
    calls = random.choice(["fsync,fdatasync", "rename,renameat,renameat2", "mkdir,mkdirat", "getdents64", "ftruncate", "flock"])
    when = f"{random.randint(1, 30)}{random.choice(['', '+'])}"
    return place.judge(place.failing(calls, "EIO", when), wanted)


@fault(6, "the clock jumps, by minutes to years, there and back (libfaketime)")
def clock(place, wanted):
    [library, *_] = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") or [None]
    if library is None:
        raise Skipped("there is no libfaketime")
    now = place.folder / "now"
    now.write_text("+0")
    place.environment.update(LD_PRELOAD=library, FAKETIME_TIMESTAMP_FILE=str(now), FAKETIME_NO_CACHE="1", DONT_FAKE_MONOTONIC="1")
    render = place.rendering()
    while render.poll() is None:
        now.write_text(random.choice(["+0", "-3m", "+400d", "-9000d", "+20000d"]))
        time.sleep(0.05)
    return place.judge(render, wanted)


def own_library(place):
    """A copy of the onnxruntime that the program finds."""
    said = subprocess.run([PROGRAM, "runtime"], env=place.environment, capture_output=True, text=True).stdout
    found = re.search(r"\S*libonnxruntime\.so\S*", said)
    if found is None:
        raise Skipped("no onnxruntime was found")
    library = place.folder / "libonnxruntime.so"
    shutil.copy(found[0], library)
    place.environment["ORT_DYLIB_PATH"] = str(library)
    return library


@fault(4, "onnxruntime's library removed while it renders")
def library_removed(place, wanted):
    library = own_library(place)
    render = place.rendering()
    library.unlink()
    return place.judge(render, wanted)


@fault(6, "onnxruntime's library damaged before it starts, behind whole headers")
def library_damaged(place, wanted):
    library = own_library(place)
    size = library.stat().st_size
    with open(library, "r+b") as file:
        file.seek(random.randrange(size // 10, size))
        file.write(bytes(1 << 20))
    # Another that serves is taken in its place, if there is one.
    return place.judge(place.start(), wanted)


@fault(6, "four programs import a model under one name, and one is killed")
def imports_at_once(place, wanted):
    place.environment["XDG_DATA_HOME"] = str(place.folder / "data")
    files = [word for kind, name in (("--image", "image.onnx"), ("--text", "text.onnx"), ("--tokenizer", "tokenizer.json"))
             for word in (kind, str(MODEL / name))]
    command = [PROGRAM, "models", "import", *files, "--mean", "0", "--deviation", "1", "--context", "0", "--name", "m", "--force"]
    imports = [subprocess.Popen(command, env=place.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
               for _ in range(4)]
    time.sleep(random.uniform(0, 1.5))
    imports[0].kill()
    said = [program.communicate()[1] for program in imports]
    for program, words in zip(imports[1:], said[1:]):
        if program.returncode not in (0, 1) or program.returncode and "error:" not in words:
            return f"exit code {program.returncode}: {words.strip()[-200:]}"
    if not any(program.returncode == 0 for program in imports[1:]):
        return f"none was imported: {said[1].strip()[-200:]}"
    check = subprocess.run([PROGRAM, "models", "check", "m"], env=place.environment, capture_output=True, text=True)
    return None if check.returncode == 0 else f"what was imported is wrong: {(check.stdout + check.stderr).strip()[-200:]}"


@fault(4, "four programs install onnxruntime into one cache, and one of them is killed; then a render")
def installs_at_once(place, wanted):
    place.environment.update(RECIPE_RENDER_CACHE=str(place.folder / "cache"), ORT_DYLIB_PATH="")
    installs = []
    for _ in range(4):
        # Each with what it starts, for pip is a process of its own.
        installs.append(subprocess.Popen([PROGRAM, "runtime", "install"], env=place.environment, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.PIPE, text=True, start_new_session=True))
    time.sleep(random.uniform(0, 6))
    os.killpg(random.choice(installs).pid, signal.SIGKILL)
    said = [program.communicate()[1] for program in installs]
    wrong = [words.strip()[-200:] for program, words in zip(installs, said) if program.returncode not in (0, -signal.SIGKILL)]
    if any("cannot be reached" in words or "No matching distribution" in words for words in wrong):
        raise Skipped("no registry can be reached")
    return f"not installed: {wrong[0]}" if wrong else place.judge(place.start(), wanted)


@fault(6, "two programs render the same, and a third clears the cache")
def at_once(place, wanted):
    first, second = place.start(), place.start()
    for _ in range(20):
        subprocess.run([PROGRAM, "cache", "clear", "-q"], env=place.environment, check=True)
        time.sleep(0.05)
    return place.judge(first, wanted) or place.judge(second, wanted)


def undisturbed():
    """What is made without faults: an older picture, the picture, and that of a recipe that names a model folder."""
    wanted = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Place(pathlib.Path(folder))
        place.old = b""
        for name, more in (("old", ["--seed", "9"]), ("whole", [])):
            said = (render := place.start(*more)).communicate()[1]
            if render.returncode:
                raise SystemExit(said)
            wanted[name] = (place.out / "a.png").read_bytes()
        own_model(place)
        place.start().communicate()
        wanted["with model"] = (place.out / "a.png").read_bytes()
    return wanted


def main():
    random.seed(1)
    wanted = undisturbed()
    print("| what is done | times | ended well | wrong |\n| --- | --- | --- | --- |", flush=True)
    sum_wrong = 0
    for name in sys.argv[2:] or FAULTS:
        times, title, inject = FAULTS[name]
        wrongs = []
        for _ in range(times):
            with tempfile.TemporaryDirectory() as folder:
                place = Place(pathlib.Path(folder))
                place.put_old(wanted)
                try:
                    wrong = inject(place, wanted)
                except Skipped as skipped:
                    print(f"SKIPPED {title}: {skipped}", file=sys.stderr)
                    break
                if wrong:
                    wrongs.append(wrong)
        else:
            print(f"| {title} | {times} | {times - len(wrongs)} | {'; '.join(sorted(set(wrongs))) or 'none'} |", flush=True)
            sum_wrong += len(wrongs)
    sys.exit(sum_wrong > 0)


main()
