"""The choice among subsets of modalities, against choices that are known beforehand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from brainpid.core.errors import InputError
from brainpid.core.modalities import subsets_of
from brainpid.evaluation.selection import choose_without_own_fold, recommend, select
from brainpid.report.figures import _side_by_side, to_svg
from brainpid.report.figures import selection as selection_figure

COSTS, SIZES = [1, 1, 2], [1, 1, 2]


def losses(*columns: float, noise: float = 0.0, n: int = 100) -> np.ndarray:
    """Losses whose means are `columns` exactly; `noise` is the standard deviation of each column's own part."""
    own = np.random.default_rng(0).normal(size=(n, len(columns)))
    own = noise * (own - own.mean(0)) / own.std(0)
    return np.asarray(columns) + own + 100 * np.random.default_rng(1).normal(size=(n, 1))


def test_subsets_come_smallest_first_in_the_order_of_the_modalities():
    assert subsets_of(["t1", "dwi"]) == [("t1",), ("dwi",), ("t1", "dwi")]
    assert len(subsets_of("abcd")) == 15


def test_a_clear_gain_is_worth_its_cost():
    assert recommend(losses(3, 4, 1, noise=1), COSTS, SIZES) == 2


def test_less_than_a_standard_error_is_not_and_what_people_share_does_not_count():
    """The standard error of a difference of two columns is 0.14 here; the spread that all columns share is 100."""
    assert recommend(losses(1.1, 4, 1, noise=1), COSTS, SIZES) == 0
    assert recommend(losses(1.3, 4, 1, noise=1), COSTS, SIZES) == 2


def test_the_cheaper_of_two_that_are_as_good():
    assert recommend(losses(1, 1.02, 1.01, noise=1), [2, 1, 3], SIZES) == 1


def test_ties_of_the_cost_go_to_fewer_modalities_then_to_the_smaller_error():
    assert recommend(losses(1.01, 5, 1, noise=1), [0, 0, 0], SIZES) == 0
    assert recommend(losses(1.02, 1.01, 1, noise=1), COSTS, SIZES) == 1
    assert recommend(losses(1.01, 5, 1, noise=1), [0.1 + 0.2, 9, 0.3], SIZES) == 0


def test_equal_columns_have_no_standard_error_and_the_cheapest_is_taken():
    assert recommend(np.ones((5, 3)), [3, 2, 5], SIZES) == 1


def test_a_choice_needs_finite_losses():
    with pytest.raises(InputError, match="found 1 people"):
        recommend(np.ones((1, 3)), COSTS, SIZES)
    with pytest.raises(InputError, match="finite losses"):
        recommend(np.full((5, 3), np.nan), COSTS, SIZES)


def test_nobody_has_a_part_in_the_choice_that_judges_them():
    rng = np.random.default_rng(0)
    fold = np.stack([np.arange(60) % 3, np.arange(60) // 20])
    errors = rng.normal(size=(2, 60, 3))
    found = choose_without_own_fold(errors, fold, COSTS, SIZES)
    changed = errors.copy()
    changed[1, fold[1] == 2] += 50
    again = choose_without_own_fold(changed, fold, COSTS, SIZES)
    assert again.chosen[1, 2] == found.chosen[1, 2]
    np.testing.assert_array_equal(again.chosen[0], found.chosen[0])
    held = fold[1] == 2
    np.testing.assert_array_equal(found.errors[1, held], errors[1, held, found.chosen[1, 2]])


def predictions(n: int = 200, repeats: int = 2) -> pd.DataFrame:
    """Two cohorts in which t1 tells much and dwi nothing."""
    rng = np.random.default_rng(0)
    frames = []
    for cohort in ("a", "b"):
        g = rng.normal(size=n)
        for repeat in range(repeats):
            t1, dwi = 0.8 * g + 0.3 * rng.normal(size=n), 0.1 * rng.normal(size=n)
            frames.append(
                pd.DataFrame(
                    {
                        "participant_id": [f"sub-{k}" for k in range(n)], "cohort": cohort, "repeat": repeat,
                        "fold": np.arange(n) % 5, "age": 50 + 10 * g, "latent_t1": t1, "latent_dwi": dwi,
                        "subset_t1": 50 + 10 * t1, "subset_dwi": 50 + 10 * dwi, "subset_t1+dwi": 50 + 10 * (t1 + dwi),
                        "log_score_t1": t1, "log_score_dwi": dwi, "log_score_t1+dwi": t1 + dwi,
                    }
                )
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def test_the_table_of_subsets():
    rows = predictions()
    found = select(rows, ["t1", "dwi"], {"t1": 3.0, "dwi": 1.5}, 0.95)
    table = found.table.set_index("modalities")
    assert table["cost"].to_dict() == {"t1": 3.0, "dwi": 1.5, "t1+dwi": 4.5}
    assert table["recommended"].to_dict() == {"t1": True, "dwi": False, "t1+dwi": False}
    assert set(table["n"]) == {400}
    expected = (rows["subset_t1"] - rows["age"]).abs().mean()
    assert table.loc["t1", "mae"] == pytest.approx(expected)
    assert table.loc["t1", "mae_ci_low"] < expected < table.loc["t1", "mae_ci_high"]
    assert found.best == "t1"
    assert found.chosen == {"t1": 10}
    assert found.nested is not None
    assert found.nested.mae == pytest.approx(expected)


def test_information_is_the_mean_log_score_of_the_same_people():
    rows = predictions()
    found = select(rows, ["t1", "dwi"], {"t1": 1.0, "dwi": 1.0}, 0.95).table.set_index("modalities")
    for subset in ("t1", "dwi", "t1+dwi"):
        assert found.loc[subset, "information_bits"] == pytest.approx(rows[f"log_score_{subset}"].mean())


def test_one_fold_gives_no_nested_estimate():
    found = select(predictions().assign(fold=0), ["t1", "dwi"], {"t1": 1.0, "dwi": 1.0}, 0.95)
    assert found.nested is None
    assert found.chosen == {}


def test_a_fold_that_leaves_one_person_to_choose_by_gives_none_either():
    rows = predictions(6, repeats=1)[lambda table: table["cohort"] == "a"]
    found = select(rows.assign(fold=[0, 0, 0, 0, 0, 1]), ["t1", "dwi"], {"t1": 1.0, "dwi": 1.0}, 0.95)
    assert found.nested is None
    assert select(rows.assign(fold=[0, 0, 0, 0, 1, 1]), ["t1", "dwi"], {"t1": 1.0, "dwi": 1.0}, 0.95).nested is not None


def test_nobody_to_choose_by_is_said():
    with pytest.raises(InputError, match="no cohort can be decomposed"):
        select(predictions().iloc[:0], ["t1", "dwi"], {"t1": 1.0, "dwi": 1.0}, 0.95)


def test_a_subset_without_predictions_is_named():
    with pytest.raises(InputError, match=r"no column subset_t1\+dwi"):
        select(predictions().drop(columns="subset_t1+dwi"), ["t1", "dwi"], {"t1": 1.0, "dwi": 1.0}, 0.95)


def test_the_figure_names_every_subset_of_four_modalities_and_of_more_those_that_matter():
    for modalities in ("abcd", "abcde"):
        names = ["+".join(subset) for subset in subsets_of(modalities)]
        mae = 10.0 - np.arange(len(names))  # each later subset is better: the cheapest of each cost is not
        table = pd.DataFrame(
            {"modalities": names, "cost": [len(name) // 2 + 1 for name in names], "n": 100, "mae": mae}
        )
        table = table.assign(mae_ci_low=mae - 1, mae_ci_high=mae + 1, recommended=np.arange(len(names)) == 5)
        svg = to_svg(selection_figure(table, "age", "years"))
        shown = {name for name in names if f">{name}<" in svg}
        frontier = {modalities[-k:] for k in range(1, len(modalities) + 1)}
        frontier = {"+".join(name) for name in frontier}
        assert shown == (set(names) if modalities == "abcd" else frontier | {names[5]})


def test_equal_costs_stand_side_by_side():
    moved = _side_by_side(np.array([1.0, 1, 1, 2, 2.05, 9]), 0.2)
    np.testing.assert_allclose(moved, [0.8, 1, 1.2, 1.925, 2.125, 9])
