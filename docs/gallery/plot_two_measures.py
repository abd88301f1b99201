"""
Compare two measures of the decomposition
=========================================

How much of what modalities tell is unique, redundant or synergistic depends on the measure. How much each tells
alone, and adds to the others, does not. Both measures of ``brainpid`` are shown here on exact covariances, without
sampling error.

**The one thing to learn:** under ``mmi`` only the strongest modality can have unique information, whatever the data.
For what a weaker modality adds, read *added*, or *unique* under ``idep``.
"""

# %%
# T1 and diffusion as they overlap more and more
# ----------------------------------------------
# Age is the sum of a shared part and of one part that each modality alone sees, larger in T1, and of a rest. The shared
# part grows from none to all of what the modalities see.
import matplotlib.pyplot as plt
import numpy as np

from brainpid.pid import decompose_covariance


def covariance(shared):
    """Covariance of age, T1 and diffusion, all of variance 1, where this part of what is seen is shared."""
    own_t1, own_dwi = 0.6 * (1 - shared), 0.4 * (1 - shared)
    age = np.sqrt([0.7 * shared, 0.7 * own_t1, 0.7 * own_dwi, 0.3])
    t1 = np.array([age[0], age[1], 0, 0]) / np.hypot(age[0], age[1])
    dwi = np.array([age[0], 0, age[2], 0]) / np.hypot(age[0], age[2])
    weights = np.array([age, t1, dwi])
    return weights @ weights.T


shares = np.linspace(0, 0.95, 40)
found = {
    measure: [decompose_covariance(covariance(share), {"t1": 1, "dwi": 1}, measure) for share in shares]
    for measure in ("mmi", "idep")
}

# %%
# The same informations, two decompositions
# -----------------------------------------
middle = len(shares) // 2
for measure, results in found.items():
    result = results[middle]
    unique = [result.atom("all", m, "unique").bits for m in ("t1", "dwi")]
    added = [result.atom("one_vs_rest", m, "added").bits for m in ("t1", "dwi")]
    print(
        f"{measure}: unique t1 {unique[0]:.2f}, dwi {unique[1]:.2f}; added t1 {added[0]:.2f}, dwi {added[1]:.2f} bits"
    )

# %%
# The figure
# ----------
# Diffusion adds information wherever it sees something of its own (dashed). ``mmi`` calls all of it synergy.
atoms = {
    "unique to T1": ("t1", "unique", "#0072B2"),
    "unique to diffusion": ("dwi", "unique", "#D55E00"),
    "redundant": ("t1+dwi", "redundant", "#999999"),
    "synergy": ("t1+dwi", "synergy", "#009E73"),
}
figure, panels = plt.subplots(1, 2, figsize=(9, 3.8), sharex=True, sharey=True, layout="constrained")
for axes, (measure, results) in zip(panels, found.items(), strict=True):
    for label, (modalities, atom, colour) in atoms.items():
        bits = [result.atom("all", modalities, atom).bits for result in results]
        axes.plot(100 * shares, bits, color=colour, linewidth=2, label=label)
    added = [result.atom("one_vs_rest", "dwi", "added").bits for result in results]
    axes.plot(100 * shares, added, "k--", linewidth=1, label="added by diffusion")
    axes.set_title(
        {"mmi": "mmi: diffusion is never unique", "idep": "idep: it is, wherever it adds"}[measure], loc="left"
    )
    axes.set_xlabel("part of what is seen that both modalities see, %")
panels[0].set_ylabel("information about age, bits")
panels[1].legend(frameon=False, fontsize=8)
plt.show()
