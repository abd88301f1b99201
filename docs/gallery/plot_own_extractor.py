"""
Extract features with a function of your own
============================================

Files that no reader of ``brainpid`` knows, such as those of a tool of your own, become a modality by a Python function
that reads one participant's files. The workflow finds the files, calls the function in parallel, keeps every
participant's result, and reports who failed and why.

**The one thing to learn:** a source of kind ``import`` names the function, the files and its options. What the function
raises for one participant is that participant's FAIL, with the words of the error; all others are extracted.
"""

# %%
# A tool's output
# ---------------
# Sulcal depth, one text file a hemisphere and participant, and T1 features as a table. One participant has no file, and
# the file of another is cut off.
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
rng = np.random.default_rng(0)
n = 100
labels = [f"sub-{i:03d}" for i in range(n)]
age = rng.uniform(20, 80, n).round(1)
pd.DataFrame({"participant_id": labels, "age": age}).to_csv(folder / "participants.tsv", sep="\t", index=False)
t1 = pd.DataFrame(((age[:, None] - 50) / 17 + 2 * rng.standard_normal((n, 5))).round(4))
t1.columns = [f"t1_{k}" for k in range(5)]
t1.insert(0, "participant_id", labels)
t1.to_csv(folder / "t1.tsv", sep="\t", index=False)
for i, label in enumerate(labels):
    place = folder / "sulci" / label / "surf"
    place.mkdir(parents=True)
    for side in ("lh", "rh"):
        depth = 14 - 0.05 * age[i] + 0.8 * rng.standard_normal() + 3 * rng.standard_normal(200)
        if i != 7:
            np.savetxt(place / f"{side}.depth.txt", depth, fmt="%.3f")
(folder / "sulci" / labels[3] / "surf" / "lh.depth.txt").write_text("12.1\n11.")

# %%
# The function
# ------------
# It takes the paths of one participant's files by name, and options of the configuration as keywords. It gives numbers
# by feature, the same features for everybody, each with its unit. It stands in a file beside the configuration, or in
# an installed package.
FUNCTION = '''
import numpy as np

from brainpid.core.errors import ImageError
from brainpid.imaging.extracted import Extracted


def depth(files, deep):
    """Mean depth of each hemisphere, and the part of it that is deep."""
    values = {}
    for side in ("lh", "rh"):
        vertices = np.loadtxt(files[side])
        if len(vertices) < 100:
            raise ImageError(f"{files[side]}: {len(vertices)} vertices, expected 100 or more")
        values[f"depth_{side}"] = vertices.mean()
        values[f"deep_{side}"] = np.mean(vertices > deep)
    units = {name: "mm" if name.startswith("depth") else "1" for name in values}
    return Extracted(values, units)
'''
(folder / "my_features.py").write_text(FUNCTION)

# %%
# The configuration
# -----------------
CONFIG = """
output_dir: results
modalities: [t1, sulci]
cohorts:
  study:
    participants: participants.tsv
    sources:
      t1: {kind: table, path: t1.tsv}
      sulci:
        kind: import
        path: sulci
        files: {lh: surf/lh.depth.txt, rh: surf/rh.depth.txt}
        function: my_features.depth
        options: {deep: 12.0}
shards: 1
models: [ridge]
splits: {folds: 5, repeats: 1}
folds_per_job: 5
null: {permutations: 0}
explain: {permutations: 0}
final_model: false
"""
(folder / "study.yaml").write_text(CONFIG)
command = [sys.executable, "-m", "brainpid.cli", "run", "study.yaml", "--cores", "1"]
done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
assert done.returncode == 0, done.stderr

# %%
# Who failed, and why
# -------------------
# Both take part all the same, by their T1. An edit of the function extracts everybody anew; a file that changes, that
# participant alone.
people = pd.read_csv(folder / "results/participants.tsv", sep="\t")
for row in people[people["sulci_status"] != "SUCCESS"].itertuples():
    print(f"{row.participant_id} {row.sulci_status}: {row.sulci_reason}")

# %%
# The figure
# ----------
pid = pd.read_csv(folder / "results/aggregate/pid.tsv", sep="\t", keep_default_na=False, na_values="n/a")
rows = pid.query("estimator == 'log_score' and given == '' and measure == 'idep' and scope == 'one_vs_rest'")
figure, axes = plt.subplots(figsize=(6.5, 2.4), layout="constrained")
for shift, (atom, colour) in enumerate((("alone", "#999999"), ("added", "#0072B2"))):
    own = rows[rows["atom"] == atom].set_index("modalities").loc[["t1", "sulci"]]
    error = np.abs(own[["ci_low", "ci_high"]].T.to_numpy() - own["bits"].to_numpy())
    axes.errorbar(own["bits"], np.arange(2) + 0.2 * shift - 0.1, xerr=error, fmt="o", color=colour, label=atom)
axes.axvline(0, color="black", linewidth=0.8)
axes.set_yticks([0, 1], ["T1", "sulcal depth"])
axes.margins(y=0.2)
axes.invert_yaxis()
axes.set(xlabel="information about age, bits (95% interval)", title="Sulcal depth adds to T1")
axes.legend(frameon=False)
plt.show()
