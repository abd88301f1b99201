"""What a decomposition says and what it cannot say, once, for every output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brainpid.core.names import GAUSSIAN_SCORE, LOG_SCORE_ESTIMATOR, REFERENCE_AGES, WEIGHTED
from brainpid.evaluation.selection import Selection
from brainpid.report.group_columns import TRAINED_ON

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
ESTIMATORS = {
    LOG_SCORE_ESTIMATOR: (
        "Mean log score of held-out people under the predictive density of the reader of each subset, relative to the "
        "distribution of the target: the information in the prediction itself. idep is then that of Gaussian sources "
        "of the same informations, R2 = 1 - 2^(-2 I)."
    ),
    GAUSSIAN_SCORE: (
        "From one scalar latent a modality, as if latents and normal scores of the target were jointly normal, with "
        "the exact finite-sample bias subtracted: linear, and blind to what only several modalities together tell."
    ),
    REFERENCE_AGES: (
        "log_score for people whose targets are distributed as reference_ages of the configuration says, the same in "
        "all cohorts: readers' densities and people are weighted so, and n is the effective number of people."
    ),
    WEIGHTED: (
        "log_score with people weighted by the inverse of the probability of having every modality given the target, "
        "where having it depends on the target: of people who stand for the whole cohort."
    ),
}
"""The headline first."""
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
KNOWN_WIDTH = (
    "Width that the interval would have if training had seen the site; empty where it had, and where intervals at new "
    "sites could not be calibrated"
)
CANNOT_SAY = (
    "It is the information in the readers that were learned at this number of people, not that of the population: "
    "cohorts of different size cannot be compared without allowing for it.",
    "A modality is called unique only where the lower end of its interval of 'added' is above 0 and the p-value of "
    "'added' by the encoder of the null, fitted within the cohort, is below .05; an interval by itself is no test.",
    "Under gaussian_score an 'added' near 0 does not exclude help that only shows beside another modality: latents of "
    "one modality each cannot see it. log_score can, as far as the readers of several modalities do.",
    "A significant 'added' is a statement about prediction, not about biology.",
    "With fewer than 300 people no shares are given, and modalities have an order only where the interval of their "
    "difference ('unique' of the pair by mmi) is above 0.",
)
COLUMNS = {
    "cohort": "name of the cohort; 'pooled' joins cohorts: the posterior mean of a random-effects model with a "
    "half-normal prior on the standard deviation between cohorts, of the informations, of which atoms are formed; "
    "pooling.tsv has that standard deviation, the fixed effect and the prediction interval of another cohort",
    "model": (
        "whose readers are decomposed; ridge_within_cohort (or another encoder's name) is the encoder of the null, "
        "fitted within the cohort in the null's folds, whose bits are tested"
    ),
    "estimator": "how the information of each subset is estimated",
    "given": "controls that the information is conditional on, joined with +; empty for none",
    "measure": "how shared information is defined",
    "scope": "what is decomposed",
    "modalities": "names joined with +",
    "atom": "part of the information",
    "bits": "estimate in bits, corrected for bias and at kinks and not clipped: values around zero may be negative, "
    "and an information below zero says that the reader is worse than the distribution of the target alone",
    "se": "standard error in bits, widened by se_factor for cross-fitting, clustered where people are of groups; n/a "
    "for an atom at its boundary and where there is a test",
    "ci_low": "lower end of the interval, in bits: of the values of the atom in the joint confidence region",
    "ci_high": "upper end of the interval, in bits",
    "share": "part of the total; n/a with fewer than 300 people",
    "p_value": (
        "one-sided, of the bits in this row, which are of the encoder of the null within the cohort; 'total' against "
        "permutations of the target, 'added' against draws of the modality given all the others, with refitting; n/a "
        "in the rows of models, which are not tested"
    ),
    "n": "number of people; of log_score_reference_ages how many of equal weight tell as much",
    "n_folds": "number of fitted folds, over all repeats",
    "se_factor": "widening of the standard errors for readers that are fitted to people of the same cohort, estimated "
    "in each cohort by leaving people out; 1.25 within single folds and where it cannot be estimated",
    "age_sd": "standard deviation of the target of these people, in its units: bits follow it, so that cohorts of "
    "other ranges are not compared by them alone; of the people of all cohorts together in rows of 'pooled'",
    "age_low": "smallest target of these people, in its units; n/a in rows of 'pooled' and of tests",
    "age_high": "largest target of these people, in its units; n/a in rows of 'pooled' and of tests",
}

SELECTION_COLUMNS = {
    "modalities": "subset of the modalities, names joined with +",
    "cost": "sum of the costs of its modalities, in the unit of the configuration",
    "n": "people with every modality, of all cohorts; every subset is judged on the same people",
    "mae": "mean absolute error of held-out predictions from the subset by the first model, in the target's units",
    "mae_ci_low": "lower end of its interval over people; intervals of subsets overlap because the people are the same",
    "mae_ci_high": "upper end of its interval over people",
    "information_bits": (
        "information in the predictions from the subset, in bits: the mean log score of these people, each relative to "
        "the distribution of the target in the cohort"
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


PERSON_COLUMNS = {
    "participant_id": "Participant",
    "cohort": "Name of the cohort",
    "site": "Site",
    "age": "True target, in its units",
    "model": "Model that predicts; quantities are means over its repeats of the folds",
    "modalities": "Modalities that the person has, joined with +",
    "repeats": "Repeats of the folds",
    "predicted_age": "Held-out prediction, in the target's units",
    "predicted_age_corrected": "The same, corrected for the age bias by the line of the person's modalities; where "
    "training has not seen the site and sites that were left out told the bias there, by one of such sites",
    "pi_low": "Lower end of the prediction interval",
    "pi_high": "Upper end of the prediction interval",
    "brain_pad": "Predicted less true target, in its units",
    "brain_pad_corrected": "Corrected prediction less true target",
    "information": "Log score in bits of the person's target under the prediction from all that the person has, "
    "relative to the distribution of targets of the cohort; its mean over people is the information. That of one "
    "person is noisy, and negative where the prediction misled",
    "brain_pad_common": "Mean over the person's modalities of the differences from each alone, less their lines on the "
    "target; n/a with one modality",
}
PERSON_COLUMNS_OF_MODALITY = {
    "information_alone": "The same under the prediction from {} alone",
    "information_added": "What {} adds to it, beyond the other modalities that the person has",
    "brain_pad": "Predicted less true target, in its units, from {} alone; not corrected",
    "brain_pad_specific": "What is left of the difference from {} alone, less its line on the target, beyond the part "
    "in common",
}
RELIABILITY = (
    "How reliable each quantity is stands in reliability.tsv: over repeats that draw the folds anew, on the same "
    "scans. It is an upper limit of the reliability over scans."
)


def person_dictionary(modalities: Sequence[str], with_others: bool = False) -> dict[str, object]:
    """Data dictionary of ``person.tsv``; with others, where people are in it who are not trained on."""
    columns = (
        PERSON_COLUMNS
        | ({"trained_on": TRAINED_ON} if with_others else {})
        | {
            f"{what}_{modality}": words.format(modality)
            for what, words in PERSON_COLUMNS_OF_MODALITY.items()
            for modality in modalities
        }
    )
    return {name: {"Description": text} for name, text in columns.items()} | {"Reliability": RELIABILITY}


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


ATYPICALITY_COLUMNS = {
    "low": "Lower end of a tenth of the column atypicality of predictions.tsv, inside it",
    "high": "Upper end of the tenth, outside of it but for 1",
    "n": "People of the first model, repeats averaged; as many in every tenth where the people are like the training's",
    "mae": "Mean absolute error of held-out predictions, in the target's units",
    "bias": "Mean of predicted minus true target, in the target's units",
    "coverage": "Part of the people whose interval covers the true target, 0 to 1",
}
ATYPICALITY = (
    "Part of the training people whose features fit their best age better than this person's features fit any age, 0 "
    "to 1, among people whom the fit had not seen. Of people like the training's 1 in 20 is above .95; of another "
    "scanner, unit or population many are, for whom neither prediction nor interval is to be trusted. It looks at "
    "features alone and not at the true age: a brain that looks older than it is is not atypical."
)


def atypicality_dictionary() -> dict[str, object]:
    """Data dictionary of ``atypicality.tsv``."""
    columns: dict[str, object] = {name: {"Description": text} for name, text in ATYPICALITY_COLUMNS.items()}
    return columns | {"Atypicality": ATYPICALITY}


CONTROL_COLUMNS = {
    "cohort": "Name of the cohort",
    "kind": "control: what nuisance tells of the target by itself; model: accuracy over and within sites; modality: "
    "how well the site is told from its features",
    "name": "Controls joined with +, model, or modality",
    "given": "Control that the bits are beyond; empty for none",
    "bits": "Information of the controls about the target, mean log score of held-out people, in bits",
    "se": "Its standard error, clustered where people are of groups",
    "ci_low": "Lower end of its interval over people",
    "ci_high": "Upper end of it",
    "mae": "Mean absolute error of held-out people, in the target's units",
    "r2": "Part of the target's variance in the cohort that is explained",
    "r2_within_site": "Part of the target's variance within sites that is explained, each site's mean error forgiven",
    "balanced_accuracy": "Part of the people of a site, mean over sites, whose site a linear classifier tells from the "
    "features, held out",
    "chance": "What a classifier that knows nothing reaches: one in the number of sites",
    "n": "People with every modality; of classifiers, those at sites of 10 or more",
}


def control_dictionary() -> dict[str, object]:
    """Data dictionary of ``controls.tsv``."""
    return {name: {"Description": text} for name, text in CONTROL_COLUMNS.items()}


BASE_LEARNER_COLUMNS = {
    "model": "Model that is made of base learners",
    "base_learner": "Base learner; head is the closed-form joining of the modalities' scalar latents",
    "share": "Part of the weights in the prediction of people with every modality, mean over folds, 0 where it was not "
    "fitted",
    "share_min": "Smallest share of a fold",
    "share_max": "Largest share of a fold",
    "folds_fitted": "Folds in which it was fitted",
    "n_folds": "Folds, over all repeats",
}


def base_learner_dictionary(choices: Mapping[Any, object]) -> dict[str, object]:
    """Data dictionary of ``base_learners.tsv``, with what the folds of each model chose besides."""
    columns: dict[str, object] = {name: {"Description": text} for name, text in BASE_LEARNER_COLUMNS.items()}
    return columns | {"Choices": {str(model): own for model, own in choices.items()}}


def dictionary() -> dict[str, object]:
    """Data dictionary of ``pid.tsv`` in the form of BIDS."""
    levels = {"estimator": ESTIMATORS, "measure": MEASURES, "scope": SCOPES, "atom": ATOMS}
    units = dict.fromkeys(("bits", "se", "ci_low", "ci_high"), "bits")
    columns = {
        name: {"Description": text}
        | ({"Levels": levels[name]} if name in levels else {})
        | ({"Units": units[name]} if name in units else {})
        for name, text in COLUMNS.items()
    }
    return columns | {"CannotSay": list(CANNOT_SAY)}
