"""Reading of fMRIPrep's confounds: old and new names, gaps, strategies, displacement, scrubbing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from nilearn.interfaces.fmriprep import load_confounds_strategy

from brainpid.core.errors import ImageError
from brainpid.imaging.bold.confounds import (
    EXPANSIONS,
    MOTION,
    TISSUES,
    frames_to_keep,
    framewise_displacement,
    read_confounds,
    select_confounds,
    steady_frames,
)

N = 60
OLD = {
    **dict(zip(MOTION, ("X", "Y", "Z", "RotX", "RotY", "RotZ"), strict=True)),
    "csf": "CSF",
    "white_matter": "WhiteMatter",
    "global_signal": "GlobalSignal",
    "framewise_displacement": "FramewiseDisplacement",
    "std_dvars": "stdDVARS",
    **{f"a_comp_cor_{k:02d}": f"aCompCor{k:02d}" for k in range(12)},
    **{f"cosine{k:02d}": f"Cosine{k:02d}" for k in range(2)},
    "non_steady_state_outlier00": "NonSteadyStateOutlier00",
}


def make_confounds(n=N, seed=0):
    """A table as fMRIPrep writes it, with n/a in the first row of differences, displacement and DVARS."""
    rng = np.random.default_rng(seed)
    base = {name: rng.normal(0, 0.01, n).cumsum() for name in MOTION[:3]}
    base |= {name: rng.normal(0, 0.0001, n).cumsum() for name in MOTION[3:]}
    base |= {name: rng.normal(100, 5, n) for name in (*TISSUES, "global_signal")}
    table = pd.DataFrame(base)
    for name in list(base):
        table[f"{name}_derivative1"] = table[name].diff()
        table[f"{name}_power2"] = table[name] ** 2
        table[f"{name}_derivative1_power2"] = table[name].diff() ** 2
    steps = table[list(MOTION)].diff().abs()
    table["framewise_displacement"] = steps.iloc[:, :3].sum(axis=1, skipna=False) + 50 * steps.iloc[:, 3:].sum(
        axis=1, skipna=False
    )
    table["std_dvars"] = np.r_[np.nan, rng.uniform(0.8, 1.2, n - 1)]
    for k in range(12):
        table[f"a_comp_cor_{k:02d}"] = rng.normal(size=n)
    for k in range(2):
        table[f"cosine{k:02d}"] = np.cos(np.pi * (k + 1) * (np.arange(n) + 0.5) / n)
    return table


def write(table, path):
    table.to_csv(path, sep="\t", na_rep="n/a", index=False)
    return path


@pytest.fixture
def confounds(tmp_path):
    return read_confounds(write(make_confounds(), tmp_path / "c.tsv"), N)


@pytest.mark.parametrize("strategy", ["simple", "scrubbing"])
def test_a_strategy_has_the_columns_and_values_of_nilearn(tmp_path, strategy):
    stem = tmp_path / "sub-01_task-rest"
    write(make_confounds(), tmp_path / "sub-01_task-rest_desc-confounds_timeseries.tsv")
    (tmp_path / "sub-01_task-rest_desc-confounds_timeseries.json").write_text("{}")
    image = tmp_path / "sub-01_task-rest_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz"
    image.touch()
    expected, _ = load_confounds_strategy(str(image), denoise_strategy=strategy, demean=False)
    table = read_confounds(f"{stem}_desc-confounds_timeseries.tsv", N)
    chosen = select_confounds(table, strategy, cosines=True)
    assert set(chosen) == set(expected)
    np.testing.assert_allclose(chosen[list(expected)], expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("strategy", "count"), [("none", 0), ("6P", 6), ("24P", 24), ("36P", 36), ("simple", 26), ("compcor", 24 + 5)]
)
def test_strategies_have_the_published_number_of_columns(confounds, strategy, count):
    assert select_confounds(confounds, strategy).shape == (N, count)


@pytest.mark.parametrize("strategy", ["6P", "36P", "simple", "scrubbing", "compcor"])
def test_old_names_give_the_same_regressors(tmp_path, strategy):
    table = make_confounds()
    old = table[[name for name in table if name in OLD]].rename(columns=OLD)
    read = read_confounds(write(old, tmp_path / "sub-01_desc-confounds_regressors.tsv"), N)
    expected = select_confounds(table, strategy, cosines=True)
    pd.testing.assert_frame_equal(select_confounds(read, strategy, cosines=True), expected)
    np.testing.assert_allclose(framewise_displacement(read), framewise_displacement(table))


def test_compcor_takes_the_first_components_by_number(confounds):
    shuffled = confounds[confounds.columns[::-1]]
    chosen = select_confounds(shuffled, "compcor", n_compcor=11)
    assert [name for name in chosen if name.startswith("a_comp")] == [f"a_comp_cor_{k:02d}" for k in range(11)]


def test_the_first_row_of_a_difference_takes_the_second(confounds):
    chosen = select_confounds(confounds, "24P")
    assert chosen["trans_x_derivative1"].iloc[0] == chosen["trans_x_derivative1"].iloc[1]
    assert np.isfinite(chosen.to_numpy()).all()


def test_missing_columns_are_listed(confounds):
    lacking = confounds.drop(columns=["csf", "trans_y", *["trans_y" + end for end in EXPANSIONS[1:]]])
    with pytest.raises(ImageError, match=r"'simple' needs columns that the file lacks: trans_y, .*csf"):
        select_confounds(lacking, "simple")
    with pytest.raises(ImageError, match="t_comp_cor_00"):
        select_confounds(confounds, "tcompcor")


def test_a_gap_below_the_first_row_is_an_error_with_its_row(confounds):
    confounds.loc[7, "csf"] = np.nan
    with pytest.raises(ImageError, match=r"csf \(first: row 8\)"):
        select_confounds(confounds, "simple")
    confounds.loc[4, "framewise_displacement"] = np.nan
    with pytest.raises(ImageError, match=r"1 rows below the first \(row 5\)"):
        framewise_displacement(confounds)


@pytest.mark.parametrize("rows", [N - 5, N + 5])
def test_rows_must_be_volumes(tmp_path, rows):
    path = write(make_confounds(rows), tmp_path / "c.tsv")
    with pytest.raises(ImageError, match=f"{rows} rows, but the image has {N} volumes"):
        read_confounds(path, N)


def test_files_that_are_no_table_of_numbers(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        read_confounds(tmp_path / "absent.tsv", N)
    (tmp_path / "empty.tsv").touch()
    with pytest.raises(ImageError, match="not readable"):
        read_confounds(tmp_path / "empty.tsv", N)
    words = make_confounds().astype({"csf": object})
    words.loc[3, "csf"] = "high"
    with pytest.raises(ImageError, match="found text in csf"):
        read_confounds(write(words, tmp_path / "words.tsv"), N)


def test_displacement_of_a_known_movement():
    motion = pd.DataFrame(0.0, index=range(5), columns=list(MOTION))
    motion.loc[2:, "trans_y"] = -0.4  # one step of 0.4 mm
    motion.loc[3:, "rot_z"] = 0.01  # 0.5 mm on a sphere of 50 mm
    np.testing.assert_allclose(framewise_displacement(motion), [0, 0, 0.4, 0.5, 0])
    with pytest.raises(ImageError, match="missing rot_x"):
        framewise_displacement(motion.drop(columns="rot_x"))


def test_the_first_displacement_is_na_and_counts_as_none(confounds):
    assert np.isnan(confounds["framewise_displacement"].iloc[0])
    computed = framewise_displacement(confounds.drop(columns="framewise_displacement"))
    np.testing.assert_allclose(framewise_displacement(confounds), computed, atol=1e-12)
    assert computed[0] == 0


def test_scrubbing_leaves_out_the_planted_frames(confounds):
    confounds["framewise_displacement"] = 0.1
    confounds.loc[[20, 40], "framewise_displacement"] = 0.9
    confounds.loc[50, "std_dvars"] = 2.0
    kept = frames_to_keep(confounds, fd_mm=0.5, std_dvars=1.5, shortest_segment=5)
    assert np.flatnonzero(~kept).tolist() == [20, 40, 50]
    # Segments of 4 frames go with their neighbours, at the edges too.
    confounds.loc[[4, 25], "framewise_displacement"] = 0.9
    kept = frames_to_keep(confounds, fd_mm=0.5, std_dvars=None, shortest_segment=5)
    assert np.flatnonzero(~kept).tolist() == [0, 1, 2, 3, 4, *range(20, 26), 40]
    with pytest.raises(ImageError, match="std_dvars"):
        frames_to_keep(confounds.drop(columns="std_dvars"), fd_mm=0.5, std_dvars=1.5, shortest_segment=5)


def test_frames_before_the_steady_state_are_marked(confounds):
    assert steady_frames(confounds).all()
    confounds["non_steady_state_outlier00"] = np.eye(N)[0]
    confounds["non_steady_state_outlier01"] = np.eye(N)[1]
    assert np.flatnonzero(~steady_frames(confounds)).tolist() == [0, 1]
