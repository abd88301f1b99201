"""Run benchmarks and put their tables into ``benchmarks/RESULTS.md``.

A table stands between ``<!-- NAME -->`` and ``<!-- end of NAME -->``, NAME being a script of this folder and, if it
takes one, its argument. All else in that file is written by hand and stays. Names as arguments run those alone.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "RESULTS.md"
MARKED = r"(<!-- {name} -->\n).*?(<!-- end of {name} -->)"


def main() -> None:
    """Run each named benchmark, or all that have a place in the results."""
    places = re.findall(r"<!-- ((?!end of)[\w ]+) -->", RESULTS.read_text(encoding="utf-8"))
    for name in sys.argv[1:] or places:
        if name not in places:
            sys.exit(f"error: {RESULTS.name} has no place for '{name}'; expected one of {', '.join(places)}")
        script, *arguments = name.split()
        command = [sys.executable, str(FOLDER / f"{script}.py"), *arguments]
        print(f"{name} ...", flush=True)
        table = subprocess.run(command, cwd=FOLDER.parent, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        if "skipped" in table:
            print(table)
            continue
        text = RESULTS.read_text(encoding="utf-8")
        new = re.sub(MARKED.format(name=name), lambda found: f"{found[1]}{table}\n{found[2]}", text, flags=re.DOTALL)  # noqa: B023
        RESULTS.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
