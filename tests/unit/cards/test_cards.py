"""Score cards: their figures, their page, and their check."""

import json
import re
import sys
from html.parser import HTMLParser

import pytest

from qiki_harness.cards.again import follows
from qiki_harness.cards.card import make
from qiki_harness.cards.page import page
from qiki_harness.cli import main
from qiki_harness.errors import HarnessError
from qiki_harness.sweeps.store import Results


@pytest.fixture
def card(monkeypatch, capsys):
    """Runs `qiki card`; gives status, output and complaint."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["qiki", "card", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


def made(path, **chosen):
    with Results.read(path) as results:
        return make(results, **chosen)


def test_a_card_answers_each_criterion(results, engines):
    one = made(results)
    none, burner, crasher = one["groups"]
    assert [group["engine"] for group in one["groups"]] == ["none", f"{engines}:Burner", f"{engines}:Crasher"]
    assert (none["runs"], none["crashed"], none["outcomes"]) == (3, 0, {"out of time": 3})
    assert (none["success"]["mean"], none["success"]["count"]) == (0.0, 3)
    held = {one["id"]: one["mean"] for one in crasher["criteria"]}
    assert held["NO_FAULT"] == 0.0
    assert held["NO_HIT"] == 1.0
    assert burner["figures"]["propellant_kg"]["mean"] > none["figures"]["propellant_kg"]["mean"] == 0.0
    assert len(burner["figures"]["score"]["quantiles"]) == 5
    assert crasher["crashed"] == 3


def test_the_worst_runs_have_sentences_and_a_command(results):
    worst = made(results)["groups"][2]["worst"]
    assert len(worst) == 3
    key = worst[0]["key"][:12]
    assert worst[0]["command"] == (f"qiki sweep show results.sqlite {key} --record {key}.mcap && qiki play {key}.mcap")
    assert "no engine fails: failed at 0.1 s, in all 10 faults" in worst[0]["sentences"]


def test_two_engines_are_compared_seed_by_seed(results, engines):
    one, _ = made(results)["pairs"]
    assert (one["engine"], one["beside"], one["seeds"]) == (f"{engines}:Burner", "none", 3)
    assert one["success"] == {"both": 0, "this_only": 0, "other_only": 0, "neither": 3}
    assert one["figures"]["propellant_kg"]["more"] == 3
    assert one["sentence"].startswith(f"{engines}:Burner scores ")
    assert "less than none" in one["sentence"]
    other = made(results, beside=f"{engines}:Burner")["pairs"][0]
    assert other["figures"]["score"]["mean"] == -one["figures"]["score"]["mean"]


def test_two_makings_of_a_card_are_the_same_bytes(card, results, results_of, tmp_path, engines):
    assert card("make", results, "-o", tmp_path / "one.json")[0] == 0
    flown_backwards = results_of(order=-1, engines=("none", f"{engines}:Burner", f"{engines}:Crasher"))
    assert card("make", flown_backwards, "-o", tmp_path / "two.json")[0] == 0
    for suffix in (".json", ".html"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


class Reader(HTMLParser):
    """Notes the elements, and what they would fetch."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.fetched, self.open = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.fetched += [value for name, value in attrs if name in {"src", "href", "xlink:href"}]
        if tag not in {"meta", "line", "rect", "circle"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in {"line", "rect", "circle"}:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_runs_nothing(results):
    text = page(made(results))
    reader = Reader(text)
    assert reader.open == []
    assert {"svg", "table", "style", "circle"} <= reader.tags
    assert "script" not in reader.tags
    assert reader.fetched == []
    assert "url(" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"\bnan\b|\binf\b", text)


def test_a_card_is_verified(card, results, tmp_path):
    path = tmp_path / "one.json"
    card("make", results, "-o", path)
    status, out, _ = card("verify", path, "--sample", 2, "--workers", 1)
    assert (status, "2 of 2 flown again are the same" in out) == (0, True)


def test_a_changed_card_is_found(card, results, tmp_path):
    one = made(results)
    path = tmp_path / "one.json"
    one["groups"][0]["figures"]["score"]["mean"] += 1.0
    path.write_text(json.dumps(one))
    status, out, _ = card("verify", path)
    assert (status, "its figures do not follow from its runs" in out) == (1, True)
    one = made(results)
    one["rows"][0]["digest"] = "0" * 64
    for worst in one["groups"][0]["worst"]:
        if worst["key"] == one["rows"][0]["key"]:
            worst["digest"] = "0" * 64
    assert follows(one)
    path.write_text(json.dumps(one))
    status, out, _ = card("verify", path, "--sample", 9, "--workers", 1)
    assert (status, "8 of 9 flown again are the same" in out) == (1, True)
    assert f"{'0' * 64} then" in out


def test_an_engine_that_has_changed_is_named(card, results_of, tmp_path, engines):
    copy = tmp_path / "engines.py"
    copy.write_text(engines.read_text())
    path = tmp_path / "one.json"
    card("make", results_of(seeds=1, engines=(f"{copy}:Burner",)), "-o", path)
    copy.write_text(copy.read_text() + "\n")
    status, _, err = card("verify", path)
    assert status == 2
    assert f"engine {copy}:Burner, or avoid, has changed since the card was made" in err


@pytest.mark.parametrize(
    ("content", "complaint"),
    [("{", "not a card: not JSON"), ("[]", "not a card (expected the format"), ('{"format": 1}', "found 1")],
)
def test_what_is_no_card_is_refused(card, tmp_path, content, complaint):
    path = tmp_path / "card.json"
    path.write_text(content)
    status, out, err = card("verify", path)
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert complaint in err


def test_results_that_give_no_card_are_refused(results, results_of, tmp_path):
    with pytest.raises(HarnessError, match="no run was flown by the engine 'warp'"):
        made(results, beside="warp")
    with pytest.raises(HarnessError, match="there is no such file"):
        made(tmp_path / "lost.sqlite")
