"""Guard alerts in mixed traffic: a stranger comes close, an impostor is found out, a silent foe approaches."""

from uuid import UUID, uuid5

import pytest

from qiki.contracts.enums import FriendFoe, TransponderMode
from qiki.contracts.events import GUARD_CLEARED
from qiki_harness.twin.checks import settle

SECONDS = 45
QUIET_S = 90
ALERT = "qiki.events.v1.RadarGuardAlert"
CLEARED = GUARD_CLEARED.ce_type
RULES = {  # rule: who meets it, by when [s], how close [m], severity, what the rule saw in it
    "UNKNOWN_CONTACT_CLOSE": ("stray", 20, 70, "critical", {"iff": FriendFoe.UNKNOWN}),
    "SPOOFING_DETECTED": ("impostor", 46, 500, "warning", {"transponder_mode": TransponderMode.SPOOF}),
    "FOE_TRANSPONDER_OFF_APPROACH": ("viper", 45, 150, "critical", {"iff": FriendFoe.FOE, "transponder_on": False}),
}


def test_each_rule_finds_whom_it_is_for_once(world):
    twin = world("mixed-traffic")
    before = twin.now()

    assert twin.command("sim.step", ticks=20 * SECONDS).ok

    run, _ = settle(twin)
    twin.await_until("the alerts have come", lambda: len(twin.events(after=before, type=ALERT)) >= len(RULES))
    alerts = [alert.data for alert in twin.events(after=before, type=ALERT)]
    assert sorted(alert.fields["rule_id"] for alert in alerts) == sorted(RULES)
    truth = {record.data.timestamp.timestamp(): record.data for record in twin.truth(run_id=run)}
    for alert in alerts:
        told = alert.fields
        name, by_s, close_m, severity, seen = RULES[told["rule_id"]]
        there = truth[told["ts_epoch"]]
        contact = next(one for one in there.contacts if one.id == str(uuid5(UUID(run), f"contact:{name}")))
        assert there.frame / 10 <= by_s
        assert _distance_m(contact.position, there.bot.position) == pytest.approx(told["range_m"], abs=15)
        assert told["range_m"] <= close_m
        assert (told["severity"], alert.code) == (severity, 802)
        assert seen.items() <= told.items()
        (track,) = twin.tracks(run=run, frame=there.frame, track_id=UUID(told["track_id"]))
        assert track.data.range_m == told["range_m"]


def test_the_world_grows_quiet_and_every_alert_ends_once(world):
    twin = world("mixed-traffic")
    before = twin.now()

    twin.step(20 * QUIET_S)

    twin.await_until("the alerts have ended", lambda: len(twin.events(after=before, type=CLEARED)) >= len(RULES))
    alerts, cleared = (
        {(one.data.fields["rule_id"], one.data.fields["track_id"]): one for one in twin.events(after=before, type=kind)}
        for kind in (ALERT, CLEARED)
    )
    assert alerts.keys() == cleared.keys()
    assert len(twin.events(after=before, type=CLEARED)) == len(cleared)
    guarded = [one.frame for one in twin.tracked_frames() for _ in range(int(one.headers["x-qiki-alerts"]))]
    assert sorted(guarded) == sorted(one.frame for one in (*alerts.values(), *cleared.values()))
    for key, alert in alerts.items():
        assert cleared[key].frame > alert.frame
        assert cleared[key].run == alert.run == cleared[key].data.fields["run_id"]
        assert cleared[key].data.fields["fsm_event"] == alert.data.fields["fsm_event"]


def test_nothing_to_guard_against_gives_no_alert(world):
    twin = world("single-pass")
    before = twin.now()

    assert twin.command("sim.step", ticks=1200).ok

    settle(twin)
    assert not twin.events(after=before, type=ALERT)


def _distance_m(a, b):
    return ((a.x - b.x) ** 2 + (a.y - b.y) ** 2 + (a.z - b.z) ** 2) ** 0.5
