"""What a decomposition says and what it cannot say, once, for every output."""

from __future__ import annotations

from brainpid.evaluation.selection import Selection

MEASURES = {
    "mmi": (
        "Minimum mutual information, which for a scalar Gaussian target is the Gaussian ~-PID (Barrett 2015, Venkatesh "
        "et al. 2023). At most one modality has unique information under it, by construction: a zero is no finding."
    ),
    "idep": (
        "Dependency constraints (Kay & Ince 2018). Several modalities can have unique information; with three or more "
        "modalities it is given for pairs and for one modality against all the others together."
    ),
}
SCOPES = {
    "all": "all modalities together",
    "one_vs_rest": (
        "one modality against all the others together; each modality's rows add up to the total, rows of different "
        "modalities overlap and do not add up"
    ),
    "pair": "two modalities by themselves; 'unique' is that of the first named, relative to the second",
}
ATOMS = {
    "total": "what all modalities of the scope tell together",
    "alone": "what the modality tells by itself",
    "added": "what the modality adds beyond all the others: unique + synergy",
    "unique": "what only these tell",
    "rest_unique": "what only the other modalities tell",
    "redundant": "what each of them tells by itself",
    "synergy": "what is known only from looking at them together",
}
CANNOT_SAY = (
    "It is the information in the latents that were learned at this number of people, not that of the population: "
    "cohorts of different size cannot be compared without allowing for it.",
    "A modality is called unique only where its p-value is below .05 and the lower end of its interval of 'added' is "
    "above 0; an interval by itself is no test.",
    "'added' near 0 does not exclude suppression, that is help only beside another modality: latents of one modality "
    "each cannot see it. The rows of ridge_concatenated can.",
    "A significant 'added' is a statement about prediction, not about biology.",
    "With fewer than 300 people no shares are given, and the order of the modalities is not to be interpreted.",
)
COLUMNS = {
    "cohort": "name of the cohort; 'pooled' is the random-effects mean over cohorts (Bayes, half-normal tau)",
    "model": (
        "whose latents are decomposed; ridge_concatenated is a check by ridge regression on the concatenated features "
        "of subsets"
    ),
    "measure": "how shared information is defined",
    "scope": "what is decomposed",
    "modalities": "names joined with +",
    "atom": "part of the information",
    "bits": "estimate in bits, debiased, corrected at kinks and not clipped: values around zero may be negative",
    "se": "standard error in bits, widened by 1.25 for cross-fitting, clustered where people are of groups; n/a for an "
    "atom at its boundary",
    "ci_low": "lower end of the interval, in bits: of the values of the atom in the joint confidence region",
    "ci_high": "upper end of the interval, in bits",
    "share": "part of the total; n/a with fewer than 300 people",
    "p_value": (
        "one-sided, of the permutation test with refitting, for 'total' and 'added'; made with the encoder of the null "
        "in that cohort, hence the same for every model"
    ),
    "n": "number of people",
    "n_folds": "number of fitted folds, over all repeats",
}

SELECTION_COLUMNS = {
    "modalities": "subset of the modalities, names joined with +",
    "cost": "sum of the costs of its modalities, in the unit of the configuration",
    "n": "people with every modality, of all cohorts; every subset is judged on the same people",
    "mae": "mean absolute error of held-out predictions from the subset by the first model, in the target's units",
    "mae_ci_low": "lower end of its interval over people; intervals of subsets overlap because the people are the same",
    "mae_ci_high": "upper end of its interval over people",
    "information_bits": (
        "information of the subset's latents about the target, in bits, debiased; mean over cohorts, weighted by people"
    ),
    "recommended": (
        "True for the cheapest subset whose squared error differs from the smallest by no more than one standard error "
        "of the paired difference"
    ),
}
NESTED = (
    "Accuracy of the choice itself: for each fold and repeat the subset was chosen by the errors of the people outside "
    "the fold and judged on those inside. The row of the recommended subset is optimistic beside it."
)


def selection_dictionary(selection: Selection) -> dict[str, object]:
    """Data dictionary of ``selection.tsv``, with what the choice is worth on people who had no part in it."""
    nested = selection.nested
    values = (
        None
        if nested is None
        else {
            "n": nested.n,
            "mae": nested.mae,
            "mae_ci_low": nested.mae_ci_low,
            "mae_ci_high": nested.mae_ci_high,
            "chosen": selection.chosen,
            "Description": NESTED,
        }
    )
    columns: dict[str, object] = {name: {"Description": text} for name, text in SELECTION_COLUMNS.items()}
    return columns | {"Best": selection.best, "Nested": values}


IMPORTANCE_COLUMNS = {
    "modality": "Modality",
    "scope": "What is permuted together: a modality, a region (every feature of the modality that belongs to it, all "
    "edges that end there included), a group of correlated features (where the source does not say regions) or one "
    "feature",
    "feature": "Name of the feature",
    "region": "Region, or regions joined with +, that the feature belongs to; n/a where the source does not say",
    "group": "Group of correlated features that the feature belongs to, by the name of the one that correlates most "
    "with the others; n/a where it is alone or the source says regions",
    "units": "Unit of the feature",
    "change": "Mean absolute change of the predictions of held-out people when it is permuted among them, in the "
    "target's units, mean over folds; it tells what predictions rest on, not whether that makes them better",
    "change_sd": "Standard deviation of it between folds",
    "importance": "Increase of the mean absolute error of held-out people when it is permuted among them, in the "
    "target's units, mean over folds; below zero it is noise around zero",
    "importance_sd": "Standard deviation of it between folds",
    "effect": "Change of prediction, in the target's units, as the feature rises by one standard deviation, mean over "
    "folds",
    "effect_sd": "Standard deviation of it between folds",
    "sign_agreement": "Part of the folds in which the effect has the sign of its mean",
    "rank": "Mean over folds of the rank of its change among all of its scope, 1 the largest",
    "rank_sd": "Standard deviation of the rank between folds",
    "n_folds": "Folds in which it was looked at",
    "exact_folds": "Folds in which the model was read anew for each permutation, or its closed form is exact; where "
    "there are more people than are read, the difference that reading makes among some corrects the numbers of all. In "
    "the others they follow the slopes of the model's predictions, by the same formulas, people and permutations, and "
    "those of a region or group are as if its features' changes added up",
}
IMPORTANCE_CANNOT_SAY = (
    "Changes and importances are shared among correlated features: small ones do not show that a feature tells "
    "nothing, and they do not add up to that of the modality. They describe this model and no cause. Changes "
    "along slopes are too small or too large where a prediction bends; the model is read for the features, regions and "
    "groups whose changes are largest, so that this concerns the small ones."
)


def importance_dictionary(rank_correlation: float | None, people: int, read: int, reads: int) -> dict[str, object]:
    """Data dictionary of ``importance.tsv``.

    Parameters
    ----------
    rank_correlation : float or None
        Mean rank correlation of features' changes between two folds.
    people, read, reads : int
        People of a fold who are looked at, those of them who are read by the model, and reads for a modality, at most.
    """
    columns: dict[str, object] = {name: {"Description": text} for name, text in IMPORTANCE_COLUMNS.items()}
    return columns | {
        "RankCorrelation": rank_correlation,
        "MostPeople": people,
        "MostPeopleRead": read,
        "MostReads": reads,
        "CannotSay": IMPORTANCE_CANNOT_SAY,
    }


def dictionary() -> dict[str, object]:
    """Data dictionary of ``pid.tsv`` in the form of BIDS."""
    levels = {"measure": MEASURES, "scope": SCOPES, "atom": ATOMS}
    units = dict.fromkeys(("bits", "se", "ci_low", "ci_high"), "bits")
    columns = {
        name: {"Description": text}
        | ({"Levels": levels[name]} if name in levels else {})
        | ({"Units": units[name]} if name in units else {})
        for name, text in COLUMNS.items()
    }
    return columns | {"CannotSay": list(CANNOT_SAY)}
