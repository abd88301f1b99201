"""Works that a run rests on, as BibTeX."""

from __future__ import annotations

from brainpid.config.slices import ReportSettings
from brainpid.config.sources import IMAGES
from brainpid.core.citation import PROGRAM, bibtex_entries
from brainpid.model.registry import MODELS


def _article(authors: str, year: int, title: str, journal: str, place: str, doi: str) -> str:
    """Fields of an article; `place` is its volume and its pages or number, joined by a colon."""
    volume, pages = place.split(":")
    return (
        f"author={{{authors}}}, title={{{title}}}, journal={{{journal}}}, volume={{{volume}}}, pages={{{pages}}}, "
        f"year={{{year}}}, doi={{{doi}}}"
    )


ARTICLES = {
    "Nichols2017": _article(
        "Nichols, Thomas E. and Das, Samir and Eickhoff, Simon B. and others", 2017,
        "Best practices in data analysis and sharing in neuroimaging using {MRI}", "Nature Neuroscience",
        "20:299--303", "10.1038/nn.4500"),
    "Gneiting2007": _article(
        "Gneiting, Tilmann and Raftery, Adrian E.", 2007,
        "Strictly proper scoring rules, prediction, and estimation", "Journal of the American Statistical Association",
        "102:359--378", "10.1198/016214506000001437"),
    "Barrett2015": _article(
        "Barrett, Adam B.", 2015,
        "Exploration of synergistic and redundant information sharing in static and dynamical {Gaussian} systems",
        "Physical Review E", "91:052802", "10.1103/PhysRevE.91.052802"),
    "KayInce2018": _article(
        "Kay, Jim W. and Ince, Robin A. A.", 2018,
        "Exact partial information decompositions for {Gaussian} systems based on dependency constraints", "Entropy",
        "20:240", "10.3390/e20040240"),
    "Mardia1970": _article(
        "Mardia, Kanti V.", 1970, "Measures of multivariate skewness and kurtosis with applications", "Biometrika",
        "57:519--530", "10.1093/biomet/57.3.519"),
    "Wilson1927": _article(
        "Wilson, Edwin B.", 1927, "Probable inference, the law of succession, and statistical inference",
        "Journal of the American Statistical Association", "22:209--212", "10.1080/01621459.1927.10502953"),
    "Holt1979": _article(
        "Holt, D. and Smith, T. M. F.", 1979, "Post stratification",
        "Journal of the Royal Statistical Society, Series A", "142:33--46", "10.2307/2344652"),
    "EfronMorris1975": _article(
        "Efron, Bradley and Morris, Carl", 1975, "Data analysis using {Stein's} estimator and its generalizations",
        "Journal of the American Statistical Association", "70:311--319", "10.1080/01621459.1975.10479864"),
    "LiangZeger1986": _article(
        "Liang, Kung-Yee and Zeger, Scott L.", 1986, "Longitudinal data analysis using generalized linear models",
        "Biometrika", "73:13--22", "10.1093/biomet/73.1.13"),
    "deLange2022": _article(
        "de Lange, Ann-Marie G. and Anat{\\\"u}rk, Melis and Rokicki, Jaroslav and others", 2022,
        "Mind the gap: performance metric evaluation in brain-age prediction", "Human Brain Mapping", "43:3113--3129",
        "10.1002/hbm.25837"),
    "MacKinnonWhite1985": _article(
        "MacKinnon, James G. and White, Halbert", 1985,
        "Some heteroskedasticity-consistent covariance matrix estimators with improved finite sample properties",
        "Journal of Econometrics", "29:305--325", "10.1016/0304-4076(85)90158-7"),
    "FreedmanLane1983": _article(
        "Freedman, David and Lane, David", 1983, "A nonstochastic interpretation of reported significance levels",
        "Journal of Business and Economic Statistics", "1:292--298", "10.1080/07350015.1983.10509354"),
    "Johnson2007": _article(
        "Johnson, W. Evan and Li, Cheng and Rabinovic, Ariel", 2007,
        "Adjusting batch effects in microarray expression data using empirical {Bayes} methods", "Biostatistics",
        "8:118--127", "10.1093/biostatistics/kxj037"),
    "WoodFasiolo2017": _article(
        "Wood, Simon N. and Fasiolo, Matteo", 2017,
        "A generalized {Fellner-Schall} method for smoothing parameter optimization with application to {Tweedie} "
        "location, scale and shape models", "Biometrics", "73:1071--1081", "10.1111/biom.12666"),
    "Harris2020": _article(
        "Harris, Charles R. and Millman, K. Jarrod and van der Walt, St{\\'e}fan J. and others", 2020,
        "Array programming with {NumPy}", "Nature", "585:357--362", "10.1038/s41586-020-2649-2"),
    "Virtanen2020": _article(
        "Virtanen, Pauli and Gommers, Ralf and Oliphant, Travis E. and others", 2020,
        "{SciPy} 1.0: fundamental algorithms for scientific computing in {Python}", "Nature Methods",
        "17:261--272", "10.1038/s41592-019-0686-2"),
    "Moelder2021": _article(
        'M{\\"o}lder, Felix and Jablonski, Kim Philipp and Letcher, Brice and others', 2021,
        "Sustainable data analysis with {Snakemake}", "F1000Research", "10:33", "10.12688/f1000research.29032.2"),
    "Avants2011": _article(
        "Avants, Brian B. and Tustison, Nicholas J. and Song, Gang and others", 2011,
        "A reproducible evaluation of {ANTs} similarity metric performance in brain image registration", "NeuroImage",
        "54:2033--2044", "10.1016/j.neuroimage.2010.09.025"),
    "Garyfallidis2014": _article(
        "Garyfallidis, Eleftherios and Brett, Matthew and Amirbekian, Bagrat and others", 2014,
        "{DIPY}, a library for the analysis of diffusion {MRI} data", "Frontiers in Neuroinformatics", "8:8",
        "10.3389/fninf.2014.00008"),
    "Abraham2014": _article(
        "Abraham, Alexandre and Pedregosa, Fabian and Eickenberg, Michael and others", 2014,
        "Machine learning for neuroimaging with scikit-learn", "Frontiers in Neuroinformatics", "8:14",
        "10.3389/fninf.2014.00014"),
    "Seitzman2020": _article(
        "Seitzman, Benjamin A. and Gratton, Caterina and Marek, Scott and others", 2020,
        "A set of functionally-defined brain regions with improved representation of the subcortex and cerebellum",
        "NeuroImage", "206:116290", "10.1016/j.neuroimage.2019.116290"),
    "Dosenbach2010": _article(
        "Dosenbach, Nico U. F. and Nardos, Binyam and Cohen, Alexander L. and others", 2010,
        "Prediction of individual brain maturity using {fMRI}", "Science", "329:1358--1361",
        "10.1126/science.1194144"),
    "Power2012": _article(
        "Power, Jonathan D. and Barnes, Kelly A. and Snyder, Abraham Z. and others", 2012,
        "Spurious but systematic correlations in functional connectivity {MRI} networks arise from subject motion",
        "NeuroImage", "59:2142--2154", "10.1016/j.neuroimage.2011.10.018"),
    "Esteban2019": _article(
        "Esteban, Oscar and Markiewicz, Christopher J. and Blair, Ross W. and others", 2019,
        "{fMRIPrep}: a robust preprocessing pipeline for functional {MRI}", "Nature Methods", "16:111--116",
        "10.1038/s41592-018-0235-4"),
    "Fischl2012": _article(
        "Fischl, Bruce", 2012, "{FreeSurfer}", "NeuroImage", "62:774--781", "10.1016/j.neuroimage.2012.01.021"),
    "Cieslak2021": _article(
        "Cieslak, Matthew and Cook, Philip A. and He, Xiaosong and others", 2021,
        "{QSIPrep}: an integrative platform for preprocessing and reconstructing diffusion {MRI} data",
        "Nature Methods", "18:775--778", "10.1038/s41592-021-01185-5"),
}  # fmt: skip
BIBTEX = {key: f"@article{{{key}, {fields}}}" for key, fields in ARTICLES.items()} | {
    "Pedregosa2011": '@article{Pedregosa2011, author={Pedregosa, Fabian and Varoquaux, Ga{\\"e}l and Gramfort, '
    "Alexandre and others}, title={Scikit-learn: machine learning in {Python}}, journal={Journal of Machine Learning "
    "Research}, volume={12}, pages={2825--2830}, year={2011}}",
    "Paszke2019": "@inproceedings{Paszke2019, author={Paszke, Adam and Gross, Sam and Massa, Francisco and others}, "
    "title={{PyTorch}: an imperative style, high-performance deep learning library}, booktitle={Advances in Neural "
    "Information Processing Systems}, volume={32}, pages={8024--8035}, year={2019}}",
    "Ke2017": "@inproceedings{Ke2017, author={Ke, Guolin and Meng, Qi and Finley, Thomas and others}, "
    "title={{LightGBM}: a highly efficient gradient boosting decision tree}, booktitle={Advances in Neural Information "
    "Processing Systems}, volume={30}, pages={3146--3154}, year={2017}}",
}
OF_SOURCES = {
    "nifti": ("Avants2011", "Garyfallidis2014"),
    "fmriprep": ("Esteban2019",),
    "freesurfer": ("Fischl2012",),
    "qsirecon": ("Cieslak2021",),
}
"""Works by the kind of source."""
OF_MEASURES = {"mmi": "Barrett2015", "idep": "KayInce2018"}
OF_PACKAGES = {"torch": "Paszke2019", "scikit-learn": "Pedregosa2011", "lightgbm": "Ke2017"}
OF_TISSUES = {"gray": "Seitzman2020", "white": "Dosenbach2010"}
"""Coordinates by which the atlases without a download are cut."""
ALWAYS = (
    PROGRAM, "Nichols2017", "Gneiting2007", "Mardia1970", "Wilson1927", "Harris2020", "Virtanen2020", "Moelder2021",
)  # fmt: skip
METHOD = "MaYu2025"
"""Of the network; its entry is that of the program's own citation."""


def references(settings: ReportSettings, beyond: bool = False, local: bool = False) -> list[str]:
    """Keys of the works that a run rests on: the program, its method, then in the order of `BIBTEX`.

    `beyond` where information is given beyond controls, `local` where it is told what a few local people are worth.
    """
    sources = {(modality, own.kind) for inputs in settings.inputs.values() for modality, own in inputs.items()}
    kinds = {kind for _, kind in sources}
    moves = any(
        kind == "fmriprep" or (kind == "nifti" and IMAGES.get(name.lower()) == "bold") for name, kind in sources
    )
    packages = {package for model in settings.models for package in MODELS[model].packages}
    used = {
        *ALWAYS,
        *(key for kind in kinds for key in OF_SOURCES.get(kind, ())),
        *(OF_MEASURES[measure] for measure in settings.pid.measures),
        *(OF_PACKAGES[package] for package in packages if package in OF_PACKAGES),
        *(OF_TISSUES[own.tissue] for own in settings.atlases.values() if own.files is None),
        *(["Abraham2014"] if settings.atlases else []),
        *(["Power2012"] if moves else []),
        *(["Holt1979"] if settings.reference_ages else []),
        *(["LiangZeger1986"] if len(settings.splits.schemes) > 1 else []),
        *(["deLange2022", "MacKinnonWhite1985", "FreedmanLane1983"] if settings.compared else []),
        *(["WoodFasiolo2017"] if beyond else []),
        *(["EfronMorris1975"] if local else []),
        *(["Johnson2007"] if settings.harmonise.used else []),
        *([METHOD] if "pidreg" in settings.models else []),
    }
    return [key for key in bibtex_entries() | BIBTEX if key in used]


def bibtex(settings: ReportSettings, beyond: bool = False, local: bool = False) -> str:
    """BibTeX entries of the works that a run rests on, one a line; parameters as of `references`."""
    entries = bibtex_entries() | BIBTEX
    return "\n".join(entries[key] for key in references(settings, beyond, local))
