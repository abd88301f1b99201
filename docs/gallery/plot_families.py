"""
Families and repeated visits
============================

Members of one family, or visits of one participant, are alike. Where one twin is among the training participants and
the other is held out, a model that knows the pair by its anatomy has learned its age.

**The one thing to learn:** give the column that says which rows belong together, as ``--group`` of ``brainpid pid``
and as ``splits.group`` of a configuration. Without it, features that tell nothing of age seem to tell a lot, with a
p-value below .01.
"""

# %%
# Anatomy that tells whose twin somebody is, and not how old
# ----------------------------------------------------------
# 150 pairs of identical twins. T1 ages. The shape of the skull is nearly the same in both twins, and has nothing to do
# with age.
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
pairs = 150
family = np.repeat(np.arange(pairs), 2)
age = rng.uniform(30, 80, pairs)[family]
t1 = (age[:, None] - 55) / 15 + 2 * rng.standard_normal((len(age), 4))
skull = rng.standard_normal((pairs, 120))[family] + 0.1 * rng.standard_normal((len(age), 120))
table = pd.DataFrame(
    {"participant_id": [f"sub-{i:03d}" for i in range(len(age))], "family_id": family, "age": age}
    | {f"t1_{k}": column for k, column in enumerate(t1.T)}
    | {f"skull_{k}": column for k, column in enumerate(skull.T)}
).round(4)
table.to_csv(folder / "twins.tsv", sep="\t", index=False)

# %%
# With and without the group
# --------------------------
# With it, a family is on one side of every split, is permuted as a whole by the null, and counts as one cluster
# in the standard errors:
#
# .. code-block:: console
#
#    $ brainpid pid twins.tsv --target age --source t1='t1_*' --source skull='skull_*' --group family_id --out pid
#
# Visits of one participant are given as ``--group participant_id``; a table that repeats a participant is refused
# without it. In a configuration it is any column of the participants table:
#
# .. code-block:: yaml
#
#    splits: {group: family_id}


def decompose(out, *options):
    """Added information and its p-value by modality, by `brainpid pid`."""
    command = ["pid", "twins.tsv", "--target", "age", "--source", "t1=t1_*", "--source", "skull=skull_*"]
    command += ["--measure", "idep", "--permutations", "200", "--out", out, *options]
    done = subprocess.run([sys.executable, "-m", "brainpid.cli", *command], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    added = pd.read_csv(folder / out / "pid.tsv", sep="\t").query("scope == 'one_vs_rest' and atom == 'added'")
    found = added.query("ci_low.notna()").set_index("modalities")[["bits", "ci_low", "ci_high"]]
    return found.join(added.query("p_value.notna()").set_index("modalities")["p_value"])


rows_apart = decompose("apart")
rows_together = decompose("together", "--group", "family_id")
print("every twin for itself", rows_apart.round(3), "twins together", rows_together.round(3), sep="\n")

# %%
# The figure
# ----------
figure, axes = plt.subplots(figsize=(6.5, 2.8), layout="constrained")
for shift, (label, colour, found) in enumerate(
    [("every twin for itself", "#D55E00", rows_apart), ("twins together", "#0072B2", rows_together)]
):
    for place, modality in enumerate(("t1", "skull")):
        row = found.loc[modality]
        height = place + 0.25 * shift - 0.125
        axes.plot([row.ci_low, row.ci_high], [height, height], color=colour, linewidth=2)
        axes.plot(row.bits, height, "o", color=colour, label=label if place == 0 else None)
axes.axvline(0, color="black", linewidth=0.8)
axes.set_yticks([0, 1], ["T1 (ages)", "skull (does not)"])
axes.margins(y=0.2)
axes.invert_yaxis()
axes.set_xlabel("added to the other, bits about age (95% interval)")
axes.set_title("Skull seems to tell of age where twins are on both sides", loc="left")
axes.legend(frameon=False)
plt.show()
