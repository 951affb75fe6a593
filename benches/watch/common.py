"""What the scripts of this folder share: a folder to work in with a store of its own, and a program that watches in it (Linux)."""
import contextlib, os, pathlib, subprocess, tempfile, time

TICK = os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def workplace():
    """A temporary folder, and the environment in which checkpoints are kept there."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        yield folder, dict(os.environ, RECIPE_RENDER_STORE=str(folder / "store"))


class Watched:
    """A recipe in a folder, or further down in it, and a program that watches it from there."""

    def __init__(self, program, folder, environment, text, *more, recipe="a.toml"):
        self.folder, self.recipe, self.picture = folder, folder / recipe, folder / "a.png"
        self.recipe.write_text(text)
        self.process = subprocess.Popen([os.path.abspath(program), recipe, "--watch", *more], cwd=folder, env=environment,
                                        stdout=subprocess.DEVNULL, stderr=open(folder / "log.txt", "w"))

    def save(self, text):
        """Saves the recipe as careful editors do: it appears whole."""
        new = self.folder / "new"
        new.write_text(text)
        os.rename(new, self.recipe)

    def holds(self, title):
        """The picture of the recipe with this title is there: a title is not compressed."""
        try:
            return title.encode() in self.picture.read_bytes()
        except FileNotFoundError:
            return False

    def wait(self, title, limit=120):
        """Seconds until that picture is there."""
        start = time.monotonic()
        while not self.holds(title):
            time.sleep(0.002)
            assert time.monotonic() - start < limit, "the edit never came; at last:\n" + self.log()[-2000:]
            assert self.process.poll() is None, "the program has ended"
        return time.monotonic() - start

    def log(self):
        """What the program has told. It is a file: a pipe that nobody reads is full after some hundred edits, and the program waits."""
        return (self.folder / "log.txt").read_text()

    def state(self):
        """Resident MB, threads, open files."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        field = lambda name: int(next(line for line in status if line.startswith(name)).split()[1])
        return field("VmRSS") // 1024, field("Threads"), len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def processor(self):
        """Seconds of processor time of all threads so far."""
        return processor(self.process.pid)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def processor(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def load():
    """The machine's load over the last minute."""
    return os.getloadavg()[0]
