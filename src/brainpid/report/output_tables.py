"""The tables that a run leaves, column by column: type, unit and meaning.

What a column means stands once: where a table has a data dictionary beside it, the meaning comes from there.
"""

from __future__ import annotations

from brainpid.features.findings import COLUMNS as LEAKAGE_COLUMNS
from brainpid.report import glossary, group_columns, plan
from brainpid.report.calibration_columns import CALIBRATION, OF_NEW_SITES
from brainpid.report.described import (
    ANY,
    BITS,
    COST,
    FIT,
    INTEGER,
    MAE_INTERVAL,
    NONE,
    NUMBER,
    PART,
    PEOPLE,
    TARGET,
    TEXT,
    TRUTH,
    Described,
    Kinds,
    of_glossary,
    table,
)

WHO: Described = {
    "participant_id": (TEXT, NONE, "Label of the person, as in the participants table"),
    "cohort": (TEXT, NONE, "Name of the cohort"),
}
PERSON: Described = WHO | {
    "site": (TEXT, NONE, "Site; the cohort's name where none is known"),
    "age": (NUMBER, TARGET, "True target, whatever the column of the participants table is called"),
}
PREDICTION: Described = {
    "predicted_age": (NUMBER, TARGET, "Prediction by a model that has not seen the person"),
    "predicted_age_corrected": (NUMBER, TARGET, "The same, corrected for age bias by a line of known or of new sites"),
    "brain_pad": (NUMBER, TARGET, "Predicted less true target"),
    "brain_pad_corrected": (NUMBER, TARGET, "Corrected prediction less true target"),
    "pi_low": (NUMBER, TARGET, "Lower end of the prediction interval, `interval_coverage` of the configuration"),
    "pi_high": (NUMBER, TARGET, "Upper end of it"),
    "modalities": (TEXT, NONE, "Modalities that the person has, joined with +"),
    "atypicality": (NUMBER, PART, glossary.ATYPICALITY),
}
MODEL: Described = {"model": (TEXT, NONE, "Name of the model")}
FOLD: Described = {
    "repeat": (INTEGER, NONE, "Repeat of the folds, from 0"),
    "fold": (INTEGER, NONE, "Fold in which the person is held out, from 0"),
}
READERS: Described = {
    "latent_<m>": (NUMBER, "standard deviations of the target's normal score", "Out-of-fold latent of the modality"),
    "subset_<subset>": (NUMBER, TARGET, "Prediction from these modalities alone"),
    "log_score_<subset>": (NUMBER, BITS, "Log score of the person's target under the prediction from these"),
}
SUBSET_OF: Described = {"modalities": (TEXT, NONE, "Modalities that people have, joined with +")}
N: Described = {"n": (INTEGER, PEOPLE, "Number of people")}

_INTERVAL = dict.fromkeys(("bits", "se", "ci_low", "ci_high"), (NUMBER, BITS))
_ERROR = dict.fromkeys(("mae", "mae_ci_low", "mae_ci_high"), (NUMBER, TARGET))
_LABELS = ("cohort", "model", "estimator", "given", "measure", "scope", "modalities", "atom", "participant_id", "site")

PID_KINDS: Kinds = dict.fromkeys(_LABELS, (TEXT, NONE)) | _INTERVAL | {
    "share": (NUMBER, PART), "p_value": (NUMBER, PART), "n": (INTEGER, PEOPLE), "n_folds": (INTEGER, "folds"),
    "se_factor": (NUMBER, NONE), **dict.fromkeys(("age_sd", "age_low", "age_high"), (NUMBER, TARGET)),
}  # fmt: skip
CONTROL_KINDS: Kinds = _INTERVAL | dict.fromkeys(("cohort", "kind", "name", "given"), (TEXT, NONE)) | {
    "mae": (NUMBER, TARGET), "r2": (NUMBER, "at most 1"), "r2_within_site": (NUMBER, "at most 1"),
    "balanced_accuracy": (NUMBER, PART), "chance": (NUMBER, PART), "n": (INTEGER, PEOPLE),
}  # fmt: skip
SELECTION_KINDS: Kinds = _ERROR | {
    "modalities": (TEXT, NONE), "cost": (NUMBER, COST), "n": (INTEGER, PEOPLE), "information_bits": (NUMBER, BITS),
    "recommended": (TRUTH, NONE),
}  # fmt: skip
PERSON_KINDS: Kinds = dict.fromkeys(_LABELS, (TEXT, NONE)) | {
    **{name: (kind, unit) for name, (kind, unit, _) in PREDICTION.items() if name != "modalities"},
    "age": (NUMBER, TARGET), "repeats": (INTEGER, "repeats"), "information": (NUMBER, BITS),
    "trained_on": (TRUTH, NONE),
    "brain_pad_common": (NUMBER, TARGET), "information_alone_<m>": (NUMBER, BITS),
    "information_added_<m>": (NUMBER, BITS), "brain_pad_<m>": (NUMBER, TARGET),
    "brain_pad_specific_<m>": (NUMBER, TARGET),
}  # fmt: skip
IMPORTANCE_KINDS: Kinds = {
    **dict.fromkeys(("modality", "scope", "feature", "region", "group", "units"), (TEXT, NONE)),
    **dict.fromkeys(
        ("change", "change_sd", "importance", "importance_sd", "effect", "effect_sd"), (NUMBER, TARGET)
    ),
    "sign_agreement": (NUMBER, PART), "rank": (NUMBER, "1 is largest"), "rank_sd": (NUMBER, NONE),
    "n_folds": (INTEGER, "folds"), "exact_folds": (INTEGER, "folds"),
}  # fmt: skip
ATYPICALITY_KINDS: Kinds = {
    "low": (NUMBER, PART), "high": (NUMBER, PART), "n": (INTEGER, PEOPLE), "mae": (NUMBER, TARGET),
    "bias": (NUMBER, TARGET), "coverage": (NUMBER, PART),
}  # fmt: skip
BASE_LEARNER_KINDS: Kinds = {
    **dict.fromkeys(("model", "base_learner"), (TEXT, NONE)),
    **dict.fromkeys(("share", "share_min", "share_max"), (NUMBER, PART)),
    **dict.fromkeys(("folds_fitted", "n_folds"), (INTEGER, "folds")),
}
LEAKAGE_KINDS: Kinds = dict.fromkeys(LEAKAGE_COLUMNS, (TEXT, NONE)) | {"n": (INTEGER, "as in `who`")}
PLAN_KINDS: Kinds = {
    **dict.fromkeys(("cohort", "model", "quantity", "modalities", "kind", "units"), (TEXT, NONE)),
    **dict.fromkeys(("value", "ci_low", "ci_high", "gain", "gain_low", "gain_high"), (NUMBER, ANY)),
    "times": (NUMBER, NONE), "n": (INTEGER, PEOPLE), "n_evaluated": (INTEGER, PEOPLE),
}  # fmt: skip

TRAINED_ON: Described = {"trained_on": (TRUTH, NONE, group_columns.TRAINED_ON)}
PARTICIPANTS: Described = PERSON | {
    "sex": (TEXT, NONE, "As in the participants table; n/a where unknown"),
    "<m>_status": (TEXT, NONE, "SUCCESS, FAIL, UNAVAILABLE or EXCLUDED"),
    "<m>_reason": (
        TEXT,
        NONE,
        "Why it is not SUCCESS; of EXCLUDED what the list `exclude` says, or which rule is broken",
    ),
    "included": (TRUTH, NONE, "Whether the person takes part"),
    "reason": (TEXT, NONE, "Why not"),
    **TRAINED_ON,
}
SPLITS: Described = (
    WHO
    | FOLD
    | {
        "role": (
            TEXT,
            NONE,
            "train, test, or other: predicted by the fold's model and never trained on; who shares a group "
            "with somebody tested has no row in that fold",
        ),
        "scheme": (TEXT, NONE, "Schemes of the fold, joined with +; there where several are, or sites are left out"),
    }
)
FEATURES: Described = {
    "modality": (TEXT, NONE, "Modality"),
    "feature": (TEXT, NONE, "Name of the feature"),
    "units": (TEXT, NONE, "Its unit, as its source gives it; empty for none"),
    "n": (INTEGER, PEOPLE, "People with a value, of all cohorts (of the training group, where there is one)"),
    "included": (TRUTH, NONE, "Whether the feature takes part"),
    "reason": (TEXT, NONE, "Why not"),
    "note": (TEXT, NONE, "Values that may stand for nothing, such as -9999"),
}
INDEX: Described = {
    "participant_id": WHO["participant_id"],
    "modality": (TEXT, NONE, "Modality"),
    "role": (TEXT, NONE, "What the file is to the extractor, such as image, bval, mask"),
    "path": (TEXT, NONE, "The file; empty where there is none"),
    "reason": (TEXT, NONE, "Why there is none"),
    "note": (TEXT, NONE, "What was chosen among several"),
    "acquisition": (TEXT, NONE, "Entities of the image that was taken, such as acq-mprage, by which people may differ"),
}
QUALITY: Described = WHO | {
    "modality": (TEXT, NONE, "Modality"),
    "status": (TEXT, NONE, "SUCCESS, FAIL, UNAVAILABLE or EXCLUDED"),
    "largest_z": (NUMBER, "robust standard deviations", "Largest distance from the cohort's median in any measure"),
    "outlier_in": (TEXT, NONE, "Measures in which the person stands out, by 3.5 or more"),
    "<measure>": (NUMBER, "of the measure", "Measures of quality of this kind of image, such as mean displacement"),
    "note": (TEXT, NONE, "What the extraction noted"),
    "acquisition": INDEX["acquisition"],
}
ACCURACY: Described = {
    "cohort": (TEXT, NONE, "Name of the cohort; pooled is a random-effects mean over cohorts"),
    "scheme": (TEXT, NONE, "How test sets were made"),
    **MODEL, **SUBSET_OF, **N,
    "mae": (NUMBER, TARGET, "Mean absolute error of held-out people, not corrected for age bias"),
    **MAE_INTERVAL,
    "rmse": (NUMBER, TARGET, "Root of the mean squared error"),
    **FIT,
    "mae_corrected": (NUMBER, TARGET, "Mean absolute error of the predictions that are corrected for age bias"),
}  # fmt: skip
COMPARISON: Described = {
    "cohort": (TEXT, NONE, "Name of the cohort; pooled is a random-effects mean over cohorts"),
    "model": (TEXT, NONE, "Model that is compared"),
    "reference": (TEXT, NONE, "First model of the configuration"),
    **SUBSET_OF, **N,
    "difference": (NUMBER, TARGET, "Mean absolute error of the reference less that of the model; below 0 it is better"),
    "ci_low": (NUMBER, TARGET, "Lower end of its interval over people"),
    "ci_high": (NUMBER, TARGET, "Upper end of it"),
}  # fmt: skip
COVERAGE: Described = {
    **MODEL,
    "kind": (TEXT, NONE, "all, cohort, modalities, site, predicted band or band (of the true target)"),
    "group": (TEXT, NONE, "Which of them"),
    **N,
    "coverage": (NUMBER, PART, "Part of the people whose interval covers the true target"),
    "ci_low": (NUMBER, PART, "Lower end of its 95% interval"),
    "ci_high": (NUMBER, PART, "Upper end of it"),
    "mean_width": (NUMBER, TARGET, "Mean width of the intervals"),
    "interval_score": (NUMBER, TARGET, "Width and what lies outside, small is good (Gneiting and Raftery 2007)"),
}  # fmt: skip
SCHEME_OF: Described = {
    "scheme": (TEXT, NONE, "How test sets were made; the column is there where there are several schemes")
}
SEEN: Described = {
    "site_seen": (TEXT, NONE, "yes or no: whether training had this site; empty where it is not known"),
    "pi_width_known_site": (NUMBER, TARGET, glossary.KNOWN_WIDTH),
}
_GAPS = {"mae": TARGET, "bias": TARGET, "coverage": PART, "bits": BITS}
TRANSFER: Described = {
    **MODEL,
    "cohort": (TEXT, NONE, "Name of the cohort; pooled is everybody together"),
    "site": (TEXT, NONE, "Site of the cohort with 20 people or more; empty for all of it"),
    "scheme": (TEXT, NONE, "How test sets were made"),
    **N,
    "mae": (NUMBER, TARGET, "Mean absolute error; a person's repeats are averaged first"),
    "bias": (NUMBER, TARGET, "Mean of predicted less true target"),
    "coverage": (NUMBER, PART, "Part of the people whose interval covers the true target"),
    "bits": (NUMBER, BITS, "Information in the prediction of people with every modality, by the log score"),
    "reference": (TEXT, NONE, "Scheme that gaps are to; empty in its own rows"),
    **{
        f"{value}_{end}": (NUMBER, unit, words.format(value))
        for value, unit in _GAPS.items()
        for end, words in (
            ("gap", "Mean over people of {} less that of the reference"),
            ("gap_low", "Lower end of the interval of the gap of {}, `pid.confidence` of the configuration"),
            ("gap_high", "Upper end of it ({})"),
        )
    },
    "sites": (INTEGER, "sites", "Sites of these people"),
    "interval_over": (TEXT, NONE, "people and sites, or people alone where there are fewer than five sites"),
}
_OF_IT = (NUMBER, "of `quantity`")
HARMONISATION: Described = {
    "scheme": (TEXT, NONE, "How test sets were made; the first repeat of it"), **MODEL,
    "quantity": (TEXT, NONE, "mae in the target's units, bits, or r2_within_site"), **N,
    "as_they_are": (*_OF_IT, "By the model fitted to features as they are"),
    "harmonised": (*_OF_IT, "By the model fitted to harmonised features in the same folds"),
    "difference": (*_OF_IT, "Harmonised less as they are, mean over people"),
    "ci_low": (*_OF_IT, "Lower end of its interval, `pid.confidence` of the configuration"),
    "ci_high": (*_OF_IT, "Upper end of it"), **{name: TRANSFER[name] for name in ("sites", "interval_over")},
}  # fmt: skip
RELIABILITY: Described = {
    "cohort": WHO["cohort"], **MODEL,
    "quantity": (TEXT, NONE, "Column of person.tsv"),
    "n": (INTEGER, PEOPLE, "People of whom it is known"),
    "repeats": (INTEGER, "repeats", "Repeats of the folds"),
    "reliability": (NUMBER, "at most 1", "Of one repeat: intraclass correlation ICC(C,1)"),
    "reliability_of_mean": (NUMBER, "at most 1", "Of the mean over repeats: ICC(C,k)"),
    "split_half": (NUMBER, "-1 to 1", "Correlation of both halves of the repeats, stepped up (Spearman and Brown)"),
}  # fmt: skip
NULL: Described = {
    "cohort": WHO["cohort"],
    "given": (TEXT, NONE, glossary.COLUMNS["given"]),
    "modalities": (TEXT, NONE, "Modality that is tested, or all joined with +"),
    "atom": (TEXT, NONE, "total, against permutations of the target; added, against draws given the others"),
    "bits": (NUMBER, BITS, "Found by the encoder of the null, fitted within the cohort"),
    "null_mean": (NUMBER, BITS, "Mean under the null"),
    "null_95": (NUMBER, BITS, "95th percentile under the null"),
    "p_value": (NUMBER, PART, "One-sided"),
    "permutations": (INTEGER, NONE, "Permutations or draws"),
    **N,
}
NORMALITY: Described = {
    "cohort": WHO["cohort"], **MODEL, **N,
    "skewness": (NUMBER, NONE, "Mardia's multivariate skewness of latents and target"),
    "skewness_p": (NUMBER, PART, "p-value of it"),
    "kurtosis_ratio": (NUMBER, NONE, "Mardia's kurtosis as a part of what is expected; 1 is normal"),
    "kurtosis_p": (NUMBER, PART, "p-value of it"),
    "bits": (NUMBER, BITS, "Total information of the Gaussian score"),
    "bits_copula": (NUMBER, BITS, "The same from ranked latents"),
    "doubts": (TEXT, NONE, "What speaks against normality"),
}  # fmt: skip
POOLING: Described = {
    **MODEL,
    **{
        name: (TEXT, NONE, glossary.COLUMNS[name])
        for name in ("estimator", "given", "measure", "scope", "modalities", "atom")
    },
    "bits": (NUMBER, BITS, "Mean over cohorts, with random effects; ci_low and ci_high are its interval"),
    "ci_low": (NUMBER, BITS, "Lower end"),
    "ci_high": (NUMBER, BITS, "Upper end"),
    "fixed_bits": (NUMBER, BITS, "Mean as if cohorts did not differ; fixed_ci_low and fixed_ci_high are its interval"),
    "fixed_ci_low": (NUMBER, BITS, "Lower end"),
    "fixed_ci_high": (NUMBER, BITS, "Upper end"),
    "predicted_low": (NUMBER, BITS, "Lower end of what another cohort is expected to show"),
    "predicted_high": (NUMBER, BITS, "Upper end of it"),
    "tau": (NUMBER, BITS, "Standard deviation between cohorts; tau_low and tau_high are its interval"),
    "tau_low": (NUMBER, BITS, "Lower end"),
    "tau_high": (NUMBER, BITS, "Upper end"),
    "cohorts": (INTEGER, "cohorts", "Number of cohorts"),
    **N,
    "middle_age_sd": (
        NUMBER,
        TARGET,
        "Geometric mean of the cohorts' standard deviations of the target; empty below 6 "
        "cohorts and for atoms other than total, alone and added of one_vs_rest, as all that follow",
    ),
    "moderated_bits": (NUMBER, BITS, "What a cohort of that standard deviation tells: its log2 is a moderator"),
    "moderated_ci_low": (NUMBER, BITS, "Lower end of its interval"),
    "moderated_ci_high": (NUMBER, BITS, "Upper end of it"),
    "moderated_tau": (NUMBER, BITS, "Standard deviation between cohorts that the moderator leaves"),
    "per_doubling": (NUMBER, BITS, "How many bits twice the standard deviation brings; 1 where errors are equal"),
    "per_doubling_ci_low": (NUMBER, BITS, "Lower end of its interval"),
    "per_doubling_ci_high": (NUMBER, BITS, "Upper end of it"),
}
NEW_PEOPLE: Described = {
    **WHO, **SEEN, "modalities": PREDICTION["modalities"],
    **{name: PREDICTION[name] for name in ("predicted_age", "predicted_age_corrected", "pi_low", "pi_high")},
    "atypicality": PREDICTION["atypicality"],
    "gain_<m>": (NUMBER, TARGET, "By how much the interval is expected to narrow if the modality were acquired"),
    **OF_NEW_SITES,
    "reason": (TEXT, NONE, "Why there is no prediction, or which features lie so far out that they were clipped"),
}  # fmt: skip
PERSON_MEANINGS = (
    glossary.PERSON_COLUMNS
    | {"trained_on": group_columns.TRAINED_ON}
    | {f"{what}_<m>": words.format("the modality") for what, words in glossary.PERSON_COLUMNS_OF_MODALITY.items()}
)

OUTPUT_TABLES = (
    table("participants.tsv", "one row a person and cohort: what there is, and who takes part", PARTICIPANTS),
    table("splits.tsv", "one row a person, repeat and fold", SPLITS),
    table("features.tsv", "one row a feature", FEATURES),
    table("index/<cohort>.tsv", "of cohorts with images, one row a file, or a person without", INDEX),
    table("quality/<m>.tsv", "of modalities from images, one row a person", QUALITY),
    of_glossary(
        "aggregate/leakage.tsv", "one row a finding that makes results too good", LEAKAGE_COLUMNS, LEAKAGE_KINDS
    ),
    table("aggregate/accuracy.tsv", "one row a cohort, model and set of modalities that people have", ACCURACY),
    table("aggregate/comparison.tsv", "the first model against every other one, person by person", COMPARISON),
    table("aggregate/coverage.tsv", "one row a model and group of people", COVERAGE),
    table(
        "aggregate/predictions.tsv", "one row a person, model and repeat",
        PERSON | TRAINED_ON | SCHEME_OF | MODEL | FOLD | PREDICTION | SEEN,
    ),
    table(
        "aggregate/transfer.tsv", "of several schemes, one row a model, scheme and cohort or site", TRANSFER
    ),
    of_glossary("aggregate/calibration.tsv", "one row a model and number of people of a new site", *CALIBRATION),
    table("aggregate/groups.tsv", "of groups that are compared, one row a group and cohort", group_columns.GROUPS),
    table("aggregate/others.tsv", "with `train_on`, one row a cohort, model and group", group_columns.OTHERS),
    table("aggregate/harmonisation.tsv", "with `harmonise`, one row a scheme and quantity", HARMONISATION),
    of_glossary("aggregate/pid.tsv", "one row an atom; `pid.json` describes it", glossary.COLUMNS, PID_KINDS),
    table("aggregate/pooling.tsv", "one row a pooled row of pid.tsv", POOLING),
    of_glossary(
        "aggregate/controls.tsv", "one row a control, a model or a modality", glossary.CONTROL_COLUMNS, CONTROL_KINDS
    ),
    of_glossary("aggregate/person.tsv", "one row a person and model, repeats averaged", PERSON_MEANINGS, PERSON_KINDS),
    table("aggregate/reliability.tsv", "one row a cohort, model and quantity of person.tsv", RELIABILITY),
    of_glossary(
        "aggregate/selection.tsv", "one row a subset of the modalities", glossary.SELECTION_COLUMNS, SELECTION_KINDS
    ),
    of_glossary(
        "aggregate/importance.tsv", "one row a modality, region, group or feature", glossary.IMPORTANCE_COLUMNS,
        IMPORTANCE_KINDS,
    ),
    of_glossary(
        "aggregate/atypicality.tsv", "one row a tenth of atypicality", glossary.ATYPICALITY_COLUMNS, ATYPICALITY_KINDS
    ),
    of_glossary(
        "aggregate/base_learners.tsv", "one row a model and base learner", glossary.BASE_LEARNER_COLUMNS,
        BASE_LEARNER_KINDS,
    ),
    table(
        "reference/scores.tsv", "with `reference_ages`, one row a person, model and repeat",
        WHO | MODEL | FOLD | {
            "age": PERSON["age"],
            "log_score_<subset>": (NUMBER, BITS, "Log score of the person's target relative to the reference"),
            "weight": (NUMBER, NONE, "How many people the person stands for; 0 outside of the reference"),
        },
    ),
    table("aggregate/null.tsv", "one row a cohort and tested value", NULL),
    table("aggregate/normality.tsv", "one row a cohort and model", NORMALITY),
    table("aggregate/latents.tsv", "one row a person, model and repeat", PERSON | MODEL | FOLD | READERS),
    of_glossary("plan/plan.tsv", "by `brainpid plan`, one row a value", plan.COLUMNS, PLAN_KINDS),
    table("predictions.tsv of `brainpid predict`", "one row a new person", NEW_PEOPLE),
)  # fmt: skip
