"""Install the locked packages and this project into the environment of the Python that runs this file.

By uv, which needs a third of pip's time; by pip where uv cannot be had or fails. uv does not read pip's configuration,
in which a site says where its packages come from, so that it is handed on. No bytecode is written for packages here:
what is used is compiled once at the end, in one process, and the rest never.
"""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
LOCK, SLURM = TOP / "envs/lock.txt", TOP / "envs/slurm.txt"
INSTALLS = (["-r", str(LOCK)], ["--no-deps", "-r", str(SLURM)], ["--no-deps", "--no-build-isolation", "-e", str(TOP)])
UV = "uv==0.13.9"
"""Not in the lock, since all can be installed without it."""
PIP = [sys.executable, "-m", "pip"]
QUIET = ["--quiet", "--disable-pip-version-check"]
HANDED_ON = {
    "index-url": "--default-index",
    "extra-index-url": "--index",
    "find-links": "--find-links",
    "constraint": "--constraints",
    "trusted-host": "--allow-insecure-host",
}
"""Settings of pip by which it finds packages, and what uv calls them; each may hold several values."""
COMPILED = "from brainpid.cli import whole_parser; whole_parser(); import snakemake.cli"


def main(words: Sequence[str] | None = None) -> int:
    """Install, and give an exit code."""
    parser = argparse.ArgumentParser(description="Install the locked packages and this project.")
    parser.add_argument(
        "--torch-backend",
        default="",
        help="build of torch, as uv calls them: cpu, auto, cu128, ... (default: the lock's)",
    )
    args = parser.parse_args(words)
    if not by_uv(args.torch_backend):
        if args.torch_backend:
            sys.stderr.write(
                f"error: TORCH={args.torch_backend} needs uv, which cannot be had here or failed; leave TORCH out, or "
                "install that build of torch first: https://pytorch.org/get-started/locally\n"
            )
            return 1
        sys.stderr.write("uv cannot be had here or failed; pip installs instead, which takes three times as long\n")
        for what in INSTALLS:
            subprocess.run([*PIP, "install", "--no-compile", *QUIET, *what], check=True)
    subprocess.run([sys.executable, "-c", COMPILED], check=True)
    return 0


def by_uv(torch_backend: str) -> bool:
    """Install by uv; false where it cannot be had, or refuses."""
    if run([*PIP, "install", "--no-compile", *QUIET, UV]):
        return False
    listed = subprocess.run([*PIP, "config", "list"], capture_output=True, text=True, check=True).stdout
    options, environment = from_pip(listed.splitlines())
    # One build of a release counts as good as another, unless it is to be installed anew.
    backend = ["--torch-backend", torch_backend, "--reinstall-package", "torch"] if torch_backend else []
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable, *options]
    lock, *others = INSTALLS
    return not any(run([*command, *what], os.environ | environment) for what in ([*backend, *lock], *others))


def from_pip(listed: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Options and environment of uv that say what pip's configuration says of where packages come from.

    Parameters
    ----------
    listed : iterable of str
        Lines of ``pip config list``; a later one holds over an earlier one.

    Examples
    --------
    >>> from_pip(["global.extra-index-url='file:///a file:///b'", "global.cert='/c.pem'"])[0][2:]
    ['--index', 'file:///a', '--index', 'file:///b']
    """
    settings: dict[str, str] = {}
    for line in listed:
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in ("global", "install", ":env:"):
            settings[key] = str(ast.literal_eval(value))
    # Of all indexes the best version counts, as pip has it.
    options = ["--index-strategy", "unsafe-best-match"]
    for key, option in HANDED_ON.items():
        options += [word for value in settings.get(key, "").split() for word in (option, value)]
    if settings.get("no-index", "").lower() in ("1", "true", "yes", "on"):
        options.append("--no-index")
    return options, {"SSL_CERT_FILE": settings["cert"]} if "cert" in settings else {}


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Exit code of a command."""
    return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
