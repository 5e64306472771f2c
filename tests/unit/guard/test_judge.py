"""The guard: each rule at its edges, alerts once, memory that survives."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiki.contracts.enums import FriendFoe, RadarTrackStatus, TransponderMode
from qiki.contracts.radar import GuardAlert
from qiki.guard import DEFAULT_RULES
from qiki.guard.judge import GuardJudge
from qiki.guard.rules import GuardRule, GuardRules
from qiki.textfile import FileError
from qiki.tracking import Scan, Tracker, TrackerParameters, TrackReports
from qiki.yamlfile import load_yaml_model

DEFAULTS = DEFAULT_RULES
A, B = "6f1c3d1e-0000-4000-8000-00000000000a", "6f1c3d1e-0000-4000-8000-00000000000b"
TRACKED, COASTING, NEW, LOST = (
    RadarTrackStatus.TRACKED,
    RadarTrackStatus.COASTING,
    RadarTrackStatus.NEW,
    RadarTrackStatus.LOST,
)


RUN_ID = UUID("6f1c3d1e-0000-4000-8000-000000000001")
ONE_PLOT = Scan(
    t_us=0,
    own_position=np.zeros(3),
    own_velocity=np.zeros(3),
    range_m=np.array([60.0]),
    line_of_sight=np.array([[0.0, 1.0, 0.0]]),
    doppler_mps=np.zeros(1),
    snr_db=np.array([25.0]),
    rcs_dbsm=np.zeros(1),
    long_range=np.zeros(1, dtype=bool),
    transponder_on=np.zeros(1, dtype=bool),
    transponder_mode=np.zeros(1, dtype=np.int8),
    transponder_id=[None],
)


@pytest.fixture(scope="module")
def rules() -> GuardRules:
    return load_yaml_model(DEFAULTS, GuardRules)


def only(rules: GuardRules, name: str, **changes: Any) -> GuardRules:
    return GuardRules(rules=tuple(rule.model_copy(update=changes) for rule in rules.rules if rule.id == name))


@pytest.fixture(scope="module")
def seen():
    """Reports of one track that is as the test says."""
    template = Tracker(RUN_ID, TrackerParameters(), {}).step(ONE_PLOT)

    def make(t_s: float, range_m: float = 50.0, *, track: str = A, **changes: Any) -> TrackReports:
        values = {
            "iff": FriendFoe.UNKNOWN,
            "status": TRACKED,
            "quality": 0.9,
            "transponder_on": False,
            "transponder_mode": TransponderMode.OFF,
        } | changes
        arrays = {name: np.array([value]) for name, value in values.items()}
        return replace(template, t_us=round(t_s * 1e6), track_id=[track], range_m=np.array([range_m]), **arrays)

    return make


def alerted(judge: GuardJudge, *frames: TrackReports):
    """Rules that raised an alert, frame by frame."""
    return [[alert.rule_id for alert in judge.judge(reports).alerts] for reports in frames]


def ended(judge: GuardJudge, *frames: TrackReports):
    """Rules and tracks whose alerts ended, frame by frame."""
    return [[(one.rule_id, one.track_id) for one in judge.judge(reports).ended] for reports in frames]


UNKNOWN_CLOSE = ["UNKNOWN_CONTACT_CLOSE"]


def test_the_default_rules_are_the_contracts(rules: GuardRules):
    unknown, foe, spoof = rules.rules
    assert (unknown.id, unknown.severity) == ("UNKNOWN_CONTACT_CLOSE", "critical")
    assert (unknown.iff, unknown.max_range_m, unknown.min_quality) == (FriendFoe.UNKNOWN, 70, 0.2)
    assert (unknown.hysteresis_m, unknown.fsm_event) == (5, "RADAR_ALERT_UNKNOWN_CLOSE")
    assert (foe.id, foe.severity) == ("FOE_TRANSPONDER_OFF_APPROACH", "critical")
    assert (foe.iff, foe.transponder_on, foe.max_range_m, foe.min_quality) == (FriendFoe.FOE, False, 150, 0.1)
    assert (foe.hysteresis_m, foe.fsm_event) == (5, "RADAR_ALERT_FOE_APPROACH")
    assert (spoof.id, spoof.severity) == ("SPOOFING_DETECTED", "warning")
    assert (spoof.transponder_modes, spoof.max_range_m) == ((TransponderMode.SPOOF,), 500)
    assert (spoof.hysteresis_m, spoof.fsm_event) == (10, "RADAR_ALERT_SPOOF")
    assert {(r.min_range_m, r.min_duration_s, r.cooldown_s) for r in rules.rules} == {(0, 0, 60)}


def test_rules_are_written_as_they_are_read(rules: GuardRules):
    assert GuardRules.model_validate_json(rules.model_dump_json()) == rules
    assert '"iff":"FOE"' in rules.model_dump_json()


@pytest.mark.parametrize(
    ("track", "expected"),
    [
        ({"range_m": 70.0}, UNKNOWN_CLOSE),
        ({"range_m": 70.1}, []),
        ({"quality": 0.2}, UNKNOWN_CLOSE),
        ({"quality": 0.19}, []),
        ({"status": COASTING}, UNKNOWN_CLOSE),
        ({"status": NEW}, []),
        ({"status": LOST}, []),
        ({"iff": FriendFoe.FRIEND}, []),
        ({"iff": FriendFoe.FOE, "range_m": 150.0}, ["FOE_TRANSPONDER_OFF_APPROACH"]),
        ({"iff": FriendFoe.FOE, "range_m": 150.0, "transponder_on": True}, []),
        ({"transponder_mode": TransponderMode.SPOOF, "range_m": 500.0}, ["SPOOFING_DETECTED"]),
        ({"transponder_mode": TransponderMode.SPOOF, "range_m": 500.1}, []),
        ({"transponder_mode": TransponderMode.SPOOF}, ["UNKNOWN_CONTACT_CLOSE", "SPOOFING_DETECTED"]),
    ],
)
def test_conditions(rules: GuardRules, seen: Callable[..., Any], track: dict[str, Any], expected: list[str]):
    assert alerted(GuardJudge(rules), seen(0, **track)) == [expected]


def test_the_alert_says_all(rules: GuardRules, seen: Callable[..., Any]):
    (alert,) = GuardJudge(rules).judge(seen(12.5, 42.0)).alerts
    assert isinstance(alert, GuardAlert)
    assert json.loads(alert.to_json()) == {
        "schema_version": 1,
        "category": "radar",
        "kind": "guard_alert",
        "source": "guard",
        "subject": "UNKNOWN_CONTACT_CLOSE",
        "ts_epoch": 12.5,
        "rule_id": "UNKNOWN_CONTACT_CLOSE",
        "id": A,
        "track_id": A,
        "fsm_event": "RADAR_ALERT_UNKNOWN_CLOSE",
        "severity": "critical",
        "message": "Unknown contact close by: 42 m",
        "range_m": 42.0,
        "quality": 0.9,
        "iff": 3,
        "transponder_on": False,
        "transponder_mode": 0,
    }


def test_a_condition_that_lasts_speaks_once(rules: GuardRules, seen: Callable[..., Any]):
    frames = [seen(t_s) for t_s in range(200)]
    assert sum(len(alerts) for alerts in alerted(GuardJudge(rules), *frames)) == 1


def test_hysteresis_holds_an_alert_at_the_edge(rules: GuardRules, seen: Callable[..., Any]):
    rules = only(rules, "UNKNOWN_CONTACT_CLOSE", cooldown_s=0.0)
    judge = GuardJudge(rules)
    # 75 is still within 70 + 5; 75.1 ends it; 72 does not begin it; 70 does.
    ranges = [69.0, 74.0, 75.0, 69.0, 75.1, 72.0, 70.0]
    result = alerted(judge, *(seen(t_s, range_m) for t_s, range_m in enumerate(ranges)))
    assert [bool(alerts) for alerts in result] == [True, False, False, False, False, False, True]


def test_hysteresis_widens_the_near_end_too(rules: GuardRules, seen: Callable[..., Any]):
    rules = only(rules, "UNKNOWN_CONTACT_CLOSE", cooldown_s=0.0, min_range_m=30.0)
    result = alerted(GuardJudge(rules), *(seen(t, r) for t, r in enumerate([31.0, 26.0, 31.0, 24.0, 29.0, 30.0])))
    assert [bool(alerts) for alerts in result] == [True, False, False, False, False, True]


def test_a_condition_must_last_its_minimum(rules: GuardRules, seen: Callable[..., Any]):
    rules = only(rules, "UNKNOWN_CONTACT_CLOSE", min_duration_s=2.0)
    times = [(0, 50), (1.9, 50), (2.0, 50), (3, 50)]
    assert alerted(GuardJudge(rules), *(seen(*time) for time in times)) == [[], [], UNKNOWN_CLOSE, []]
    broken = [(0, 50), (1, 200), (2.5, 50), (4.4, 50), (4.5, 50)]
    assert alerted(GuardJudge(rules), *(seen(*time) for time in broken)) == [[], [], [], [], UNKNOWN_CLOSE]


def test_cooldown_silences_a_return_until_it_is_over(rules: GuardRules, seen: Callable[..., Any]):
    times = [(0, 50), (1, 200), (2, 50), (59.9, 50), (60, 50), (61, 50)]
    assert alerted(GuardJudge(rules), *(seen(*time) for time in times)) == [
        UNKNOWN_CLOSE, [], [], [], UNKNOWN_CLOSE, [],
    ]  # fmt: skip


def test_cooldown_is_of_one_track(rules: GuardRules, seen: Callable[..., Any]):
    assert alerted(GuardJudge(rules), seen(0), seen(1, track=B), seen(2)) == [UNKNOWN_CLOSE, UNKNOWN_CLOSE, []]


def test_a_lost_track_is_dropped(rules: GuardRules, seen: Callable[..., Any]):
    judge = GuardJudge(rules)
    alerted(judge, seen(0), seen(1, status=LOST))
    assert judge.snapshot() == GuardJudge(rules).snapshot()


CLOSE_IS_OVER = [("UNKNOWN_CONTACT_CLOSE", A)]


@pytest.mark.parametrize(
    "change",
    [{"range_m": 75.1}, {"status": LOST}, {"iff": FriendFoe.FRIEND}, {"quality": 0.1}, {"track": B, "range_m": 500.0}],
    ids=["it left", "it is lost", "it is a friend", "it is doubtful", "it is there no longer"],
)
def test_an_alert_ends_once_with_its_condition(rules: GuardRules, seen: Callable[..., Any], change: dict[str, Any]):
    frames = [seen(0), seen(1, 74.0), seen(2, **change), seen(3, **change)]
    assert ended(GuardJudge(rules), *frames) == [[], [], CLOSE_IS_OVER, []]


def test_a_condition_that_was_never_announced_does_not_end(rules: GuardRules, seen: Callable[..., Any]):
    short = only(rules, "UNKNOWN_CONTACT_CLOSE", min_duration_s=2.0)
    assert ended(GuardJudge(short), seen(0), seen(1), seen(1.5, 200)) == [[], [], []]


def outcomes(judge: GuardJudge, *frames: TrackReports):
    """Outcomes frame by frame: A for an alert, R for one that is resumed, E for one that ended."""
    judgements = [judge.judge(reports) for reports in frames]
    return ["A" * len(one.alerts) + "R" * len(one.resumed) + "E" * len(one.ended) for one in judgements]


def test_a_return_within_the_cooldown_resumes_the_alert_and_ends_again(rules: GuardRules, seen: Callable[..., Any]):
    ranges = [(0, 50), (1, 200), (2, 50), (3, 74), (4, 200), (5, 72), (6, 70), (7, 200), (70, 50), (71, 200)]
    frames = [seen(*one) for one in ranges]
    assert outcomes(GuardJudge(rules), *frames) == ["A", "E", "R", "", "E", "", "R", "E", "A", "E"]


def test_a_return_that_outlasts_the_cooldown_is_an_alert_then_and_ends_once(
    rules: GuardRules, seen: Callable[..., Any]
):
    frames = [seen(0), seen(1, 200), seen(2), seen(59.9), seen(60), seen(61), seen(62, 200)]
    judge = GuardJudge(rules)
    (resumed,) = [one for reports in frames[:4] for one in judge.judge(reports).resumed]
    assert (resumed.rule_id, str(resumed.track_id), resumed.ts_epoch) == ("UNKNOWN_CONTACT_CLOSE", A, 2.0)
    assert outcomes(judge, *frames[4:]) == ["A", "", "E"]


def test_a_return_must_last_its_minimum_to_be_reported(rules: GuardRules, seen: Callable[..., Any]):
    rules = only(rules, "UNKNOWN_CONTACT_CLOSE", min_duration_s=2.0)
    times = [(0, 50), (2, 50), (3, 200), (4, 50), (5, 200), (6, 50), (8, 50), (9, 50)]
    assert outcomes(GuardJudge(rules), *(seen(*time) for time in times)) == ["", "A", "E", "", "", "", "R", ""]


def test_a_resumed_one_that_is_lost_ends(rules: GuardRules, seen: Callable[..., Any]):
    frames = [seen(0), seen(1, 200), seen(2), seen(3, status=LOST)]
    assert outcomes(GuardJudge(rules), *frames) == ["A", "E", "R", "E"]


@settings(max_examples=30, deadline=None)
@given(
    ranges=st.lists(st.floats(40, 100), min_size=2, max_size=30),
    split=st.integers(0, 29),
    step_s=st.floats(0.1, 30),
)
def test_restored_it_raises_the_same_alerts(
    ranges: list[float], split: int, step_s: float, rules: GuardRules, seen: Callable[..., Any]
):
    frames = [seen(step_s * index, range_m) for index, range_m in enumerate(ranges)]
    through, first = GuardJudge(rules), GuardJudge(rules)
    expected = [through.judge(reports) for reports in frames]
    before = [first.judge(reports) for reports in frames[:split]]
    second = GuardJudge.restore(json.loads(json.dumps(first.snapshot())), rules)
    assert before + [second.judge(reports) for reports in frames[split:]] == expected


def test_memories_of_a_rule_that_is_gone_are_dropped(rules: GuardRules, seen: Callable[..., Any]):
    judge = GuardJudge(rules)
    judge.judge(seen(0))
    fewer = only(rules, "SPOOFING_DETECTED")
    assert GuardJudge.restore(judge.snapshot(), fewer).snapshot() == {"SPOOFING_DETECTED": {}}


BASE = "rules:\n  - {id: R, description: d, severity: info, fsm_event: E, max_range_m: 10"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BASE + ", iff: ENEMY}", "rules.0.iff: input should be .*FOE"),
        (BASE + ", iff: 2}", "rules.0.iff"),
        (BASE + ", min_range_m: 11}", "min_range_m 11 is beyond max_range_m 10"),
        (BASE + ", range: 3}", "rules.0.range"),
        (BASE + ", cooldown_s: -1}", "rules.0.cooldown_s"),
        (BASE + ", max_range: .inf}", "rules.0"),
        (BASE + "}\n" + BASE.partition("\n")[2] + "}", "rule R is given twice"),
    ],
)
def test_a_broken_rule_is_named_in_one_line(tmp_path: Path, text: str, message: str):
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(FileError, match=message) as caught:
        load_yaml_model(path, GuardRules)
    assert "\n" not in str(caught.value)


def test_bare_on_and_off_are_modes_not_booleans(tmp_path: Path):
    path = tmp_path / "rules.yaml"
    path.write_text(BASE + ", transponder_modes: [ON, OFF, SILENT]}")
    (rule,) = load_yaml_model(path, GuardRules).rules
    assert isinstance(rule, GuardRule)
    assert rule.transponder_modes == (TransponderMode.ON, TransponderMode.OFF, TransponderMode.SILENT)
