"""What is no number is said once, in the words of whoever found it, and for scikit-learn it is a ValueError."""

from __future__ import annotations

import pytest

from brainpid.core.errors import InputError
from brainpid.core.labels import numbers_of


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([1.0, "old", None], "age: expected numbers, found 1 text(s) such as 'old'"),
        ([1j], "age: expected numbers, found complex numbers, such as 1j"),
    ],
)
def test_what_is_no_number_is_said_once(given, message):
    with pytest.raises(ValueError, match="age") as caught:
        numbers_of(given, "age")
    assert isinstance(caught.value, InputError)
    assert str(caught.value) == message
