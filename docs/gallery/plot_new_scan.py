"""
Predict a new scan
==================

A finished study has a model that was trained on everybody. It predicts participants who were not in the study, from
whatever modalities they have.

**The one thing to learn:** ``results/final/<model>`` is all that is needed, and a prediction comes with its interval: a
second modality makes it narrower.
"""

# %%
# A finished study
# ----------------
# 150 participants with T1 and diffusion. The model is the first of ``models``.
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
    """Ages, and tables of T1 and diffusion, of some participants."""
    n = len(labels)
    age = rng.uniform(20, 80, n).round(1)
    tables = {}
    for modality, noise in (("t1", 1.6), ("dwi", 1.6)):
        values = (age[:, None] - 50) / 17 + noise * rng.standard_normal((n, 5))
        tables[modality] = pd.DataFrame(values.round(4), columns=[f"{modality}_{k}" for k in range(5)])
        tables[modality].insert(0, "participant_id", labels)
    return pd.DataFrame({"participant_id": labels, "age": age}), tables


people, tables = scan([f"sub-{i:03d}" for i in range(150)])
people.to_csv(folder / "participants.tsv", sep="\t", index=False)
for modality, table in tables.items():
    table.to_csv(folder / f"{modality}.tsv", sep="\t", index=False)
(folder / "study.yaml").write_text("""
output_dir: results
modalities: [t1, dwi]
cohorts:
  study:
    participants: participants.tsv
    sources:
      t1: {kind: table, path: t1.tsv}
      dwi: {kind: table, path: dwi.tsv}
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
# New participants
# ----------------
# Thirty come to the clinic. Their tables have the columns of the study's. Ages are not asked for.
new, scans = scan([f"sub-new{i:02d}" for i in range(30)])
for modality, table in scans.items():
    table.to_csv(folder / f"new_{modality}.tsv", sep="\t", index=False)

# %%
# In a terminal:
#
# .. code-block:: console
#
#    $ brainpid predict --model results/final/ridge --tables t1=new_t1.tsv --out t1.tsv
#    $ brainpid predict --model results/final/ridge --tables t1=new_t1.tsv dwi=new_dwi.tsv --out both.tsv
#
# With images of their own, new participants are a cohort of a configuration instead, ``--config new.yaml``, and pass
# the same extraction as the study.
model = ["predict", "--model", "results/final/ridge", "--tables", "t1=new_t1.tsv"]
brainpid(*model, "--out", "only_t1.tsv")
brainpid(*model, "dwi=new_dwi.tsv", "--out", "both.tsv")
only_t1 = pd.read_csv(folder / "only_t1.tsv", sep="\t")
both = pd.read_csv(folder / "both.tsv", sep="\t")
both.head(3)

# %%
# How good are the intervals?
# ---------------------------
# Here ages are known. The 90% intervals hold most of them, and are narrower with both modalities.
for name, found in (("T1", only_t1), ("T1 and diffusion", both)):
    held = np.mean((found["pi_low"] <= new["age"]) & (new["age"] <= found["pi_high"]))
    width = np.mean(found["pi_high"] - found["pi_low"])
    error = np.abs(found["predicted_age"] - new["age"]).mean()
    print(f"{name}: off by {error:.1f} years, intervals {width:.0f} years wide, {100 * held:.0f}% hold the age")

# %%
# The figure
# ----------
order = np.argsort(new["age"].to_numpy())
figure, axes = plt.subplots(figsize=(8, 3.8), layout="constrained")
for shift, (label, colour, found) in enumerate(
    (("T1 alone", "#999999", only_t1), ("T1 and diffusion", "#0072B2", both))
):
    one = found.iloc[order]
    place = np.arange(len(one)) + 0.3 * shift - 0.15
    error = np.abs(one[["pi_low", "pi_high"]].T.to_numpy() - one["predicted_age"].to_numpy())
    axes.errorbar(place, one["predicted_age"], yerr=error, fmt="o", markersize=4, color=colour, label=label)
axes.plot(np.arange(len(new)), new["age"].iloc[order], "_", markersize=11, color="#D55E00", label="true age")
axes.set(xlabel="new participants, by age", ylabel="age, years (90% interval)", xticks=[], ylim=(15, 95))
axes.legend(frameon=False, ncols=3, loc="upper left")
plt.show()
