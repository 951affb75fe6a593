"""Bring the drawings and pictures made by others into a data folder.

`python fetch.py DATA_FOLDER` leaves there four npm packages (as .tgz, unopened) and DEBIAN_PACKAGES (opened with dpkg):
clip art, WordNet, and the pictures by which networks are made robust. What lies there already is only checked. Where the machine has a Debian package
installed, the installed files are used and nothing is loaded. Needs `npm`; `apt-get` and `dpkg` only for what is not
installed.
"""

import hashlib
import pathlib
import subprocess
import sys
import tempfile

# set name -> (npm package and version, SHA-256 of its tgz); MIT, Apache-2.0, CC BY 4.0, CC BY 3.0
ICON_SETS = {
    "fluent": ("@iconify-json/fluent-emoji@1.2.7", "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b"),
    "noto": ("@iconify-json/noto@1.2.9", "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"),
    "twemoji": ("@iconify-json/twemoji@1.2.5", "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7"),
    "game": ("@iconify-json/game-icons@1.2.4", "f5758efb34d91c4f50b941f355f16ee73938625e5996fabc25171288404460a4"),
}
# Debian package -> the folder of it that is read
DEBIAN_PACKAGES = {
    "openclipart-png": "usr/share/openclipart/png",
    "wordnet-base": "usr/share/wordnet",
    "desktop-base": "usr/share/desktop-base",
    "gnome-backgrounds": "usr/share/backgrounds/gnome",
    "lomiri-wallpapers-16.04": "usr/share/backgrounds",
    "lomiri-wallpapers-20.04": "usr/share/backgrounds",
    "mate-backgrounds": "usr/share/backgrounds/mate",
    "mypaint-data-extras": "usr/share/mypaint/backgrounds",
    "plasma-workspace-wallpapers": "usr/share/wallpapers",
    "python3-skimage": "usr/lib/python3/dist-packages/skimage/data",
    "tuxpaint-stamps-default": "usr/share/tuxpaint/stamps",
    "tuxtype-data": "usr/share/tuxtype",
    "ukui-wallpapers": "usr/share/backgrounds",
    "xfdesktop4-data": "usr/share/backgrounds/xfce",
}
# those that robust.py shows to the networks of photographs: pictures to stand behind things, and things
STAMPS = "tuxpaint-stamps-default"
BACKDROPS = [package for package in DEBIAN_PACKAGES if package not in ("openclipart-png", "wordnet-base", STAMPS)]


def icon_set_path(data, name):
    """Where the tgz of the icon set `name` lies in the data folder: the name that `npm pack` gives it."""
    package, _ = ICON_SETS[name]
    return pathlib.Path(data) / (package.lstrip("@").replace("/", "-").replace("@", "-") + ".tgz")


def debian_folder(data, package):
    """The folder of a Debian package: the opened copy in the data folder, else the installed one, else None."""
    inside = DEBIAN_PACKAGES[package]
    for root in (pathlib.Path(data) / package, pathlib.Path("/")):
        if (root / inside).is_dir():
            return root / inside
    return None


def fetch_icon_set(data, name):
    """Load one npm package if it is missing, and check its SHA-256."""
    package, expected = ICON_SETS[name]
    path = icon_set_path(data, name)
    if not path.exists():
        subprocess.run(["npm", "pack", "--silent", package], cwd=data, check=True)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise SystemExit(f"{path}: SHA-256 is {found}, expected {expected}; delete the file and run again")


def fetch_debian_package(data, package):
    """Load and open one Debian package if it is neither in the data folder nor installed."""
    if debian_folder(data, package):
        return
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
        [archive] = pathlib.Path(folder).glob("*.deb")
        subprocess.run(["dpkg", "-x", str(archive), str(pathlib.Path(data).resolve() / package)], check=True)


def main():
    if len(sys.argv) != 2:
        raise SystemExit("usage: fetch.py DATA_FOLDER")
    data = pathlib.Path(sys.argv[1])
    data.mkdir(parents=True, exist_ok=True)
    for name in ICON_SETS:
        fetch_icon_set(data, name)
        print(f"{name}: {icon_set_path(data, name).name}, checked")
    for package in DEBIAN_PACKAGES:
        fetch_debian_package(data, package)
        print(f"{package}: {debian_folder(data, package)}")


if __name__ == "__main__":
    main()
