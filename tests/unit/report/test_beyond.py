"""Information beyond nuisance on the page: the headline where there are several sites, and what it warns of."""

from __future__ import annotations

import pandas as pd
from report_pages import raw_page, tables
from report_tables import SETTINGS, pid_rows, verdict

from brainpid.evaluation.control_models import COLUMNS
from brainpid.report.beyond import headline_given, rows_given, warnings_beyond
from brainpid.report.closing import closing
from brainpid.report.references import references
from brainpid.report.summary import summarise


def with_sites(beyond: float = 0.6) -> pd.DataFrame:
    """Rows without controls, beyond the site, and beyond site and motion."""
    parts = [("", 1.5), ("site", beyond), ("site+motion", 0.5)]
    tested = pid_rows(400).query("atom == 'added'").assign(model="ridge_within_cohort", p_value=0.01)
    return pd.concat([*(pid_rows(400, bits={"total": bits}).assign(given=name) for name, bits in parts), tested],
                     ignore_index=True)  # fmt: skip


def control_rows() -> pd.DataFrame:
    rows = [
        {"kind": "control", "name": "site", "given": "", "bits": 0.9, "ci_low": 0.8, "ci_high": 1.0, "mae": 7.5},
        {"kind": "control", "name": "motion", "given": "site", "bits": 0.0625, "ci_low": 0.0, "ci_high": 0.125},
        {"kind": "model", "name": "pidreg", "r2": 0.8125, "r2_within_site": 0.4375},
        {"kind": "modality", "name": "t1", "balanced_accuracy": 0.88, "chance": 0.05},
        {"kind": "modality", "name": "dwi", "balanced_accuracy": 0.2, "chance": 0.05},
    ]
    return pd.DataFrame(rows, columns=COLUMNS).assign(cohort="a", n=400)


def test_all_controls_are_the_headline_where_the_site_is_one():
    assert headline_given(with_sites()) == "site+motion"
    assert headline_given(pid_rows(400)) == ""
    assert headline_given(pid_rows(400).assign(given="sex")) == ""
    own = rows_given(with_sites(), "site+motion")
    assert set(own["given"]) == {"site+motion", ""}
    assert set(own.loc[own["given"] == "", "model"]) == {"ridge_within_cohort"}  # which was tested without them
    tested = with_sites()
    tested.loc[tested["model"] == "ridge_within_cohort", "given"] = "site+motion"
    assert set(rows_given(tested, "site+motion")["given"]) == {"site+motion"}


def test_it_is_said_how_much_is_site_and_that_features_tell_it():
    said = warnings_beyond(with_sites(), control_rows(), "pidreg", "age")
    assert said[0].startswith("60% of what PIDReg tells of age in a is told by the site: 1.50 bits in all, 0.60 beyond")
    pooled = warnings_beyond(with_sites().assign(cohort="pooled"), control_rows(), "pidreg", "age")
    assert "tells of age in all cohorts together is told by the site" in pooled[0]
    assert said[1] == "The site of people of a is told from t1 in 88% (by chance 5%)"
    assert warnings_beyond(with_sites(1.3), control_rows().iloc[4:], "pidreg", "age") == []


def test_summary_and_closing_tell_of_what_is_beyond():
    own = rows_given(with_sites(), "site+motion")
    told = [verdict("a", modality, "shown") for modality in SETTINGS.modalities]
    found = tables() | {"pid": own}
    assert (
        "0.50 [0.40, 0.60] bits about age, beyond site and motion, in a"
        in summarise(SETTINGS, found, {"Best": "t1+dwi"}, told).contributions
    )
    truth = pd.DataFrame({"cohort": ["a"], "measure": "mmi", "scope": "one_vs_rest", "modalities": "t1",
                          "atom": "total", "bits": 1.5})  # fmt: skip
    said = closing(found["accuracy"], with_sites(), truth, SETTINGS.models, SETTINGS.modalities, ("age", "y"), "x")[1]
    assert "beyond site and motion, all modalities together tell 0.50 bits" in said
    assert "truth" not in said  # it is of all there is


def test_the_page_shows_both_and_what_nuisance_tells():
    page = raw_page(tables() | {"pid": with_sites().assign(p_value=0.01, se_factor=1.0), "controls": control_rows()})
    assert 'href="#beyond">60% of what PIDReg tells of age in a is told by the site' in page
    assert "<td>0.812</td>" not in page
    for cell in ("0.900 [0.800, 1.000]", "site and motion", "R² within sites", "<td>88%</td><td>5%</td>", "0.44"):
        assert cell in page
    assert "Not beyond site and motion: with what the modalities tell of site and motion" in page
    assert "Information is given beyond site and motion" in page
    assert "WoodFasiolo2017" in page


def test_without_controls_the_page_says_nothing_of_them():
    page = raw_page()
    assert 'id="beyond"' not in page
    assert "WoodFasiolo2017" not in page
    assert "WoodFasiolo2017" in references(SETTINGS, beyond=True)
