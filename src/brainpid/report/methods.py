"""Methods text ready to paste: what was run, in the order of COBIDAS (Nichols et al. 2017)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from brainpid.cohort.participants import EXCLUDED
from brainpid.config.slices import ReportSettings
from brainpid.core.names import WITHOUT_LATENTS
from brainpid.evaluation.random_effects import POOLED
from brainpid.report.beyond import in_words
from brainpid.report.groups import groups_in_methods
from brainpid.report.harmonised import harmonisation_in_methods
from brainpid.report.leaks import leaks_in_methods
from brainpid.report.local_people import in_methods
from brainpid.report.new_sites import new_sites_in_methods
from brainpid.report.words import BASE_LEARNER_LABELS, LABELS, design, listed, number, people

KINDS = {
    "table": "tables of features",
    "nifti": "raw images, from which brainpid extracted regional features",
    "fmriprep": "images of fMRIPrep (Esteban et al. 2019), from which brainpid extracted regional features",
    "freesurfer": "statistics of FreeSurfer (Fischl 2012)",
    "qsirecon": "maps of QSIRecon (Cieslak et al. 2021), from which brainpid extracted regional features",
    "import": "files, from which a function of the study extracted features",
}
"""What a kind of source is, in words; another kind is called by its name."""
MEASURES = {
    "mmi": "minimum mutual information (Barrett 2015)",
    "idep": "dependency constraints (Kay and Ince 2018)",
}


class Paragraph(NamedTuple):
    """One heading of the methods, and its text."""

    heading: str
    words: str


def methods_text(
    settings: ReportSettings,
    tables: Mapping[str, pd.DataFrame],
    made_of: Mapping[str, Any],
    trained_with: Mapping[str, str],
    given: str = "",
) -> list[Paragraph]:
    """Write the methods of a run.

    Parameters
    ----------
    settings : ReportSettings
        What was run.
    tables : mapping of str to DataFrame
        ``participants``, ``features``, ``base_learners``, ``accuracy``, ``leakage`` and, where sites are left out,
        ``calibration`` as they stand in the output folder; ``new_sites``, rows of people of new sites.
    made_of : mapping
        ``Choices`` of ``aggregate/base_learners.json``.
    trained_with : mapping of str to str
        Versions of Python and the libraries by which the folds were trained.
    given : str
        Controls beyond which the information is that is shown, joined by ``+``; empty for none.
    """
    return [
        Paragraph("Participants", _participants(tables["participants"], settings)),
        Paragraph("Imaging data", _inputs(settings)),
        Paragraph("Features", _features(tables["features"]) + _regions(settings) + harmonisation_in_methods(settings)),
        Paragraph("Audit", leaks_in_methods(tables["leakage"])),
        Paragraph(
            "Design",
            _design(settings)
            + groups_in_methods(tables["participants"], settings)
            + in_methods(tables.get("calibration"), settings),
        ),
        Paragraph("Models", _models(tables["base_learners"], made_of, settings)),
        Paragraph("Measures", _measures(settings) + _beyond(given)),
        Paragraph(
            "Intervals",
            _intervals((tables["accuracy"]["cohort"] == POOLED).any(), settings)
            + new_sites_in_methods(tables["new_sites"], settings),
        ),
        Paragraph("Tests", _tests(settings)),
        Paragraph("Software", _software(trained_with)),
    ]


def _participants(participants: pd.DataFrame, settings: ReportSettings) -> str:
    """People of each cohort, with sex where it is known, and why others take no part."""
    name, units = settings.target.column, settings.target.units
    told = []
    for cohort, everybody in participants.groupby("cohort", sort=False):
        own = everybody[everybody["included"].astype(bool)]
        sexes = own["sex"].dropna().astype(str).value_counts() if "sex" in own else pd.Series(dtype=int)
        of_sex = f"; sex {', '.join(f'{sex}: {count}' for sex, count in sexes.items())}" if len(sexes) else ""
        told.append(
            f"{cohort}: {people(len(own))} of {len(everybody)} took part, {name} {own['age'].min():.4g} to "
            f"{own['age'].max():.4g} {units} (mean {number(own['age'].mean(), 1)}, standard deviation "
            f"{number(own['age'].std(), 1)}){of_sex}."
        )
        left = _why_not(everybody[~everybody["included"].astype(bool)], settings).value_counts()
        if len(left):
            told.append(f"Not included: {'; '.join(f'{reason} (n = {count})' for reason, count in left.items())}.")
        statuses = ((modality, everybody[f"{modality}_status"]) for modality in settings.modalities)
        lost = [
            f"{modality} {status.lower()} n = {count}"
            for modality, values in statuses
            for status, count in values[values != "SUCCESS"].value_counts().items()
        ]
        if lost:
            told.append(f"Modalities that people lacked: {', '.join(lost)}.")
    return " ".join(told)


def _why_not(excluded: pd.DataFrame, settings: ReportSettings) -> pd.Series:
    """Why people take no part, without names of files; the words of ``participants.tsv`` where it is another reason."""
    usable = pd.DataFrame({name: excluded[f"{name}_status"] == "SUCCESS" for name in settings.modalities})
    own = excluded["reason"].fillna("no reason given").astype(str)
    if settings.incomplete == "exclude":
        own = own.mask(~usable.all(axis=1), "not every modality usable")
    listed_out = own.str.startswith(f"{EXCLUDED}: ")
    own = own.mask(~usable.any(axis=1) & ~listed_out, "no modality usable")
    own = own.mask(listed_out, own.str.replace(f"{EXCLUDED}: ", "excluded beforehand: "))
    return own.mask(excluded["age"].isna(), f"no known {settings.target.column}")


def _inputs(settings: ReportSettings) -> str:
    """Where the features of each modality come from, once for all cohorts with the same source."""
    told = []
    for modality in settings.modalities:
        sources: dict[str, list[str]] = {}
        for cohort, inputs in settings.inputs.items():
            if (own := inputs.get(modality)) is not None:
                divided = f", those of its unit divided by {own.divide_by}" if own.divide_by else ""
                sources.setdefault(KINDS.get(own.kind, own.kind) + divided, []).append(cohort)
        several = len(settings.inputs) > 1
        words = [f"{source} ({listed(cohorts)})" if several else source for source, cohorts in sources.items()]
        told.append(f"{modality}: {'; '.join(words)}.")
    return " ".join(told)


def _features(features: pd.DataFrame) -> str:
    """How many features each modality has, and how many take no part."""
    told = []
    for modality, rows in features.groupby("modality", sort=False):
        left = int((~rows["included"].astype(bool)).sum())
        told.append(f"{modality} {len(rows) - left}" + (f" ({left} without information left out)" if left else ""))
    return (
        f"Features by modality: {', '.join(told)}. Scaling and every other transform was fitted on training "
        "participants of a fold and applied to its held-out participants."
    )


def _regions(settings: ReportSettings) -> str:
    """Which atlases features were cut by."""
    told = []
    for tissue, words in (
        ("gray", "grey matter of MNI152 cut by the coordinates of Seitzman et al. (2020)"),
        ("white", "white matter of MNI152 cut by the coordinates of Dosenbach et al. (2010)"),
    ):
        names = [name for name, own in settings.atlases.items() if own.files is None and own.tissue == tissue]
        if names:
            told.append(f"{listed(names)}: {words}")
    given = [name for name, own in settings.atlases.items() if own.files is not None]
    if given:
        told.append(f"{listed(given)}: a parcellation given in MNI space")
    return f" Regions: {'; '.join(told)}." if told else ""


def _design(settings: ReportSettings) -> str:
    """How people were divided, and what became of incomplete ones."""
    splits = settings.splits
    incomplete = (
        "Participants who lacked modalities were used for training and predicted from those at hand; information was "
        "read from participants with all of them."
        if settings.incomplete == "use"
        else "Participants without every modality were left out."
    )
    groups = f" Equal values of {splits.group} stayed on one side of every split." if splits.group else ""
    names = {"kfold": "stratified"} | {s: s.replace("_", "-") for s in ("leave_one_cohort_out", "leave_one_site_out")}
    first, *more = (names[scheme] for scheme in splits.schemes)
    beside = (
        f" The same models were also trained by {listed(more)} cross-validation; gaps between the schemes are means of "
        "participants' own differences, with intervals over participants and, of five or more sites, over sites (Liang "
        "and Zeger 1986). Results are of the first unless said."
        if more
        else ""
    )
    return (
        f"{first.capitalize()} cross-validation ({design(splits)}; seed {splits.seed}). All results are of out-of-fold "
        f"predictions.{beside}{groups} {incomplete}"
    )


def _models(base_learners: pd.DataFrame, made_of: Mapping[str, Any], settings: ReportSettings) -> str:
    """Models in the order of the configuration; of one that is made of base learners, which."""
    told = []
    for model in settings.models:
        own = base_learners[base_learners["model"] == model] if made_of.get(model) else base_learners.iloc[:0]
        names = [BASE_LEARNER_LABELS.get(name, name) for name in own.loc[own["folds_fitted"] > 0, "base_learner"]]
        of = f" (stacked base learners: {listed(names)})" if names else ""
        cited = ", after Ma and Yu (2025)" if model == "pidreg" else ""
        told.append(f"{LABELS[model]}{cited}{of}")
    return f"Trained on the same folds: {'; '.join(told)}. Results are of {LABELS[settings.models[0]]} unless said."


def _measures(settings: ReportSettings) -> str:
    """What was read from predictions."""
    if all(model in WITHOUT_LATENTS for model in settings.models):
        return f"Mean absolute error of {settings.target.column}, R2 and Pearson's r."
    return (
        f"Accuracy of {settings.target.column}: mean absolute error ({settings.target.units}), R2 and Pearson's r, "
        "repeats of a participant averaged first. Information (bits): mean log score of out-of-fold predictive "
        "densities relative to the distribution of the target (Gneiting and Raftery 2007), of every subset of the "
        f"modalities; decomposed by {listed([MEASURES[measure] for measure in settings.pid.measures])}. Beside it, the "
        "information of scalar latents as if jointly normal, corrected for bias; joint normality by Mardia (1970)."
    )


def _beyond(given: str) -> str:
    """How information beyond controls was read; empty where there are none."""
    if not given:
        return ""
    return (
        f" Information is given beyond {in_words(given)}: the mean difference of log scores of readers that see these "
        "with and without the out-of-fold prediction, regressions of the normal score of the target with shrunken "
        "effects (restricted maximum likelihood; Wood and Fasiolo 2017) and a spread for each site, fitted without the "
        "fold of the person."
    )


def _intervals(pooled: bool, settings: ReportSettings) -> str:
    """Intervals over people, of predictions, and of several cohorts."""
    over = (
        " Cohorts were pooled by a Bayesian random-effects model with a half-normal prior on the standard deviation "
        f"between cohorts (scale {settings.pid.heterogeneity:g} bits)."
        if pooled
        else ""
    )
    return (
        f"{number(100 * settings.pid.confidence, 0)}% intervals are over participants, those of information widened "
        f"for cross-fitting.{over}{_reference(settings)} Prediction intervals of single participants promise "
        f"{number(100 * settings.interval_coverage, 0)}%; their coverage is given with intervals of Wilson (1927)."
    )


def _reference(settings: ReportSettings) -> str:
    """For which distribution of the target information is given besides."""
    if settings.reference_ages is None:
        return ""
    return (
        f" Information is also given as if {settings.target.column} were distributed {settings.reference_ages.words}: "
        "predictive densities were taken relative to that distribution, and participants of a cohort post-stratified "
        "to it (Holt and Smith 1979)."
    )


def _tests(settings: ReportSettings) -> str:
    """How it was tested that modalities tell and add something."""
    if not settings.null.permutations:
        return "Information was not tested against a null."
    whole = f", whole groups of {settings.splits.group} at once" if settings.splits.group else ""
    return (
        f"What all modalities tell was tested against {settings.null.permutations} permutations of the target in each "
        f"cohort, and what each adds against as many draws of it given the others{whole},"
        f" by the {settings.null.encoder} encoder fitted anew to each in {settings.null.folds} folds; one-sided, not "
        "corrected for the number of modalities."
    )


def _software(trained_with: Mapping[str, str]) -> str:
    """Programs and versions."""
    libraries = ", ".join(f"{name} {number}" for name, number in trained_with.items())
    return f"Models were trained by {libraries}, with Snakemake (M\u00f6lder et al. 2021) as the workflow manager."
