"""Works that a run rests on, as BibTeX."""

from __future__ import annotations

from brainpid.config.slices import ReportSettings
from brainpid.core.citation import PROGRAM, bibtex_entries
from brainpid.model.registry import MODELS

BIBTEX = {
    "Nichols2017": "@article{Nichols2017, author={Nichols, T. E. and others}, title={Best practices in data analysis "
    "and sharing in neuroimaging using {MRI}}, journal={Nature Neuroscience}, volume={20}, pages={299--303}, "
    "year={2017}}",
    "Gneiting2007": "@article{Gneiting2007, author={Gneiting, T. and Raftery, A. E.}, title={Strictly proper scoring "
    "rules, prediction, and estimation}, journal={Journal of the American Statistical Association}, volume={102}, "
    "pages={359--378}, year={2007}}",
    "Barrett2015": "@article{Barrett2015, author={Barrett, A. B.}, title={Exploration of synergistic and redundant "
    "information sharing in static and dynamical {Gaussian} systems}, journal={Physical Review E}, volume={91}, "
    "pages={052802}, year={2015}}",
    "KayInce2018": "@article{KayInce2018, author={Kay, J. W. and Ince, R. A. A.}, title={Exact partial information "
    "decompositions for {Gaussian} systems based on dependency constraints}, journal={Entropy}, volume={20}, "
    "pages={240}, year={2018}}",
    "Mardia1970": "@article{Mardia1970, author={Mardia, K. V.}, title={Measures of multivariate skewness and kurtosis "
    "with applications}, journal={Biometrika}, volume={57}, pages={519--530}, year={1970}}",
    "Wilson1927": "@article{Wilson1927, author={Wilson, E. B.}, title={Probable inference, the law of succession, and "
    "statistical inference}, journal={Journal of the American Statistical Association}, volume={22}, "
    "pages={209--212}, year={1927}}",
    "Harris2020": "@article{Harris2020, author={Harris, C. R. and others}, title={Array programming with {NumPy}}, "
    "journal={Nature}, volume={585}, pages={357--362}, year={2020}}",
    "Virtanen2020": "@article{Virtanen2020, author={Virtanen, P. and others}, title={{SciPy} 1.0: fundamental "
    "algorithms for scientific computing in {Python}}, journal={Nature Methods}, volume={17}, pages={261--272}, "
    "year={2020}}",
    "Pedregosa2011": "@article{Pedregosa2011, author={Pedregosa, F. and others}, title={Scikit-learn: machine learning "
    "in {Python}}, journal={Journal of Machine Learning Research}, volume={12}, pages={2825--2830}, year={2011}}",
    "Paszke2019": "@inproceedings{Paszke2019, author={Paszke, A. and others}, title={{PyTorch}: an imperative style, "
    "high-performance deep learning library}, booktitle={Advances in Neural Information Processing Systems}, "
    "volume={32}, year={2019}}",
    "Moelder2021": '@article{Moelder2021, author={M{\\"o}lder, F. and others}, title={Sustainable data analysis with '
    "{Snakemake}}, journal={F1000Research}, volume={10}, pages={33}, year={2021}}",
    "Avants2011": "@article{Avants2011, author={Avants, B. B. and others}, title={A reproducible evaluation of {ANTs} "
    "similarity metric performance in brain image registration}, journal={NeuroImage}, volume={54}, "
    "pages={2033--2044}, year={2011}}",
    "Garyfallidis2014": "@article{Garyfallidis2014, author={Garyfallidis, E. and others}, title={{DIPY}, a library for "
    "the analysis of diffusion {MRI} data}, journal={Frontiers in Neuroinformatics}, volume={8}, pages={8}, "
    "year={2014}}",
    "Esteban2019": "@article{Esteban2019, author={Esteban, O. and others}, title={{fMRIPrep}: a robust preprocessing "
    "pipeline for functional {MRI}}, journal={Nature Methods}, volume={16}, pages={111--116}, year={2019}}",
    "Fischl2012": "@article{Fischl2012, author={Fischl, B.}, title={{FreeSurfer}}, journal={NeuroImage}, volume={62}, "
    "pages={774--781}, year={2012}}",
    "Cieslak2021": "@article{Cieslak2021, author={Cieslak, M. and others}, title={{QSIPrep}: an integrative platform "
    "for preprocessing and reconstructing diffusion {MRI} data}, journal={Nature Methods}, volume={18}, "
    "pages={775--778}, year={2021}}",
}
OF_SOURCES = {
    "nifti": ("Avants2011", "Garyfallidis2014"),
    "fmriprep": ("Esteban2019",),
    "freesurfer": ("Fischl2012",),
    "qsirecon": ("Cieslak2021",),
}
"""Works by the kind of source."""
OF_MEASURES = {"mmi": "Barrett2015", "idep": "KayInce2018"}
OF_PACKAGES = {"torch": "Paszke2019", "scikit-learn": "Pedregosa2011"}
ALWAYS = (
    PROGRAM, "Nichols2017", "Gneiting2007", "Mardia1970", "Wilson1927", "Harris2020", "Virtanen2020", "Moelder2021",
)  # fmt: skip
METHOD = "MaYu2025"
"""Of the network; its entry is that of the program's own citation."""


def references(settings: ReportSettings) -> list[str]:
    """Keys of the works that a run rests on: the program, its method, then in the order of `BIBTEX`."""
    kinds = {own.kind for inputs in settings.inputs.values() for own in inputs.values()}
    packages = {package for model in settings.models for package in MODELS[model].packages}
    used = {
        *ALWAYS,
        *(key for kind in kinds for key in OF_SOURCES.get(kind, ())),
        *(OF_MEASURES[measure] for measure in settings.pid.measures),
        *(OF_PACKAGES[package] for package in packages if package in OF_PACKAGES),
        *([METHOD] if "pidreg" in settings.models else []),
    }
    return [key for key in bibtex_entries() | BIBTEX if key in used]


def bibtex(settings: ReportSettings) -> str:
    """BibTeX entries of the works that a run rests on, one a line."""
    entries = bibtex_entries() | BIBTEX
    return "\n".join(entries[key] for key in references(settings))
