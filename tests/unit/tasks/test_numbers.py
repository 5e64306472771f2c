"""The numbers of a learning agent: observations, actions, and policies as files."""

import json
import math

import numpy as np
import pytest

from qiki.agent import FriendFoe
from qiki.botspec import generate, load_spec
from qiki.flight import Flight
from qiki.tasks import ACTIONS, SHAPES, SIZE, SLOTS, Avoid, Policy, PolicyEngine, PolicyError, Seen, read_engine
from qiki.tasks.actions import ActionError, proposals, read_action
from qiki.tasks.observation import FAR_M, GOAL, OWN, TRACK, body_axes, least_distance
from qiki.tasks.policy import encoder_of
from qiki.tasks.table import policy_engine

BOT = generate(load_spec())


def flown(seconds=4.0, **options):
    flight = Flight(Avoid().world(1, 1.0), **options)
    for _ in flight.fly(seconds):
        pass
    return flight


def test_an_observation_has_what_the_agent_sees():
    flight = flown()
    world = flight.look()
    seen = Seen.of_tracks(world.tracks)
    parts = encoder_of(Avoid(), BOT).encode(world).parts
    assert {name: part.shape for name, part in parts.items()} == SHAPES
    assert parts["mask"].sum() == min(len(seen), SLOTS) > 3
    miss, _ = least_distance(seen.position, seen.velocity, 60.0)
    nearest = int(np.linalg.norm(miss, axis=1).argmin())
    place = body_axes(world.own.heading) @ seen.position[nearest] / FAR_M
    assert parts["tracks"][0, :3] == pytest.approx(place, rel=1e-5)
    assert parts["tracks"][0, TRACK.index("unknown")] == (seen.iff[nearest] == FriendFoe.UNKNOWN)
    assert parts["goal"][GOAL.index("is known")] == 1.0
    assert parts["own"][OWN.index("hull")] == 1.0


def test_covariances_turn_with_the_vehicle():
    flight = flown()
    world = flight.look()
    table = encoder_of(Avoid(), BOT).encode(world).parts["tracks"]
    seen = Seen.of_tracks(world.tracks)
    at = [TRACK.index(f"position covariance {pair}") for pair in ("ff", "ss", "uu")]
    traces = sorted((seen.position_covariance[:, [0, 3, 5]].sum(1) / 1e4).tolist())
    rows = table[: len(seen), at].sum(1)
    assert all(min(abs(trace - one) for one in traces) < 1e-5 for trace in rows.tolist())


def test_the_vehicles_velocity_follows_from_its_positions():
    flight = flown(1.0)
    encoder = encoder_of(Avoid(), BOT)
    flight.command("sim.rcs.fire", axis="up", pct=100.0, duration_s=3.0)
    for _ in flight.fly(2.0):
        if flight.decides_now:
            observed = encoder.encode(flight.look())
    assert observed.parts["own"][2] * 10.0 == pytest.approx(flight.world.vehicle.velocity_mps[2], abs=0.05)


def test_an_encoder_goes_on_where_another_was_saved():
    flight = flown(1.0)
    one, other = encoder_of(Avoid(), BOT), encoder_of(Avoid(), BOT)
    one.encode(flight.look())
    other.load(json.loads(json.dumps(one.save())))
    for _ in flight.fly(0.1):
        pass
    assert np.array_equal(one.encode(flight.look()).flat, other.encode(flight.look()).flat)


def test_the_truth_looks_as_the_tracks_do_without_their_errors():
    tracked, true = flown(), flown(perception="truth")
    frame = true.tick().frame or true.tick().frame
    shown = encoder_of(Avoid(), BOT).encode(true.look(), Seen.of_reports(frame.tracked.reports)).parts
    seen = encoder_of(Avoid(), BOT).encode(tracked.look()).parts
    assert shown["mask"].sum() >= seen["mask"].sum() > 3
    near = np.abs(shown["tracks"][0, :3] - seen["tracks"][0, :3]).max() * FAR_M
    assert near < 60.0
    assert not shown["tracks"][:, TRACK.index("position covariance ff")].any()


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ([0.0] * 4, r"shape \(4,\)"),
        ([[0.0] * 5], r"shape \(1, 5\)"),
        ([0.0, 0.0, math.nan, 0.0, 0.0], "up is nan"),
        ([0.0, 0.0, 0.0, math.inf, 0.0], "cruise is inf"),
        ([1.5, 0.0, 0.0, 0.0, 0.0], "forward is 1.5"),
        (["a"] * 5, "expected 5 numbers"),
        ("up", "expected 5 numbers"),
        (None, "expected"),
    ],
)
def test_an_action_that_is_none_is_one_line(action, said):
    with pytest.raises(ActionError, match=said) as caught:
        read_action(action)
    assert "\n" not in str(caught.value)


def test_an_action_becomes_a_proposal_for_the_thrusters_and_one_for_the_drive():
    thrust, drive = proposals(read_action([0.5, -1.0, 0.01, 0.25, -0.5]), 0.1, 30.0, "test")
    assert [(one.actuator, one.value, one.duration_s) for one in thrust.actions] == [
        ("rcs_forward", 50.0, 0.1),
        ("rcs_port", 100.0, 0.1),
    ]
    assert [(one.actuator, one.command.name, one.value) for one in drive.actions] == [
        ("motor_left", "SET_VELOCITY", 25.0),
        ("motor_left", "ROTATE", -1.5),
    ]
    assert proposals(read_action([0.0] * 5), 0.1, 30.0, "test") == ()


def policy(**changed):
    rng = np.random.default_rng(1)
    layers = [(rng.normal(size=(SIZE, 8)) * 0.1, np.zeros(8)), (rng.normal(size=(8, 5)), np.zeros(5))]
    return Policy.of("avoid", layers, **changed)


def test_a_policy_is_the_same_from_its_file(tmp_path):
    one = policy(about="made by a test")
    one.save(tmp_path / "one.npz")
    again = Policy.read(tmp_path / "one.npz")
    observation = np.linspace(-1, 1, SIZE)
    assert np.array_equal(one.act(observation), again.act(observation))
    assert again.about == "made by a test"
    assert np.abs(one.act(observation)).max() <= 1.0


def test_a_policy_takes_the_columns_that_it_names():
    one = Policy.of(
        "avoid", [(np.eye(5), np.zeros(5))], columns=[0, 3, 5, 7, 9], mean=np.ones(5), spread=np.full(5, 2.0)
    )
    observation = np.arange(SIZE) / SIZE
    assert one.act(observation) == pytest.approx(np.tanh((observation[[0, 3, 5, 7, 9]] - 1) / 2))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"layers": [(np.zeros((3, 5)), np.zeros(5))]}, "layer 0 has the shapes"),
        ({"layers": [(np.zeros((SIZE, 4)), np.zeros(4))]}, "gives 4 numbers"),
        ({"layers": []}, "gives 0 numbers"),
        ({"columns": [SIZE]}, "columns are none"),
        ({"spread": np.zeros(SIZE)}, "normalisation"),
        ({"mean": np.full(SIZE, np.nan)}, "not all finite"),
    ],
)
def test_a_policy_that_does_not_fit_says_why(changed, said):
    layers = changed.pop("layers", [(np.zeros((SIZE, 5)), np.zeros(5))])
    with pytest.raises(PolicyError, match=said):
        Policy.of("avoid", layers, **changed)


def spoiled(path, **changed):
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    meta = json.loads(str(arrays["policy"])) | changed
    np.savez(path, **{**arrays, "policy": np.array(json.dumps(meta))})


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"format": 99}, "format is 99"),
        ({"size": 7}, "size is 7"),
        ({"layout": 0}, "layout is 0"),
        ({"actions": ["up"]}, "actions"),
        ({"task": "dance"}, "trained for the task 'dance'"),
    ],
)
def test_a_policy_of_another_version_or_for_other_spaces_is_one_line(tmp_path, changed, said):
    path = tmp_path / "one.npz"
    policy().save(path)
    spoiled(path, **changed)
    with pytest.raises(PolicyError, match=said) as caught:
        read_engine(path, BOT)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04" + b"\0" * 40])
def test_a_file_that_is_no_policy_is_one_line(tmp_path, content):
    path = tmp_path / "one.npz"
    path.write_bytes(content)
    with pytest.raises(PolicyError, match="not a policy"):
        Policy.read(path)


def test_a_policy_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PolicyError, match="No such file"):
        Policy.read(tmp_path / "none.npz")


def test_a_policy_flies_as_an_engine_and_is_saved_with_the_flight(tmp_path, monkeypatch):
    policy().save(tmp_path / "one.npz")
    monkeypatch.setenv("AGENT_POLICY", str(tmp_path / "one.npz"))

    def fly(flight, seconds):
        return [one.to_json() for moment in flight.fly(seconds) for one in moment.decisions]

    whole = Flight(Avoid().world(1, 0.5), engines={"policy": policy_engine(BOT)})
    fly(whole, 5.0)
    saved = whole.save()
    rest = fly(whole, 5.0)
    again = Flight.resume(saved, {"policy": PolicyEngine(policy(), Avoid(), BOT)})
    assert fly(again, 5.0) == rest != []
    assert len(ACTIONS) == 5
