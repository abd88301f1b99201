"""A file says what it is, and whatever is no model of this format is refused in words."""

from __future__ import annotations

import pickle
import zipfile

import joblib
import numpy as np
import pytest
import torch

from brainpid.core.errors import InputError
from brainpid.model import PIDReg
from brainpid.model.pidreg.state import FORMAT, VERSION, read_state, write_state


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    rng = np.random.default_rng(0)
    X = {m: rng.normal(size=(40, 3)) for m in ("t1", "dwi")}
    folder = tmp_path_factory.mktemp("model")
    PIDReg(members=2, epochs=1, hidden=(4,)).fit(X, rng.normal(size=40)).save(folder)
    return (folder / "model.pt").read_bytes()


def test_a_file_names_its_format_and_version(saved, tmp_path):
    (tmp_path / "model.pt").write_bytes(saved)
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    assert (content["format"], content["version"]) == (FORMAT, VERSION) == ("brainpid.PIDReg", 4)


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_off(saved, tmp_path, part):
    (tmp_path / "model.pt").write_bytes(saved[: int(part * len(saved))])
    with pytest.raises(InputError, match=r"model\.pt: expected a model that PIDReg\.save wrote; the file is cut off"):
        PIDReg.load(tmp_path)


def test_a_file_with_a_byte_turned(saved, tmp_path):
    """In the middle of a tensor, where the file can be read without a complaint."""
    turned = bytearray(saved)
    turned[len(saved) // 2] ^= 255
    (tmp_path / "model.pt").write_bytes(turned)
    with pytest.raises(InputError, match="damaged"):
        PIDReg.load(tmp_path)


class Trap:
    def __reduce__(self):
        return (print, ("executed",))


def write_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no model")


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_text("no model"),
        lambda path: path.write_bytes(pickle.dumps({"format": FORMAT})),
        lambda path: joblib.dump({"format": FORMAT}, path),
        lambda path: torch.save(torch.zeros(3), path),
        lambda path: torch.save({"parameters": {}, "kept": {}, "fitted": {}}, path),  # as before there was a version
        lambda path: torch.save({"format": FORMAT, "trap": Trap()}, path),
        write_zip,
    ],
)
def test_files_of_something_else(tmp_path, capsys, write):
    write(tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"model\.pt: expected a model that PIDReg\.save wrote"):
        PIDReg.load(tmp_path)
    assert capsys.readouterr().out == ""


def test_another_version_is_told(tmp_path):
    torch.save({"format": FORMAT, "version": VERSION + 1}, tmp_path / "model.pt")
    with pytest.raises(InputError, match=f"format {VERSION}, found format {VERSION + 1}: fit the model again"):
        PIDReg.load(tmp_path)
    write_state(tmp_path / "other.pt", {"a": 1})
    assert read_state(tmp_path / "other.pt")["a"] == 1


def test_bytes_turned_anywhere_never_end_in_another_error(saved, tmp_path):
    """A header of the zip that no checksum covers may be read all the same."""
    draws = np.random.default_rng(0)
    for place in draws.integers(0, len(saved), 60):
        turned = bytearray(saved)
        turned[place] ^= int(draws.integers(1, 256))
        (tmp_path / "model.pt").write_bytes(turned)
        try:
            PIDReg.load(tmp_path)
        except InputError as refused:
            assert str(refused).startswith(f"{tmp_path}/model.pt: ")  # noqa: PT017


@pytest.mark.parametrize("lost", ["parameters", "kept", "fitted"])
def test_a_state_without_a_part(saved, tmp_path, lost):
    (tmp_path / "model.pt").write_bytes(saved)
    content = torch.load(tmp_path / "model.pt", weights_only=True)
    torch.save({name: part for name, part in content.items() if name != lost}, tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"model\.pt: expected a whole model .*a part is absent"):
        PIDReg.load(tmp_path)
    content["parameters"] = {"members": 2, "unheard_of": 1}
    torch.save(content, tmp_path / "model.pt")
    with pytest.raises(InputError, match=r"does not fit .*unheard_of"):
        PIDReg.load(tmp_path)
