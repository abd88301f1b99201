"""
Which scan next?
================

Scanner time is short. Is diffusion worth acquiring in the next study? Of whom among those who have T1 already? And
would more participants bring more than another modality?

**The one thing to learn:** three outputs answer three questions: ``aggregate/selection.tsv`` (which subset is worth
its cost), ``gain_<modality>`` of ``brainpid predict`` (who profits from a further scan), and ``brainpid plan`` (more
people).
"""

# %%
# A study with costs
# ------------------
# 150 participants. ``costs`` are minutes of scanner time. fMRI is the longest, and tells nothing of age here; diffusion
# is longer than T1 and tells somewhat more.
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


def scan(labels):
    """Ages and a table of each modality of some participants."""
    n = len(labels)
    score = rng.uniform(-1.7, 1.7, n)
    signal = {"t1": score, "dwi": score, "fmri": np.zeros(n)}
    tables = {}
    for modality, noise in (("t1", 1.6), ("dwi", 1.2), ("fmri", 1.0)):
        values = signal[modality][:, None] + noise * rng.standard_normal((n, 5))
        tables[modality] = pd.DataFrame(values.round(4), columns=[f"{modality}_{k}" for k in range(5)])
        tables[modality].insert(0, "participant_id", labels)
    return pd.DataFrame({"participant_id": labels, "age": (50 + 17 * score).round(1)}), tables


people, tables = scan([f"sub-{i:03d}" for i in range(150)])
people.to_csv(folder / "participants.tsv", sep="\t", index=False)
for modality, table in tables.items():
    table.to_csv(folder / f"{modality}.tsv", sep="\t", index=False)
(folder / "study.yaml").write_text("""
output_dir: results
modalities: [t1, dwi, fmri]
costs: {t1: 6, dwi: 10, fmri: 15}
cohorts:
  study:
    participants: participants.tsv
    sources:
      t1: {kind: table, path: t1.tsv}
      dwi: {kind: table, path: dwi.tsv}
      fmri: {kind: table, path: fmri.tsv}
models: [ridge]
splits: {folds: 5, repeats: 1}
folds_per_job: 5
null: {permutations: 0}
explain: {permutations: 0}
""")


def brainpid(*arguments):
    """Run a command in the folder of the study."""
    command = [sys.executable, "-m", "brainpid.cli", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


brainpid("run", "study.yaml", "--cores", "1")

# %%
# 1. Which modalities are worth their cost?
# -----------------------------------------
# The cheapest subset that predicts held-out participants as well as the best one does, as far as this study can tell.
selection = pd.read_csv(folder / "results/aggregate/selection.tsv", sep="\t")
print(selection[["modalities", "cost", "mae", "information_bits", "recommended"]].round(2).to_string(index=False))

# %%
# 2. Who profits from a further scan?
# -----------------------------------
# New participants have T1 alone. ``gain_dwi`` is by how many years diffusion is expected to narrow the interval of
# each. Most for those of middle age: towards the ends of the study's range of ages intervals are short already.
#
# .. code-block:: console
#
#    $ brainpid predict --model results/final/ridge --tables t1=new_t1.tsv --out new.tsv
new, scans = scan([f"sub-new{i:02d}" for i in range(40)])
scans["t1"].to_csv(folder / "new_t1.tsv", sep="\t", index=False)
brainpid("predict", "--model", "results/final/ridge", "--tables", "t1=new_t1.tsv", "--out", "new.tsv")
gains = pd.read_csv(folder / "new.tsv", sep="\t")
gains[["participant_id", "predicted_age", "pi_low", "pi_high", "gain_dwi", "gain_fmri"]].head(3).round(1)

# %%
# 3. Would more participants help?
# --------------------------------
# ``brainpid plan`` continues the learning curve of the finished run.
#
# .. code-block:: console
#
#    $ brainpid plan results
print(brainpid("plan", "results", "--repeats", "1"))
plan = pd.read_csv(folder / "results/plan/plan.tsv", sep="\t")

# %%
# The figure
# ----------
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), layout="constrained")
for row in selection.itertuples():
    colour = "#D55E00" if row.recommended else "#0072B2"
    left.plot([row.cost] * 2, [row.mae_ci_low, row.mae_ci_high], color=colour, linewidth=1)
    left.plot(row.cost, row.mae, "o", color=colour)
    left.annotate(row.modalities, (row.cost, row.mae), textcoords="offset points", xytext=(5, 4), fontsize=8)
left.set(
    xlabel="scanner time, minutes",
    ylabel="mean absolute error, years",
    title="Worth its cost: the orange one",
    xlim=(4, 39),
)
for modality, colour, name in (("dwi", "#0072B2", "diffusion"), ("fmri", "#999999", "fMRI")):
    right.plot(gains["predicted_age"], gains[f"gain_{modality}"], "o", color=colour, label=name)
right.axhline(0, color="black", linewidth=0.8)
right.set(
    xlabel="age predicted from T1, years", ylabel="expected narrowing of the interval, years", title="A further scan"
)
right.legend(frameon=False)
plt.show()
