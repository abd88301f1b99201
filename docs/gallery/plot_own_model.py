"""
Plug in a scikit-learn model of your own
========================================

Anything with ``fit`` and ``predict`` as scikit-learn has them can be a base learner of PIDReg, in Python or by
configuration. And any model at all can be decomposed, if it predicts densities for held-out participants.

**The one thing to learn:** an own base learner is one line of the configuration, and it is given weight only as far
as it predicts participants that it was not fitted to.
"""

# %%
# A model of one's own
# --------------------
# The mean age of the participants that look most alike. Nothing of it is known to ``brainpid``. It is written to a
# file, because the workflow's jobs have to find it: in an installed package, or in the folder in which the run is
# started.
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import BayesianRidge

from brainpid.model import PIDReg
from brainpid.pid import OUT_OF_FOLD_SE_FACTOR, decompose_predictions

MODEL = """
import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin


class Alike(RegressorMixin, BaseEstimator):
    '''Weighted mean of the training participants, by distance of their features.'''

    def __init__(self, width=1.0):
        self.width = width

    def fit(self, X, y):
        self.X_, self.y_ = np.asarray(X), np.asarray(y)
        return self

    def predict(self, X):
        squared = ((np.asarray(X)[:, None] - self.X_[None]) ** 2).mean(axis=2)
        weight = np.exp(-(squared - squared.min(axis=1, keepdims=True)) / (2 * self.width**2))
        return weight @ self.y_ / weight.sum(axis=1)
"""
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
(folder / "my_models.py").write_text(MODEL)

# %%
# 150 participants with T1 and diffusion. The features of T1 rise and fall in the course of life, each at another age.
rng = np.random.default_rng(0)
n = 150
score = rng.uniform(-1.7, 1.7, n)
age = (50 + 17 * score).round(1)
X = {
    "t1": np.column_stack([np.sin(2 * score + k) for k in range(5)]) + 0.5 * rng.standard_normal((n, 5)),
    "dwi": score[:, None] + 2.5 * rng.standard_normal((n, 5)),
}
labels = [f"sub-{i:03d}" for i in range(n)]
pd.DataFrame({"participant_id": labels, "age": age}).to_csv(folder / "participants.tsv", sep="\t", index=False)
for modality, values in X.items():
    table = pd.DataFrame(values.round(4), columns=[f"{modality}_{k}" for k in range(5)])
    table.insert(0, "participant_id", labels)
    table.to_csv(folder / f"{modality}.tsv", sep="\t", index=False)

# %%
# As a base learner, in Python
# ----------------------------
# ``"auto"`` keeps those that PIDReg would choose by itself. The network is made small to be quick.
sys.path.insert(0, str(folder))
from my_models import Alike  # noqa: E402

model = PIDReg(experts=("auto", Alike(width=0.5)), members=2, epochs=20)
train = np.arange(n) < 110
model.fit({m: values[train] for m, values in X.items()}, age[train])
predicted = model.predict({m: values[~train] for m, values in X.items()})
print({name: round(weight, 2) for name, weight in model.expert_weights_.items()})
print(f"off by {np.abs(predicted - age[~train]).mean():.1f} years")

# %%
# As a base learner, by configuration
# -----------------------------------
# The other keys beside ``import`` are arguments of the class. Run it with ``brainpid run study.yaml``. ``members``,
# ``epochs`` and the lines from ``splits`` on make the example quick: leave them out of a real study.
CONFIG = """
output_dir: results
modalities: [t1, dwi]
cohorts:
  study:
    participants: participants.tsv
    sources:
      t1: {kind: table, path: t1.tsv}
      dwi: {kind: table, path: dwi.tsv}
models: [pidreg]
hyperparameters:
  pidreg:
    experts: [auto, {import: my_models.Alike, width: 0.5}]
    members: 2
    epochs: 20
splits: {folds: 3, repeats: 1}
folds_per_job: 3
null: {permutations: 0}
explain: {permutations: 0}
final_model: false
"""
(folder / "study.yaml").write_text(CONFIG)
command = [sys.executable, "-m", "brainpid.cli", "run", "study.yaml", "--cores", "1"]
done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
assert done.returncode == 0, done.stderr
shares = pd.read_csv(folder / "results/aggregate/base_learners.tsv", sep="\t")
print(shares[["base_learner", "share", "n_folds"]].round(2).to_string(index=False))

# %%
# As a whole model
# ----------------
# ``models`` of a configuration lists those of ``brainpid``; any other model is decomposed in Python.
# A decomposition asks of a model one thing: the density that it gives a held-out participant's age, from each subset of
# the modalities. Its log score is how many bits likelier it makes the true age than the distribution of ages does. Here
# a Bayesian ridge of scikit-learn, in 10 folds.
subsets = {"t1": ["t1"], "dwi": ["dwi"], "t1+dwi": ["t1", "dwi"]}
fold = rng.permutation(n) % 10
scores = {name: np.empty(n) for name in subsets}


def log_density(values, mean, sd):
    """Logarithm, to base 2, of the normal density."""
    return -0.5 * np.log2(2 * np.pi * sd**2) - (values - mean) ** 2 / (2 * sd**2) / np.log(2)


for k in range(10):
    out = fold == k
    reference = log_density(age[out], age[~out].mean(), age[~out].std())
    for name, modalities in subsets.items():
        features = np.column_stack([X[m] for m in modalities])
        mean, sd = BayesianRidge().fit(features[~out], age[~out]).predict(features[out], return_std=True)
        scores[name][out] = log_density(age[out], mean, sd) - reference
own = decompose_predictions(scores, measure="idep", se_factor=OUT_OF_FOLD_SE_FACTOR)
print({m: round(own.atom("one_vs_rest", m, "added").bits, 2) for m in X})

# %%
# The figure
# ----------
# What is read is what a model can read: the linear one misses what bends.
pid = pd.read_csv(folder / "results/aggregate/pid.tsv", sep="\t", keep_default_na=False, na_values="n/a")
pid = pid.query("estimator == 'log_score' and given == '' and measure == 'idep' and scope == 'one_vs_rest'")
pidreg = pid[pid["atom"] == "added"].set_index("modalities")
figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.4), layout="constrained")
colours = ["#D55E00" if name == "Alike" else "#0072B2" for name in shares["base_learner"]]
left.barh(shares["base_learner"], shares["share"], color=colours)
left.invert_yaxis()
left.set(xlabel="share in the prediction", title="Base learners; one's own in orange")
for place, m in enumerate(X):
    row, other = pidreg.loc[m], own.atom("one_vs_rest", m, "added")
    for shift, (one, colour, label) in enumerate(((row, "#D55E00", "PIDReg"), (other, "#999999", "Bayesian ridge"))):
        height = place + 0.2 * shift - 0.1
        right.plot([one.ci_low, one.ci_high], [height, height], color=colour, linewidth=2)
        right.plot(one.bits, height, "o", color=colour, label=label if place == 0 else None)
right.axvline(0, color="black", linewidth=0.8)
right.set_yticks([0, 1], ["T1", "diffusion"])
right.margins(y=0.3)
right.invert_yaxis()
right.set(xlabel="added, bits about age (95% interval)", title="Two models, decomposed")
right.legend(frameon=False)
plt.show()
