"""Group effects on brain-PAD in simulated studies: size of the test without an effect, and three planted years.

Predictions regress to the mean with a slope of 0.6 and bend; a quarter of the people are patients, of the same ages or
up to 15 years older, who may vary 1.6 times as much. Beside it Welch's t-test of brain-PAD. 2,000 studies a row.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import ttest_ind

from brainpid.evaluation.group_effects import group_effect

STUDIES = 2000
SLOPE = 0.6


def study(seed: int, effect: float, n: int, older: float, spread: float) -> dict[str, np.ndarray]:
    """One study: uncorrected and corrected brain-PAD, who is a patient, age, site and sex of n people."""
    random = np.random.default_rng(seed)
    group = np.arange(n) % 4 == 0
    age = random.uniform(25, 75, n) + older * group * random.uniform(0, 1, n)
    site = (np.arange(n) // 4) % 2
    error = random.normal(size=n) * 4 * np.where(group, spread, 1.0)
    predicted = 50 + SLOPE * (age + effect * group - 50) - 0.004 * (age - 50) ** 2 + error + 2 * site
    return {"uncorrected": predicted - age, "corrected": (predicted - 50) / SLOPE + 50 - age, "group": group,
            "age": age, "site": site, "sex": random.integers(0, 2, n)}  # fmt: skip


def main() -> None:
    """Print one table."""
    print(
        "| patients older by | vary by | p < .05 without an effect | Welch's t-test | 3 years: mean | in 95% interval |"
    )
    print("|---|---|---|---|---|---|")
    for older in (0, 15):
        for spread in (1.0, 1.6):
            found, plain, differences, inside = [], [], [], []
            for seed in range(STUDIES):
                own = study(seed, 0.0, 80, older, spread)
                group = own["group"]
                who = (group, own["age"], own["site"], own["sex"])
                told = group_effect(own["uncorrected"], *who, confidence=0.95, seed=seed, permutations=199)
                found.append(told.p_value <= 0.05)
                welch = ttest_ind(own["uncorrected"][group], own["uncorrected"][~group], equal_var=False)
                plain.append(welch.pvalue <= 0.05)
                own = study(STUDIES + seed, 3.0, 160, older, spread)
                who = (own["group"], own["age"], own["site"], own["sex"])
                told = group_effect(own["corrected"], *who, confidence=0.95, seed=seed, permutations=0)
                differences.append(told.difference)
                inside.append(told.ci_low <= 3 <= told.ci_high)
            values = [np.mean(own) for own in (found, plain, differences, inside)]
            print(f"| 0 to {older} years | {spread} | " + " | ".join(f"{value:.3f}" for value in values) + " |")


if __name__ == "__main__":
    main()
