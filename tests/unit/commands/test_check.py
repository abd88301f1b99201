"""`brainpid check` says who has which images, and why others do not, without reading one."""

from __future__ import annotations

import pytest
from cohorts import touch, write_config

from brainpid.cli import main

PEOPLE = [f"sub-{k:02d}" for k in range(1, 33)]


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """Run `brainpid check` on a dataset with empty files at these places; return code, lines of the table, message."""
    monkeypatch.setenv("COLUMNS", "400")

    def run(places, unfetched=(), **more):
        rows = [f"{person}\t{40 + k}" for k, person in enumerate(PEOPLE)]
        bids = tmp_path / "bids"
        bids.mkdir()
        (bids / "participants.tsv").write_text("\n".join(["participant_id\tage", *rows]) + "\n")
        for place in places:
            path = bids / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        for place in unfetched:
            (bids / place).parent.mkdir(parents=True, exist_ok=True)
            (bids / place).symlink_to("../../.git/annex/objects/nothing")
        cohorts = {"a": {"bids": str(bids), "sources": {"t1": {"kind": "nifti"}, "dwi": {"kind": "nifti"}}}}
        config = {"output_dir": str(tmp_path / "out"), "modalities": ["t1", "dwi"], "cohorts": cohorts}
        config |= {"splits": {"folds": 2, "repeats": 1}, "models": ["ridge"]} | more
        code = main(["check", "--config", str(write_config(tmp_path / "c.yaml", config))])
        said = capsys.readouterr()
        lines = [" ".join(line.replace("\u2502", " ").split()) for line in said.out.splitlines()]
        return code, lines, " ".join(said.err.split()), bids

    return run


def images(person, *endings):
    return [f"{person}/{'anat' if 'T1w' in ending else 'dwi'}/{person}_{ending}" for ending in endings]


def test_found_and_missing_images_are_counted_with_one_reason_for_all(check):
    whole = ("T1w.nii.gz", "dwi.nii.gz", "dwi.bval", "dwi.bvec")
    places = [path for person in PEOPLE[:28] for path in images(person, *whole)]
    places += [path for person in PEOPLE[28:31] for path in images(person, *whole[:3])]
    code, lines, message, bids = check(places)
    assert (code, message) == (0, "")
    assert f"a t1 31 1 from images 1 x no folder {bids}/sub-*" in lines
    assert any(
        line.startswith("a dwi 28 4 from images 3 x sub-*_dwi.nii.gz has no .bvec beside it or above")
        and line.endswith(f"; 1 x no folder {bids}/sub-*")
        for line in lines
    )
    assert "a 31 1 take part, 28 with every modality" in lines
    assert not any(line.startswith("of several images") for line in lines)


def test_who_lacks_what_is_shown_where_nobody_takes_part(check):
    code, lines, message, bids = check([])
    assert code == 2
    assert f"a t1 0 32 from images 32 x no folder {bids}/sub-*" in lines
    assert message.startswith("error: t1: nobody has it in any cohort: cohort 'a': 32 x no folder")


def test_the_choice_of_images_and_content_that_is_not_there_are_said(check):
    places = [path for person in PEOPLE for path in images(person, "dwi.nii.gz", "dwi.bval", "dwi.bvec")]
    places += [path for person in PEOPLE[:10] + PEOPLE[12:] for path in images(person, "T1w.nii.gz")]
    places += images(PEOPLE[0], "acq-b_T1w.nii.gz") + images(PEOPLE[10], "acq-b_T1w.nii.gz")
    code, lines, message, bids = check(places, images(PEOPLE[11], "T1w.nii.gz"))
    assert (code, message) == (0, "")
    assert f"a t1 31 1 from images 1 x content not fetched (datalad get): {bids}/sub-*/anat/sub-*_T1w.nii.gz" in lines
    assert "a t1: 1 x first of 2: sub-*_T1w.nii.gz" in lines
    assert any(
        line.startswith("of several images of a person that is taken which is of the first visit") for line in lines
    )
    different = "people get different acquisitions: 30 x no entities (sub-01, sub-02, sub-03 and 27 more)"
    assert f"a t1: warning: {different}, 1 x acq-b (sub-11)" in lines


def test_a_function_of_one_s_own_is_looked_for_and_its_files_counted(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.chdir(tmp_path)
    rows = ["participant_id\tage", *(f"{person}\t{40 + k}" for k, person in enumerate(PEOPLE))]
    (tmp_path / "participants.tsv").write_text("\n".join(rows) + "\n")
    touch(tmp_path, *(f"own/{person}/a.txt" for person in PEOPLE[:30]))
    own = {"kind": "import", "path": "own", "files": {"a": "*.txt"}, "function": "math.hypot"}
    cohorts = {"a": {"participants": "participants.tsv", "sources": {"x": own, "y": dict(own)}}}
    config = {"output_dir": "out", "modalities": ["x", "y"], "cohorts": cohorts, "models": ["ridge"]}
    config["splits"] = {"folds": 2, "repeats": 1}
    assert main(["check", "--config", str(write_config(tmp_path / "c.yaml", config))]) == 0
    assert "│ x │ 30 │ 2 │ from images │ 2 x no folder own/sub-* │" in " ".join(capsys.readouterr().out.split())
    cohorts["a"]["sources"]["y"]["function"] = "math.hypothenuse"
    assert main(["check", "--config", str(write_config(tmp_path / "c.yaml", config))]) == 2
    assert "cohorts.a.sources.y.function: the module 'math' has no 'hypothenuse'" in capsys.readouterr().err


def test_so_few_people_that_images_may_not_fail_is_said(check):
    """11 of 22 people are trained on in each of two folds, and ridge needs 10 with every modality."""
    whole = ("T1w.nii.gz", "dwi.nii.gz", "dwi.bval", "dwi.bvec")
    places = [path for person in PEOPLE[:22] for path in images(person, *whole)]
    code, lines, _, _ = check(places)
    assert code == 0
    found = [line for line in lines if line.startswith("warning: images of some people fail in extraction.")]
    assert len(found) == 1
    assert "and 10 are needed: 2 more that fail stop the run" in found[0] or "10 are needed: 1 more" in found[0]


def test_sites_and_what_a_run_takes_are_shown(check):
    whole = ("T1w.nii.gz", "dwi.nii.gz", "dwi.bval", "dwi.bvec")
    code, lines, _, _ = check([path for person in PEOPLE for path in images(person, *whole)])
    assert code == 0
    assert "a a 32 32 40 to 71, mean 55.5, sd 9.4 32 n/a" in lines
    assert any(line.startswith("extract t1 8 ") for line in lines)
    assert any(line.startswith("estimate, within about a factor 2, of a run from its beginning: ") for line in lines)
    assert not any(line.startswith("warning: images of some") for line in lines)


def test_cohorts_without_the_reference_ages_are_told_before_the_run(check):
    whole = ("T1w.nii.gz", "dwi.nii.gz", "dwi.bval", "dwi.bvec")
    places = [path for person in PEOPLE for path in images(person, *whole)]
    code, _, message, _ = check(places, reference_ages={"range": [18, 72]})
    assert code == 2
    assert "a: nobody with every modality is of 18 to 36 years, which the reference has); narrow it" in message
