"""What ANTs raises becomes one sentence."""

from __future__ import annotations

import pytest

from brainpid.core.errors import ImageError, MachineError, ToolError
from brainpid.imaging.ants_calls import ants_call


def test_any_error_becomes_a_sentence_with_its_first_words():
    whole = r"^bias correction failed \(no convergence\). Is it a head\?$"
    with pytest.raises(ImageError, match=whole) as caught, ants_call("bias correction", "Is it a head?"):
        raise RuntimeError("no\n  convergence")
    assert isinstance(caught.value.__cause__, RuntimeError)
    with pytest.raises(ImageError, match=r"^it failed \(KeyError\)$"), ants_call("it"):
        raise KeyError
    with pytest.raises(ImageError, match=r"failed \(x{160}\)"), ants_call("it"):
        raise ValueError("x" * 500)


def test_what_is_a_sentence_already_and_what_stops_the_program_pass():
    with pytest.raises(ImageError, match=r"^no brain$"), ants_call("it"):
        raise ImageError("no brain")
    with pytest.raises(KeyboardInterrupt), ants_call("it"):
        raise KeyboardInterrupt


def test_a_fault_of_the_machine_stays_one_and_others_may_be_one():
    with pytest.raises(MachineError, match=r"ENOSPC .* at /tmp/t0"), ants_call("it"):
        raise OSError(28, "No space left on device", "/tmp/t0")
    with pytest.raises(MachineError, match="no memory left"), ants_call("it"):
        raise MemoryError
    with pytest.raises(ToolError, match="it failed"), ants_call("it"):
        raise RuntimeError("antsRegistration returned non-zero exit code 1")
