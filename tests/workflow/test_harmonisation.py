"""A finished run whose features are to be harmonised: what is made again, what is said, and people who come later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cohorts import make_config, make_tables, write_cohort, write_config
from snakemake_runs import done, planned

from brainpid.cli import main
from brainpid.core.files import read_own_tsv

pytestmark = pytest.mark.slow

SITES = np.array(["s0", "s1", "s2", "s3"])[np.arange(60) % 4]


def sheet(seed: int, sites: np.ndarray) -> dict[str, pd.DataFrame]:
    """Tables of people of sites that add to every feature."""
    tables = make_tables(len(sites), seed, f"sub-{seed}")
    tables["participants"]["site"] = sites
    for modality in ("t1", "dwi"):
        tables[modality].iloc[:, 1:] += np.array([int(site[-1]) - 1.5 for site in sites])[:, None]
    return tables


def configure(top: Path, **changes: object) -> Path:
    splits = {"scheme": ["kfold", "leave_one_site_out"], "folds": 2, "repeats": 1}
    content = make_config(
        top, ["a"], top / "out", splits=splits, models=["ridge"], null={"permutations": 0},
        explain={"permutations": 0}, folds_per_job=4, **changes,
    )  # fmt: skip
    return write_config(top / "c.yaml", content)


def test_features_are_harmonised_by_the_configuration_alone(tmp_path, monkeypatch):
    write_cohort(tmp_path / "a", sheet(0, SITES))
    path, out = configure(tmp_path), tmp_path / "out"
    first = done(path)
    again = {rule: n for rule, n in first.items() if rule.startswith("train") or rule in ("aggregate", "report")}
    assert again["train_final"] == 1
    assert sum(again.values()) == 5  # the folds of a scheme are one job
    assert "harmonisation" not in first
    kept = (out / "features/a.h5").stat().st_mtime_ns
    assert not (out / "aggregate/harmonisation.tsv").exists()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "on harmonised features" not in page

    path = configure(tmp_path, harmonise={"method": "location"})
    assert done(path) == again | {"harmonisation": 1}
    assert (out / "features/a.h5").stat().st_mtime_ns == kept
    cost = read_own_tsv(out / "aggregate/harmonisation.tsv").query("quantity == 'mae'").set_index("scheme")
    assert set(cost.index) == {"kfold", "leave_one_site_out"}
    assert cost.loc["kfold", "difference"] < 0
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "With random folds, Ridge errs less by" in page
    assert "on harmonised features" in page
    assert planned(path) == {}

    # People who come later, of a site of the training and of another.
    write_cohort(tmp_path / "new", sheet(1, np.array(["s1"] * 10 + ["t1"] * 10)))
    new = write_config(tmp_path / "new.yaml", make_config(tmp_path, ["new"], tmp_path / "other"))
    monkeypatch.chdir(tmp_path)
    options = ["--model", f"{out}/final/ridge", "--config", str(new), "--out", "new.tsv"]
    assert main(["predict", *options]) == 0
    found = pd.read_csv(tmp_path / "new.tsv", sep="\t")
    assert found["site_seen"].tolist() == ["yes"] * 10 + ["no"] * 10
    width = found["pi_high"] - found["pi_low"]
    assert found["pi_width_known_site"].notna().tolist() == [False] * 10 + [True] * 10
    assert width[10:].mean() > 1.1 * found["pi_width_known_site"].mean()
    lines = pd.read_json(out / "final/ridge/provenance.json", typ="series")
    for own, key in ((found[:10], "age_bias"), (found[10:], "age_bias_new_sites")):
        line = lines[key]["t1+dwi"]
        expected = (own["predicted_age"] - line["intercept"]) / line["slope"]
        np.testing.assert_allclose(own["predicted_age_corrected"], expected, rtol=1e-5)
