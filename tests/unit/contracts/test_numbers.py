"""Whole numbers in headers are bounded decimal digits, and nothing else that Python takes for a number."""

import time

import pytest

from qiki.contracts.numbers import MAX_FRAME, MAX_SEQUENCE, whole_number


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("007", 7), (str(MAX_FRAME), MAX_FRAME)])
def test_decimal_digits_are_a_number(text: str, number: int):
    assert whole_number(text, "x-qiki-frame", MAX_FRAME) == number


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1_0", "1.0", "1e3", "abc", "²", "٣", "\x1b[2J", str(MAX_FRAME + 1), "0" * 17]
)
def test_anything_else_is_refused_with_the_headers_name(text: str):
    with pytest.raises(ValueError, match=r"^x-qiki-frame: .*: expected a whole number from 0 to 9007199254740991$"):
        whole_number(text, "x-qiki-frame", MAX_FRAME)


def test_a_number_below_the_least_is_refused():
    assert whole_number("100", "x-qiki-code", 999, 100) == 100
    with pytest.raises(ValueError, match="from 100 to 999"):
        whole_number("99", "x-qiki-code", 999, 100)


def test_many_digits_cost_no_time_and_a_short_message():
    begun_s = time.process_time()
    with pytest.raises(ValueError, match=r"4000000 characters") as caught:
        whole_number("9" * 4_000_000, "x-qiki-seq", MAX_SEQUENCE)
    assert time.process_time() - begun_s < 0.5
    assert len(str(caught.value)) < 200
