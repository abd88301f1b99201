"""
Power: how many participants show 0.05 bits?
============================================

A study is planned in which diffusion is expected to add 0.05 bits to what T1 tells of age. How many participants does
it take until the interval of *added* lies above zero?

**The one thing to learn:** the interval narrows as one over the square root of the number of participants, and 0.05
bits take several hundred. A null finding with 100 participants says nothing about such an effect.
"""

# %%
# What is 0.05 bits?
# ------------------
# Of normal scores, a modality that adds I bits leaves a part ``2^(-2 I)`` of the variance of age that the
# others leave: 0.05 bits explain 7% of it, a partial correlation of .26.
import matplotlib.pyplot as plt
import numpy as np

from brainpid.pid import OUT_OF_FOLD_SE_FACTOR, decompose

ADDED = 0.05
partial_r = np.sqrt(1 - 2 ** (-2 * ADDED))
print(f"partial correlation {partial_r:.2f}")


# %%
# Draw the study many times
# -------------------------
# T1 tells 0.5 bits. Diffusion is another reading of T1's signal, and of a part of its own that adds 0.05 bits. Standard
# errors are widened as those of out-of-fold latents are. The bits are those that encoders read; what is lost because
# encoders learn from few participants is not in them, and ``brainpid plan`` estimates it from a finished run.
def study(n, rng):
    """One study: scalar latents of both modalities, and age scores."""
    r2 = 1 - 2 ** (-2 * 0.5)
    t1 = rng.standard_normal(n)
    own, rest = rng.standard_normal((2, n))
    age = np.sqrt(r2) * t1 + np.sqrt(1 - r2) * (partial_r * own + np.sqrt(1 - partial_r**2) * rest)
    return {"t1": t1, "dwi": 0.8 * t1 + 0.6 * own}, age


people = (50, 100, 200, 300, 400, 600, 800)
draws = 200
rng = np.random.default_rng(0)
added = {n: [] for n in people}
for n in people:
    for _ in range(draws):
        found = decompose(*study(n, rng), "idep", se_factor=OUT_OF_FOLD_SE_FACTOR)
        added[n].append(found.atom("one_vs_rest", "dwi", "added"))
power = {n: float(np.mean([row.ci_low > 0 for row in rows])) for n, rows in added.items()}
print({n: f"{100 * share:.0f}%" for n, share in power.items()})

# %%
# The first number of participants with a power of 80%:
enough = float(np.interp(0.8, list(power.values()), people))
print(f"about {enough:.0f} participants")

# %%
# The figure
# ----------
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
middle = [np.median([row.bits for row in added[n]]) for n in people]
low = [np.median([row.ci_low for row in added[n]]) for n in people]
high = [np.median([row.ci_high for row in added[n]]) for n in people]
left.fill_between(people, low, high, color="#0072B2", alpha=0.25, label="typical 95% interval")
left.plot(people, middle, color="#0072B2", label="typical estimate")
left.axhline(ADDED, color="black", linestyle=":", label="truth")
left.axhline(0, color="black", linewidth=0.8)
left.set(xlabel="participants", ylabel="added by diffusion, bits", title="One study")
left.legend(frameon=False)
right.plot(people, [100 * power[n] for n in people], "o-", color="#0072B2")
right.axhline(80, color="black", linestyle=":")
right.plot([enough, enough], [0, 80], color="#D55E00")
right.annotate(f"{enough:.0f} participants", (enough, 8), textcoords="offset points", xytext=(6, 0), color="#D55E00")
right.set(xlabel="participants", ylabel="studies that show it, %", title="Many studies", ylim=(0, 104))
plt.show()
