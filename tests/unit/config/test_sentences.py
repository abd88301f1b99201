"""Faults are said in the words of somebody who writes YAML."""

from __future__ import annotations

import pytest
import yaml
from cohorts import make_config

from brainpid.config.schema import parse_config
from brainpid.core.errors import InputError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("output_dir: ~", "output_dir: expected a text, found nothing"),
        ("report: {title: no}", "report.title: expected a text, found false: YAML reads no, off and false "
         "without quotes as false; quote it, such as 'no'"),
        ("report: {title: 012}", "report.title: expected a text, found 10: YAML reads it without quotes as a number"),
        ("report: {title: 2020-01-01}", "expected a text, found 2020-01-01: YAML reads it without quotes as a date"),
        ("costs: {no: 1}", "costs: expected names as keys, found false: YAML reads no, off"),
        ("costs: {1: 1}", "costs: expected names as keys, found 1: YAML reads it without quotes as a number"),
        ("no: 1", "top level: expected names as keys, found false: YAML reads no"),
        ("models: ridge", "models: expected a list, such as [a, b], found 'ridge'"),
        ("splits: 5", "splits: expected a mapping of keys, found 5"),
        ("splits: {folds: many}", "splits.folds: expected a whole number, found 'many'"),
        ("splits: {folds: 2.5}", "splits.folds: expected a whole number, found 2.5"),
        ("interval_coverage: wide", "interval_coverage: expected a number, found 'wide'"),
        ("extraction: {structural: {n4: perhaps}}", "structural.n4: expected true or false, found 'perhaps'"),
        ("modalities: [t1]", "modalities: expected at least 2 of them, found ['t1']"),
        ("cohorts: {a: {participants: p.tsv, sources: {t1: {kind: tabel, path: x}}}}",
         "cohorts.a.sources.t1: expected a kind of source: table, nifti"),
        ("cohorts: {a: {participants: p.tsv, sources: {t1: {path: x}}}}", "key 'cohorts.a.sources.t1.kind' is missing"),
        ("cohorts: {a: {participants: p.tsv, sources: {t1: {kind: table}}}}",
         "key 'cohorts.a.sources.t1.path' is missing"),
        ("cohorts: {a: {participants: p.tsv, sources: {t1: {kind: table, path: x, dropp: []}}}}",
         "unknown key 'cohorts.a.sources.t1.dropp'; did you mean 'drop'?"),
        ("cohorts: {a: {participants: p.tsv, columns: {sex: yes}, sources: {}}}",
         "cohorts.a.columns.sex: expected a text, found true: YAML reads yes"),
        ("cohorts: {'<b>x</b>': {participants: p.tsv, sources: {}}}", "'<b>x</b>' is not a plain name"),
        ("modalities: ['t1', \"dwi\\n\"]", "is not a plain name"),
        ("cohorts: {null: {participants: p.tsv, sources: {}}}",
         "cohorts: expected names as keys, found nothing: YAML reads ~, null and an empty value as nothing; quote what "
         "is meant as a text, such as 'null'"),
        ("cohorts: {.nan: {participants: p.tsv, sources: {}}}",
         "cohorts: expected names as keys, found nan: YAML reads it without quotes as a number"),
        ("cohorts: {true: {participants: p.tsv, sources: {}}}", "quote it, such as 'yes' or 'true'"),
        ("cohorts: {1.0e+5: {participants: p.tsv, sources: {}}}", "cohorts: expected names as keys, found 100000"),
        ("cohorts: {007: {participants: p.tsv, sources: {}}}", "cohorts: expected names as keys, found 7"),
        ("modalities: [t1, T1]", "differ in capitals alone"),
    ],
)  # fmt: skip
def test_sentences(tmp_path, text, message):
    content = make_config(tmp_path, ["a"], tmp_path) | yaml.safe_load(text)
    with pytest.raises(InputError) as error:
        parse_config(content, "c.yaml")
    assert message in str(error.value)
    for word in ("input should", "Input should", "dictionary", "instance", "valid string", "pydantic"):
        assert word not in str(error.value)
