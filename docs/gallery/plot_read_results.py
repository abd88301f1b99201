"""
Read the results in pandas and R
================================

All results are tab-separated tables and one HDF5 file a cohort. Nothing of ``brainpid`` is needed to read them.

**The one thing to learn:** a missing cell is ``n/a`` and an empty cell is empty text (no controls); tell the reader so.
"""

# %%
# A small finished study
# ----------------------
# Two modalities of 120 participants, made and run here; with results of your own, skip this part.
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
rng = np.random.default_rng(0)
n = 120
labels = [f"sub-{i:03d}" for i in range(n)]
age = rng.uniform(20, 80, n).round(1)
people = pd.DataFrame({"participant_id": labels, "age": age, "sex": rng.choice(["F", "M"], n)})
people.to_csv(folder / "participants.tsv", sep="\t", index=False)
for modality, noise in (("t1", 1.5), ("dwi", 2.0)):
    values = (age[:, None] - 50) / 17 + noise * rng.standard_normal((n, 5))
    table = pd.DataFrame(values.round(4), columns=[f"{modality}_{k}" for k in range(5)])
    table.insert(0, "participant_id", labels)
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
null: {permutations: 100}
explain: {permutations: 0}
final_model: false
""")
command = [sys.executable, "-m", "brainpid.cli", "run", "study.yaml", "--cores", "1"]
done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
assert done.returncode == 0, done.stderr
results = folder / "results"

# %%
# Tables, in pandas
# -----------------
# ``person.tsv`` has one line a participant: prediction, interval, brain-PAD (predicted minus chronological age) and
# what each modality told of this participant.


def read(path):
    """Read a table of results: labels as text, n/a as missing, empty cells as empty text."""
    return pd.read_csv(path, sep="\t", keep_default_na=False, na_values="n/a", dtype={"participant_id": str})


person = read(results / "aggregate/person.tsv")
pid = read(results / "aggregate/pid.tsv")
print(read(results / "aggregate/accuracy.tsv")[["cohort", "model", "n", "mae", "mae_ci_low", "mae_ci_high"]])

# %%
# The decomposition has one line an atom. Choose an estimator, the controls (none), a measure and a scope; else rows of
# different kinds are mixed.
headline = pid.query("cohort == 'study' and estimator == 'log_score' and given == '' and measure == 'idep'")
headline.query("scope == 'all'")[["modalities", "atom", "bits", "ci_low", "ci_high"]].round(2)

# %%
# Join by name
# ------------
# Tables share ``participant_id`` and ``cohort``. With several cohorts, join by both: labels may repeat.
sheet = read(results / "participants.tsv")
joined = person.merge(sheet[["participant_id", "cohort", "sex"]], on=["participant_id", "cohort"], validate="1:1")
joined.groupby("sex")["brain_pad_corrected"].agg(["count", "mean", "std"]).round(2)

# %%
# What a column means stands in a dictionary beside the table:
dictionary = json.loads((results / "aggregate/person.json").read_text())
print(dictionary["brain_pad_corrected"])

# %%
# Features, in h5py
# -----------------
# One group a modality: values (participants x features), labels, names and units. A row of NaN is an absent modality.
with h5py.File(results / "features/study.h5") as file:
    group = file["t1"]
    features = pd.DataFrame(
        group["values"][:], index=group["participant_id"].asstr()[:], columns=group["feature"].asstr()[:]
    )
features.iloc[:3, :4].round(2)

# %%
# In R
# ----
# .. code-block:: r
#
#    library(readr)    # install.packages(c("readr", "dplyr")); for HDF5 BiocManager::install("rhdf5")
#    library(dplyr)
#
#    read_results <- function(path) read_tsv(path, na = "n/a", show_col_types = FALSE)
#
#    person <- read_results("results/aggregate/person.tsv")
#    sheet <- read_results("results/participants.tsv")
#    joined <- inner_join(person, select(sheet, participant_id, cohort, sex), by = c("participant_id", "cohort"))
#    summary(lm(brain_pad_corrected ~ sex, data = joined))
#
#    read_results("results/aggregate/pid.tsv") |>
#      filter(estimator == "log_score", given == "" | is.na(given), measure == "idep", scope == "one_vs_rest") |>
#      select(modalities, atom, bits, ci_low, ci_high)
#
#    library(rhdf5)
#    values <- t(h5read("results/features/study.h5", "t1/values"))  # R reads the axes in the other order
#    dimnames(values) <- list(h5read("results/features/study.h5", "t1/participant_id"),
#                             h5read("results/features/study.h5", "t1/feature"))

# %%
# The figure
# ----------
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8), layout="constrained")
error = np.abs(person[["pi_low", "pi_high"]].T.to_numpy() - person["predicted_age"].to_numpy())
left.errorbar(person["age"], person["predicted_age"], yerr=error, fmt="o", markersize=3, color="#0072B2", alpha=0.35)
left.plot([20, 80], [20, 80], color="black", linewidth=0.8)
left.set(xlabel="age, years", ylabel="predicted age, years (90% interval)")
for place, sex in enumerate(("F", "M")):
    values = joined.loc[joined["sex"] == sex, "brain_pad_corrected"]
    right.plot(place + rng.uniform(-0.12, 0.12, len(values)), values, "o", markersize=4, color="#0072B2", alpha=0.5)
    right.plot([place - 0.25, place + 0.25], [values.mean()] * 2, color="#D55E00", linewidth=2)
right.axhline(0, color="black", linewidth=0.8)
right.set(xlim=(-0.6, 1.6), ylabel="brain-PAD, age bias corrected, years")
right.set_xticks([0, 1], ["women", "men"])
plt.show()
