"""New people whose data other versions made are told of."""

from __future__ import annotations

from brainpid.features.source_versions import warn_of_other_versions


def test_versions_that_training_has_not_seen_are_named(caplog):
    training = {"t1": {"a": {"FreeSurfer 7.2.0": 9}, "b": {"FreeSurfer 6.0.1": 8}}, "dwi": {}}
    warn_of_other_versions(training, {"t1": {"new": {"FreeSurfer 6.0.1": 4}}, "dwi": {"new": {"QSIRecon 1": 1}}})
    assert caplog.messages == []
    warn_of_other_versions(training, {"t1": {"new": {"FreeSurfer 5.3.0": 4}}})
    (said,) = caplog.messages
    assert said.startswith(
        "cohort 'new': t1 was made by FreeSurfer 5.3.0, and that of the training people by FreeSurfer 7.2.0, "
    )
