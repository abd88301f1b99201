"""By which programs data were made is read from where pipelines write it."""

from __future__ import annotations

import json

import pytest

from brainpid.cohort.pipelines import joined, of_dataset, of_people, of_statistics


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"GeneratedBy": [{"Name": "fMRIPrep", "Version": "23.1.0"}]}, ["fMRIPrep 23.1.0"]),
        ({"PipelineDescription": {"Name": "fmriprep", "Version": "1.3.2"}}, ["fmriprep 1.3.2"]),
        ({"GeneratedBy": [{"Name": "Manual"}, "x"]}, ["Manual unknown"]),
        ({"DatasetType": "raw", "GeneratedBy": [{"Name": "heudiconv", "Version": "1"}]}, []),
        (["no mapping"], []),
    ],
)
def test_what_a_dataset_says_of_itself(tmp_path, content, expected):
    assert of_dataset(tmp_path) == []
    (tmp_path / "dataset_description.json").write_text(json.dumps(content))
    assert of_dataset(tmp_path) == expected


@pytest.mark.parametrize(
    ("head", "stamp", "expected"),
    [
        ("# cvs_version 7.2.0", "", "FreeSurfer 7.2.0"),
        (
            "# cvs_version $Id: mri_segstats.c,v 1.75.2.9 2013/02/16 00:09:33 greve Exp $",
            "",
            "FreeSurfer revision 1.75.2.9",
        ),
        ("# BuildStamp freesurfer-linux-ubuntu20_x86_64-7.4.1-20230614-7eb8460", "", "FreeSurfer 7.4.1"),
        ("# cvs_version 7.2.0", "freesurfer-Linux-centos6_x86_64-stable-pub-v6.0.1-f53a55a", "FreeSurfer 6.0.1"),
        ("# nothing", "", ""),
    ],
)
def test_the_build_of_statistics(tmp_path, head, stamp, expected):
    path = tmp_path / "sub-1/stats/aseg.stats"
    path.parent.mkdir(parents=True)
    path.write_text(f"# Title\n{head}\n# x\n")
    if stamp:
        (tmp_path / "sub-1/scripts").mkdir()
        (tmp_path / "sub-1/scripts/build-stamp.txt").write_text(stamp)
    assert of_statistics(path) == expected
    if expected:
        assert of_people("freesurfer", tmp_path, [{"aseg": str(path)}, {}]) == {expected: 1}
    assert of_people("nifti", tmp_path, [{"image": "x"}]) == {}


def test_versions_of_shards_add_up():
    assert joined([{"b 1": 2}, {}, {"a 1": 1, "b 1": 3}]) == {"a 1": 1, "b 1": 5}
