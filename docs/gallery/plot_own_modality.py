"""
Add a modality of your own
==========================

A modality is a name and a place from which its features come. A fourth one, here magnetoencephalography (MEG), is a
table and one block of the configuration. No code is changed.

**The one thing to learn:** list the name under ``modalities`` and its table under ``sources`` of each cohort that has
it. Participants who lack it stay in, and a cohort without it lists no source.
"""

# %%
# A study with three modalities
# -----------------------------
# 160 participants. The table of MEG has one line a participant and one column a feature, as every table has; a quarter
# of the participants have none. A JSON file of the same name gives the units.
import json
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
n = 160
shared, own = rng.standard_normal(n), rng.standard_normal((3, n))
signal = {
    "t1": shared + 0.8 * own[0],
    "dwi": shared + 0.8 * own[1],
    "fmri": rng.standard_normal(n),
    "meg": own[2],
}
labels = [f"sub-{i:03d}" for i in range(n)]
age = 52 + 8 * shared + 5 * own[0] + 5 * own[1] + 8 * own[2] + 7 * rng.standard_normal(n)
people = pd.DataFrame({"participant_id": labels, "age": age.clip(18, 90).round(1), "sex": rng.choice(["F", "M"], n)})
people.to_csv(folder / "participants.tsv", sep="\t", index=False)
for modality, driver in signal.items():
    values = driver[:, None] + 0.7 * rng.standard_normal((n, 6))
    table = pd.DataFrame(values.round(4), columns=[f"{modality}_{k}" for k in range(6)])
    table.insert(0, "participant_id", labels)
    if modality == "meg":
        table = table.iloc[: 3 * n // 4]
    table.to_csv(folder / f"{modality}.tsv", sep="\t", index=False)
units = {f"meg_{k}": {"Units": "fT", "Description": "power of the alpha band"} for k in range(6)}
(folder / "meg.json").write_text(json.dumps(units))
table.head(3)

# %%
# The configuration
# -----------------
# Two places name the new modality: ``modalities`` and ``sources``. The lines from ``models`` on make the example quick:
# leave them out of a real study.
CONFIG = """
output_dir: results
modalities: [t1, dwi, fmri, meg]
cohorts:
  study:
    participants: participants.tsv
    sources:
      t1: {kind: table, path: t1.tsv}
      dwi: {kind: table, path: dwi.tsv}
      fmri: {kind: table, path: fmri.tsv}
      meg: {kind: table, path: meg.tsv}
models: [ridge]
splits: {folds: 5, repeats: 1}
folds_per_job: 5
null: {permutations: 0}
explain: {permutations: 0}
"""
(folder / "study.yaml").write_text(CONFIG)

# %%
# Check it, and run it
# --------------------
# ``brainpid check`` runs nothing. It says who has what, and why others do not.
#
# .. code-block:: console
#
#    $ brainpid check --config study.yaml
#    $ brainpid run study.yaml


def brainpid(*arguments):
    """Run a command in the folder of the study."""
    command = [sys.executable, "-m", "brainpid.cli", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


print(brainpid("check", "--config", "study.yaml"))
brainpid("run", "study.yaml", "--cores", "1")

# %%
# What the new modality adds
# --------------------------
# Every table and figure of the results has it now. Decompositions are of participants who have all modalities;
# predictions are made for everybody. MEG adds more than it tells alone: where the others have explained
# their parts of age, its own part stands out. That is synergy.
pid = pd.read_csv(folder / "results/aggregate/pid.tsv", sep="\t", keep_default_na=False, na_values="n/a")
rows = pid.query("estimator == 'log_score' and given == '' and measure == 'idep' and scope == 'one_vs_rest'")
table = rows.pivot(index="modalities", columns="atom", values="bits").loc[list(signal), ["alone", "added"]]
table.round(2)

# %%
# The figure
# ----------
figure, axes = plt.subplots(figsize=(6.5, 3), layout="constrained")
for shift, (atom, colour) in enumerate((("alone", "#999999"), ("added", "#0072B2"))):
    own_rows = rows[rows["atom"] == atom].set_index("modalities").loc[list(signal)]
    height = np.arange(4) + 0.24 * shift - 0.12
    error = np.abs(own_rows[["ci_low", "ci_high"]].T.to_numpy() - own_rows["bits"].to_numpy())
    axes.errorbar(own_rows["bits"], height, xerr=error, fmt="o", color=colour, label=atom)
axes.axvline(0, color="black", linewidth=0.8)
axes.set_yticks(range(4), ["T1", "diffusion", "fMRI", "MEG"])
axes.margins(y=0.2)
axes.invert_yaxis()
axes.set_xlabel("information about age, bits (95% interval)")
axes.set_title("MEG adds to the other three; fMRI does not", loc="left")
axes.legend(frameon=False)
plt.show()
