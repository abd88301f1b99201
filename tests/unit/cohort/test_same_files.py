"""The same image under two names is seen by its content, and what many people share is not looked at."""

from __future__ import annotations

from brainpid.cohort.file_states import Known, record_path, taken, write_record
from brainpid.cohort.same_files import contents_of_one_size, kept_contents


def test_contents_of_extraction_and_of_files_of_one_size(tmp_path):
    paths = {}
    for name, content in (("1", b"abc"), ("2", b"abc"), ("3", b"abd"), ("4", b"longer"), ("5", b"")):
        paths[name] = tmp_path / f"{name}_T1w.nii.gz"
        paths[name].write_bytes(content)
    sidecar = tmp_path / "all.json"
    sidecar.write_text("{}")
    files = {("a", name): {"t1 image": str(path), "t1 json": str(sidecar)} for name, path in paths.items()}
    found = contents_of_one_size(files)
    assert set(found) == {("a", "1"), ("a", "2"), ("a", "3")}
    assert set(found["a", "1"]) == {"t1 image"}
    assert found["a", "1"] == found["a", "2"] != found["a", "3"]

    keep = tmp_path / "persons/a/t1"
    record = {"4": {"image": Known(taken(str(paths["4"]), str(tmp_path)), "w"),
                    "mask": Known(taken(str(paths["1"]), str(tmp_path)), "w")}}  # fmt: skip
    path = record_path(keep, 0)
    path.parent.mkdir(parents=True)
    write_record(path, record)
    kept = kept_contents(tmp_path / "persons", {"a": ("t1", "dwi"), "b": ()})
    assert list(kept) == [("a", "4")]
    assert set(kept["a", "4"]) == {"t1 image"}
