"""
Decompose any table
===================

What do two groups of columns tell about a third, each alone, both, and one beyond the other? Any table with one line a
participant will do: here a memory score, blood markers and MRI volumes, made so that the truth is known.

**The one thing to learn:** read *added* (what a source tells beyond all others), not *alone*. Blood tells something
about memory, but nothing that MRI does not tell as well.
"""

# %%
# A table with known truth
# ------------------------
# MRI sees a factor that bears on memory. Blood is a noisy copy of what MRI shows, and of nothing else.
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
n = 400
factor = rng.standard_normal(n)
table = pd.DataFrame({"participant_id": [f"sub-{i:03d}" for i in range(n)]})
table["memory"] = (0.8 * factor + 0.6 * rng.standard_normal(n)).round(3)
for k in range(6):
    table[f"mri_{k}"] = (factor + rng.standard_normal(n)).round(3)
shown = table.filter(like="mri_").mean(axis=1)
for k in range(4):
    table[f"blood_{k}"] = (shown + 1.5 * rng.standard_normal(n)).round(3)
table.to_csv(folder / "people.tsv", sep="\t", index=False)
table.iloc[:3, :5]

# %%
# One command
# -----------
# In a terminal it is
#
# .. code-block:: console
#
#    $ brainpid pid people.tsv --target memory --source mri='mri_*' --source blood='blood_*' --measure idep --out pid
#
# An encoder (ridge) is fitted to each source on nine tenths of the people and read on the others, so that many columns
# promise no more than they hold. The null fits it anew to 1000 permutations.
command = ["pid", "people.tsv", "--target", "memory", "--source", "mri=mri_*", "--source", "blood=blood_*"]
command += ["--measure", "idep", "--out", "pid"]
done = subprocess.run([sys.executable, "-m", "brainpid.cli", *command], cwd=folder, capture_output=True, text=True)
assert done.returncode == 0, done.stderr

# %%
# The answer is a table
# ---------------------
# *Total* and *added* have a second row, of the null, with a p-value in the place of the interval.
found = pd.read_csv(folder / "pid" / "pid.tsv", sep="\t")
rows = found.query("scope == 'one_vs_rest' and atom in ['alone', 'added'] and ci_low.notna()")
p_values = found.query("atom == 'added' and p_value.notna()").set_index("modalities")["p_value"]
print(rows[["modalities", "atom", "bits", "ci_low", "ci_high"]].round(3).to_string(index=False))
print(p_values.round(3).to_string())

# %%
# The figure
# ----------
labels = [f"{row.modalities.replace('mri', 'MRI')} {row.atom}" for row in rows.itertuples()]
colours = ["#0072B2" if row.ci_low > 0 else "#999999" for row in rows.itertuples()]
figure, axes = plt.subplots(figsize=(6.5, 2.6), layout="constrained")
for place, (row, colour) in enumerate(zip(rows.itertuples(), colours, strict=True)):
    axes.plot([row.ci_low, row.ci_high], [place, place], color=colour, linewidth=2)
    axes.plot(row.bits, place, "o", color=colour)
axes.axvline(0, color="black", linewidth=0.8)
axes.set_yticks(range(len(labels)), labels)
axes.margins(y=0.2)
axes.invert_yaxis()
axes.set_xlabel("information about memory, bits (95% interval)")
axes.set_title("Blood tells of memory, but nothing beyond MRI", loc="left")
plt.show()
