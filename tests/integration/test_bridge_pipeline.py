"""The bridge as a process on the real broker: what becomes of the frames that a radar stored."""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import nats
import pytest
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig

from faststream_bridge.app import ConsumerEndedError, build, watch
from faststream_bridge.frames import StoredFrame
from faststream_bridge.runs import Runs
from nats_js_init.settings import InitSettings
from nats_js_init.streams import apply, plan
from qiki.clock import rfc3339
from qiki.contracts import topics
from qiki.contracts.enums import FriendFoe, RadarRangeBand
from qiki.contracts.headers import FrameOrigin
from qiki.contracts.ids import RADAR_SENSOR_ID, run_frame_id
from qiki.contracts.radar import RadarDetection, RadarFrame, RadarTrack, TrackedFrame
from qiki.guard import load_rules
from qiki.tracking import TrackerParameters
from qiki_harness.testing import Broker, ServiceProcess, until, until_async

RUN = UUID("6f1c3d1e-0000-4000-8000-000000000001")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
BAND = RadarRangeBand.RR_UNSPECIFIED
AUDIT = ("QIKI_EVENTS_V1", "qiki.events.v1.radar.guard")
CLEARED = ("QIKI_EVENTS_V1", "qiki.events.v1.radar.guard.cleared")
DEAD = ("QIKI_DLQ_V1", "qiki.dlq.v1.qiki.radar.v1.frames")
Work = Callable[[JetStreamContext], Awaitable[Any]]


@dataclass
class Stack:
    """A broker with its streams, and a bridge on it."""

    broker: Broker
    bridge: ServiceProcess
    bridge_state: Path

    def on(self, work: Work) -> Any:
        """Do something with JetStream."""

        async def run() -> Any:
            async with asyncio.timeout(60):
                client = await nats.connect(self.broker.url)
                try:
                    return await work(client.jetstream())
                finally:
                    await client.close()

        return asyncio.run(run())

    def initialise(self, **settings: float) -> None:
        self.on(lambda jetstream: apply(jetstream, plan(InitSettings(**settings))))

    def store(self, messages: Sequence[tuple[bytes, dict[str, str] | None]]) -> list[int]:
        """Store frames as a radar does; their sequences."""

        async def publish(jetstream: JetStreamContext) -> list[int]:
            return [
                (await jetstream.publish(topics.FRAMES.subject, body, headers=headers)).seq
                for body, headers in messages
            ]

        sequences: list[int] = self.on(publish)
        return sequences

    def stored(self, stream: str, subject: str) -> list[Msg]:
        """What a stream holds on a subject, in its order."""

        async def read(jetstream: JetStreamContext) -> list[Msg]:
            config = ConsumerConfig(ack_policy=AckPolicy.NONE)
            reader = await jetstream.pull_subscribe(subject, stream=stream, config=config)
            left = (await reader.consumer_info()).num_pending or 0
            messages: list[Msg] = []
            while len(messages) < left:
                messages += await reader.fetch(min(500, left - len(messages)), timeout=10)
            return messages

        messages: list[Msg] = self.on(read)
        return messages

    def await_stored(self, count: int, stream: str, subject: str) -> list[Msg]:
        """The same, once there are `count` of them."""

        async def enough(jetstream: JetStreamContext) -> bool:
            async def there() -> bool:
                info = await jetstream.stream_info(stream, subjects_filter=subject)
                return (info.state.subjects or {}).get(subject, 0) >= count

            return await until_async(f"{count} messages on {subject}\n{self.bridge.words()[-2000:]}", there)

        self.on(enough)
        return self.stored(stream, subject)

    def await_tracked(self, count: int) -> list[Msg]:
        return self.await_stored(count, topics.QIKI_TRACKER_V1, topics.TRACKED.subject)

    def tracks(self) -> list[Msg]:
        return self.stored(topics.QIKI_RADAR_V1, topics.TRACKS.subject)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Stack]:
    """A broker without streams; the bridge is not started."""
    with Broker(tmp_path / "nats") as broker:
        bridge = ServiceProcess(
            "faststream_bridge",
            tmp_path / "bridge.log",
            NATS_URL=broker.url,
            QIKI_STATE_DIR=tmp_path / "state",
            QIKI_HTTP_PORT=0,
            SNAPSHOT_INTERVAL_SEC=0.05,
        )
        yield Stack(broker, bridge, tmp_path / "state")
        bridge.kill()


@pytest.fixture
def stack(bare: Stack) -> Stack:
    bare.initialise(radar_consumer_ack_wait_sec=1)
    return bare


def plot(range_m: float, bearing_deg: float, vr_mps: float, identity: str | None = None) -> RadarDetection:
    return RadarDetection(
        range_m=range_m, bearing_deg=bearing_deg, elev_deg=1.0, vr_mps=vr_mps, snr_db=25.0, rcs_dbsm=3.0,
        range_band=RadarRangeBand.RR_SR, transponder_on=identity is not None,
        transponder_mode=1 if identity else 0, transponder_id=identity, id_present=identity is not None,
    )  # fmt: skip


def frame(number: int, run: UUID = RUN) -> RadarFrame:
    """Two contacts: a friend that goes away, and somebody unknown who hovers close by."""
    t_s = number * 0.1
    return RadarFrame(
        frame_id=run_frame_id(run, number),
        sensor_id=RADAR_SENSOR_ID,
        timestamp=EPOCH + timedelta(seconds=t_s),
        detections=(plot(1000 + 20 * t_s, 45.0, 20.0, "F-1"), plot(60.0, 200.0, 0.0)),
    )


def origin(number: int, run: UUID = RUN) -> FrameOrigin:
    return FrameOrigin(str(run), number, (10.0, 0.0, 0.0), (0.0, 0.0, 0.0), {"F-1": FriendFoe.FRIEND})


def message(number: int, run: UUID = RUN) -> tuple[bytes, dict[str, str]]:
    one = frame(number, run)
    return one.to_json(), origin(number, run).headers(BAND, rfc3339(one.timestamp))


def body(one: Msg) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(one.data)
    return content


def without_ingest(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key != "ts_ingest"}


def expected(numbers: Sequence[int]) -> list[list[dict[str, Any]]]:
    """What an uninterrupted tracker says of these frames."""
    runs = Runs(TrackerParameters(), load_rules())
    steps = [runs.step(StoredFrame(frame(number), origin(number))) for number in numbers]
    return [[without_ingest(row) for row in step.reports.rows()] if step else [] for step in steps]


def assert_tracked_exactly_once(stack: Stack, count: int) -> None:
    """Every frame once, with the tracks of an uninterrupted run, also where stored duplicates would not show."""
    tracked = [body(one) for one in stack.await_tracked(count)]
    assert [one["frame"] for one in tracked] == list(range(count))
    reference = expected(range(count))
    assert [one["tracks"] for one in tracked] == [len(rows) for rows in reference]
    published = [without_ingest(body(one)) for one in stack.tracks()]
    assert published == list(itertools.chain.from_iterable(reference))


def test_frames_become_tracks_announcements_and_alerts(stack: Stack):
    with stack.bridge as bridge:
        bridge.ready()
        stack.store([message(number) for number in range(40)])
        assert_tracked_exactly_once(stack, 40)
        alerts = stack.await_stored(1, *AUDIT)
        assert bridge.terminate() == 0
    tracked = stack.stored(topics.QIKI_TRACKER_V1, topics.TRACKED.subject)[7]
    assert TrackedFrame.from_json(tracked.data).frame_id == run_frame_id(RUN, 7)
    assert tracked.headers is not None
    assert (tracked.headers["x-qiki-run"], tracked.headers["x-qiki-frame"]) == (str(RUN), "7")
    track = stack.tracks()[-1]
    content = RadarTrack.from_json(track.data)
    assert track.headers is not None
    assert track.headers["Nats-Msg-Id"] == track.headers["ce-id"] == f"{RUN}:39:{content.track_id}"
    assert track.headers["ce-type"] == "qiki.radar.v1.Track"
    assert track.headers["ce-source"] == "urn:qiki:faststream-bridge:radar"
    assert (track.headers["x-qiki-run"], track.headers["x-qiki-frame"]) == (str(RUN), "39")
    assert content.ts_ingest is not None
    assert [body(one)["rule_id"] for one in alerts] == ["UNKNOWN_CONTACT_CLOSE"]
    assert alerts[0].headers is not None
    assert (alerts[0].headers["x-qiki-code"], alerts[0].headers["x-qiki-severity"]) == ("802", "CRITICAL")


GOOD = json.loads(frame(0).to_json())
HEADERS = message(0)[1]
POISON = {
    "not JSON": (b"{", None, "Invalid JSON"),
    "empty": (b"", None, "Invalid JSON"),
    "no frame": (b'{"schema_version": 1}', None, "frame_id: Field required"),
    "another schema": (json.dumps(GOOD | {"schema_version": 2}).encode(), None, "schema_version: "),
    "NaN": (json.dumps(GOOD).replace("25.0", "NaN").encode(), HEADERS, "detections.0.snr_db: "),
    "Infinity": (json.dumps(GOOD).replace("25.0", "Infinity").encode(), HEADERS, "detections.0.snr_db: "),
    "naive time": (json.dumps(GOOD | {"timestamp": "2026-01-01T00:00:00"}).encode(), HEADERS, "timestamp: "),
    "no time in UTC": (json.dumps(GOOD | {"timestamp": "0001-01-01T00:00:00+05:00"}).encode(), HEADERS, "timestamp: "),
    "too far": (
        json.dumps(GOOD).replace("1000.0", "1e300").encode(),
        HEADERS | {"x-qiki-frame": "1000"},
        "detections.0.range_m",
    ),
    "no number": (frame(0).to_json(), HEADERS | {"x-qiki-frame": "first"}, "headers: x-qiki-frame: 'first': expected"),
    "no run": (frame(0).to_json(), HEADERS | {"x-qiki-run": "mine"}, "badly formed hexadecimal UUID"),
    "no position": (frame(0).to_json(), HEADERS | {"x-qiki-own-position": "here"}, "headers: could not convert"),
    "time reversed": (frame(0).to_json(), HEADERS | {"x-qiki-frame": "1000"}, "older than the one before it"),
}


def test_poison_goes_to_the_dead_letters_and_the_frames_beside_it_do_not_notice(stack: Stack):
    mixed: list[tuple[bytes, dict[str, str] | None]] = [message(0), message(1)]
    for number, (content, headers, _) in enumerate(POISON.values(), start=2):
        mixed += [(content, headers and headers | {"Nats-Msg-Id": f"poison-{number}"}), message(number)]
    with stack.bridge:
        stack.bridge.ready()
        sequences = stack.store(mixed)
        letters = stack.await_stored(len(POISON), *DEAD)
        assert_tracked_exactly_once(stack, len(POISON) + 2)
        until("all to be acknowledged", lambda: stack.on(acknowledged) == sequences[-1])
        assert stack.bridge.terminate() == 0
    for letter, (content, _, reason), sequence in zip(letters, POISON.values(), sequences[2::2], strict=True):
        assert letter.headers is not None
        assert letter.data == content
        assert letter.headers["x-qiki-reason"].startswith(reason) or reason in letter.headers["x-qiki-reason"]
        assert letter.headers["x-qiki-origin-subject"] == "qiki.radar.v1.frames"
        assert letter.headers["x-qiki-origin-seq"] == str(sequence)


def test_poison_too_large_for_a_dead_letter_is_told_without_its_bytes(stack: Stack):
    largest = b"x" * (4 * 2**20 - 60)
    with stack.bridge:
        stack.bridge.ready()
        _, poison, _ = stack.store([message(0), (largest, None), message(1)])
        letter = stack.await_stored(1, *DEAD)[0]
        assert_tracked_exactly_once(stack, 2)
    assert letter.headers is not None
    assert (letter.data, letter.headers["x-qiki-origin-seq"]) == (b"", str(poison))


def test_a_frame_of_a_million_detections_takes_little_memory_and_the_next_one_is_tracked(stack: Stack):
    forged = json.dumps(GOOD | {"detections": []}).replace("[]", f"[{','.join(['{}'] * 1_300_000)}]").encode()
    crowd = json.dumps(GOOD | {"detections": [{}] * 15_000}).encode()
    with stack.bridge:
        stack.bridge.ready()
        stack.store([message(0)])
        stack.await_tracked(1)
        before_kb = peak_kb(stack.bridge)
        sequences = stack.store([(forged, None), (crowd, None), message(1)])
        letters = stack.await_stored(2, *DEAD)
        assert_tracked_exactly_once(stack, 2)
        assert peak_kb(stack.bridge) - before_kb < 100_000
    reasons = ["bytes (expected at most 2052096)", "detections.0.range_m: Field required"]
    for letter, reason, sequence in zip(letters, reasons, sequences, strict=False):
        assert letter.headers is not None
        assert reason in letter.headers["x-qiki-reason"]
        assert letter.headers["x-qiki-origin-seq"] == str(sequence)


def peak_kb(service: ServiceProcess) -> int:
    """The most memory that a process has had."""
    assert service._process is not None
    status = Path(f"/proc/{service._process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


@pytest.mark.parametrize("sequence", ["abc", "-1", "9" * 5000])
def test_a_notice_whose_sequence_is_no_number_keeps_it_from_nothing(stack: Stack, sequence: str):
    stack.store([message(0)])
    stack.on(lambda jetstream: jetstream.publish(topics.TRACKED.subject, b"{}", headers={"x-qiki-seq": sequence}))
    with stack.bridge:
        stack.bridge.ready()
        stack.store([message(1)])
        assert len(stack.await_tracked(3)) == 3  # this notice, and one a frame
        assert stack.bridge.terminate() == 0


def forged(number: int, t_s: float) -> tuple[bytes, dict[str, str]]:
    """A frame in the run's name."""
    one = frame(number).model_copy(update={"timestamp": EPOCH + timedelta(seconds=t_s)})
    return one.to_json(), origin(number).headers(BAND, rfc3339(one.timestamp))


def test_a_forged_frame_far_ahead_goes_to_the_dead_letters_and_the_run_continues(stack: Stack):
    with stack.bridge as bridge:
        bridge.ready()
        stack.store([*map(message, range(20)), forged(999_999_999, 2.0), *map(message, range(20, 30))])
        assert_tracked_exactly_once(stack, 30)
        (letter,) = stack.await_stored(1, *DEAD)
        assert letter.headers is not None
        assert letter.headers["x-qiki-reason"].startswith("x-qiki-frame: 999999999 is 999999980 frames after")


def test_a_forged_frame_whose_time_fits_its_number_costs_a_few_frames_and_no_track(stack: Stack):
    settings = {"NATS_URL": stack.broker.url, "QIKI_STATE_DIR": stack.bridge_state, "QIKI_HTTP_PORT": 0}
    with ServiceProcess("faststream_bridge", stack.bridge.log, SNAPSHOT_INTERVAL_SEC=0, **settings) as bridge:
        bridge.ready()
        stack.store([*map(message, range(20)), forged(600_000, 60_000.0), *map(message, range(20, 23))])
        stack.await_tracked(21)
        until("old frames to be counted", lambda: 'frames_total{outcome="old"} 3.0' in bridge.get("/metrics")[1])
        snapshot = stack.bridge_state / "tracker-snapshot.json"
        until("the snapshot", lambda: snapshot.exists() and '"trial": {' in snapshot.read_text())
        bridge.kill()
        bridge.start()
        bridge.ready()
        stack.store([*map(message, range(23, 60))])
        numbers = [body(one)["frame"] for one in stack.await_tracked(57)]
        assert numbers == [*range(20), 600_000, *range(24, 60)]
        said = [one["event"] for one in bridge.lines()]
    assert "old frames dropped" in said
    assert "frames were not the run's, it is taken back behind them" in said
    friends = {body(one)["track_id"] for one in stack.tracks() if body(one)["transponder_id"] == "F-1"}
    assert len(friends) == 1


def test_the_end_of_faststreams_reader_is_seen(stack: Stack):
    """It starts one again after an error; one that is cancelled it forgets."""

    async def take(_: Sequence[Msg]) -> None:
        """No frame comes."""

    async def run() -> None:
        app = build(take, servers=[stack.broker.url])
        await app.start()
        (reader,) = app.broker.subscribers
        watching = asyncio.create_task(watch(app))
        await asyncio.sleep(0)
        for task in reader.tasks:
            task.cancel()
        with pytest.raises(ConsumerEndedError):
            await asyncio.wait_for(watching, 30)
        await app.stop()

    asyncio.run(run())


def test_a_frame_with_a_header_of_the_servers_own_is_a_frame(stack: Stack):
    frames = [message(number) for number in range(5)]
    for at, status in enumerate(("404", "100", "503", "no")):
        body, headers = frames[at]
        frames[at] = (body, headers | {"Status": status})
    with stack.bridge:
        stack.bridge.ready()
        sequences = stack.store(frames)
        assert_tracked_exactly_once(stack, 5)
        until("all to be acknowledged", lambda: stack.on(acknowledged) == sequences[-1])


async def acknowledged(jetstream: JetStreamContext) -> int:
    info = await jetstream.consumer_info(topics.QIKI_RADAR_V1, topics.FRAMES_DURABLE)
    return info.ack_floor.stream_seq if info.ack_floor else 0


def test_killed_again_and_again_it_says_what_an_uninterrupted_one_says(stack: Stack):
    stack.bridge.start()
    stack.bridge.ready()
    for beginning in range(0, 600, 150):
        stack.store([message(number) for number in range(beginning, beginning + 150)])
        stack.await_tracked(beginning + 20)
        stack.bridge.kill()
        stack.bridge.start()
    assert_tracked_exactly_once(stack, 600)
    until("what the killed ones held to be acknowledged", lambda: stack.on(pending) == 0)
    assert stack.bridge.terminate() == 0
    assert_tracked_exactly_once(stack, 600)


async def pending(jetstream: JetStreamContext) -> int:
    info = await jetstream.consumer_info(topics.QIKI_RADAR_V1, topics.FRAMES_DURABLE)
    return (info.num_ack_pending or 0) + (info.num_pending or 0)


def test_told_to_stop_in_the_middle_it_ends_well_and_goes_on_later(stack: Stack):
    stack.bridge.start()
    stack.bridge.ready()
    stack.store([message(number) for number in range(400)])
    stack.await_tracked(20)
    assert stack.bridge.terminate() == 0
    stack.bridge.start()
    assert_tracked_exactly_once(stack, 400)


def test_a_killed_broker_costs_no_frame_and_no_track(stack: Stack):
    stack.bridge.start()
    stack.bridge.ready()
    stack.store([message(number) for number in range(300)])
    stack.await_tracked(10)
    stack.broker.kill()
    until("the bridge to notice", lambda: stack.bridge.get("/readyz")[0] == 503)
    stack.broker.start()
    stack.bridge.ready()
    stack.store([message(number) for number in range(300, 400)])
    assert_tracked_exactly_once(stack, 400)


def test_a_frame_that_comes_again_is_nothing_new(stack: Stack):
    with stack.bridge:
        stack.bridge.ready()
        stack.store([message(number) for number in range(10)])
        again = [
            (content, headers | {"Nats-Msg-Id": f"again-{n}"})
            for n, (content, headers) in enumerate(map(message, range(10)))
        ]
        last = stack.store([*again, message(10)])[-1]
        assert_tracked_exactly_once(stack, 11)
        until("all to be acknowledged", lambda: stack.on(acknowledged) == last)


def test_an_alert_and_its_end_are_told_once_though_frames_come_again_and_the_bridge_dies(stack: Stack):
    near = [message(number) for number in range(20)]
    far = []
    for number in range(20, 80):  # the unknown one is gone
        left = frame(number).model_copy(update={"detections": frame(number).detections[:1]})
        far.append((left.to_json(), message(number)[1]))
    again = [(content, headers | {"Nats-Msg-Id": f"again-{n}"}) for n, (content, headers) in enumerate([*near, *far])]
    stack.bridge.start()
    stack.bridge.ready()
    stack.store(near)
    stack.await_stored(1, *AUDIT)
    stack.bridge.kill()
    stack.store(far)
    stack.bridge.start()
    stack.await_stored(1, *CLEARED)
    tracked = stack.await_tracked(80)
    last = stack.store(again)[-1]
    until("all to be acknowledged", lambda: stack.on(acknowledged) == last)
    (alert,), (cleared,) = stack.stored(*AUDIT), stack.stored(*CLEARED)
    told = [one.headers["x-qiki-frame"] for one in tracked if one.headers and one.headers["x-qiki-alerts"] == "1"]
    for one in (alert, cleared):
        assert one.headers is not None
        assert one.headers["x-qiki-run"] == str(RUN)
        assert one.headers["x-qiki-frame"] in told
    assert len(told) == 2
    assert (body(alert)["rule_id"], body(alert)["track_id"]) == (body(cleared)["rule_id"], body(cleared)["track_id"])
    assert cleared.headers["x-qiki-code"] == "801"


def test_a_new_run_starts_anew(stack: Stack):
    other = UUID("6f1c3d1e-0000-4000-8000-000000000002")
    with stack.bridge:
        stack.bridge.ready()
        stack.store([*map(message, range(5)), *(message(number, other) for number in range(5))])
        tracked = [body(one) for one in stack.await_tracked(10)]
    assert [(one["run_id"], one["frame"]) for one in tracked] == [
        (str(run), number) for run in (RUN, other) for number in range(5)
    ]
    ids = [{body(one)["track_id"] for one in stack.tracks() if str(run) in str(one.headers)} for run in (RUN, other)]
    assert ids[0]
    assert ids[1]
    assert ids[0].isdisjoint(ids[1])


def test_another_radar_without_headers_is_a_run_of_its_own(stack: Stack):
    sensor = UUID("6f1c3d1e-0000-4000-8000-00000000000f")
    foreign = [frame(number).model_copy(update={"sensor_id": sensor}).to_json() for number in range(6)]
    with stack.bridge:
        stack.bridge.ready()
        stack.store(
            [(foreign[0], None), message(0), *((one, None) for one in foreign[1:]), (foreign[2], None), message(1)]
        )
        tracked = [body(one) for one in stack.await_tracked(8)]
    assert [one["frame"] for one in tracked if one["run_id"] == str(RUN)] == [0, 1]
    assert [one["frame"] for one in tracked if one["run_id"] == str(sensor)] == [0, 1, 2, 3, 4, 5]


def test_what_exceeds_its_deliveries_goes_to_the_dead_letters(bare: Stack):
    """An outside client that never acknowledges: the server gives up, and says so."""
    bare.initialise(radar_consumer_ack_wait_sec=0.2, radar_consumer_max_deliver=1)

    async def neglect(jetstream: JetStreamContext) -> bytes:
        reader = await jetstream.pull_subscribe_bind(topics.TRACKS_DURABLE, topics.QIKI_RADAR_V1)
        taken: Msg = (await reader.fetch(1, timeout=10))[0]
        return taken.data

    with bare.bridge:
        bare.bridge.ready()
        bare.store([message(0)])
        bare.await_tracked(1)
        neglected = bare.on(neglect)
        letter = bare.await_stored(1, "QIKI_DLQ_V1", "qiki.dlq.v1.qiki.radar.v1.tracks")[0]
    assert letter.data == neglected
    assert letter.headers is not None
    assert letter.headers["x-qiki-reason"] == "delivered 1 times to radar_tracks_pull and never acknowledged"
    assert letter.headers["x-qiki-origin-subject"] == "qiki.radar.v1.tracks"


def test_without_its_durable_it_waits_and_is_not_ready(bare: Stack):
    with bare.bridge:
        until("the bridge to say what it waits for", lambda: '"stream": ' in bare.bridge.get("/readyz")[1])
        status, said = bare.bridge.get("/readyz")
        assert status == 503
        assert json.loads(said)["waiting_for"]["stream"] == "QIKI_RADAR_V1 and radar_frames_pull are not there yet"
        bare.initialise()
        bare.bridge.ready()
        bare.store([message(0)])
        assert_tracked_exactly_once(bare, 1)


def test_a_stream_made_anew_is_read_from_its_beginning(stack: Stack):
    """Neither the snapshot nor the announcements of the stream before it say anything of this one."""
    stack.bridge.start()
    stack.bridge.ready()
    stack.store([message(number) for number in range(20)])
    stack.await_tracked(20)
    assert stack.bridge.terminate() == 0
    other = UUID("6f1c3d1e-0000-4000-8000-000000000002")
    stack.on(lambda jetstream: jetstream.delete_stream(topics.QIKI_RADAR_V1))
    stack.initialise()
    stack.store([message(number, other) for number in range(30)])
    stack.bridge.start()
    tracked = [body(one) for one in stack.await_tracked(50)]
    assert [one["frame"] for one in tracked if one["run_id"] == str(other)] == list(range(30))


def test_it_is_told_to_stop_while_the_broker_is_away(tmp_path: Path):
    with ServiceProcess(
        "faststream_bridge",
        tmp_path / "log",
        NATS_URL="nats://127.0.0.1:9",
        QIKI_HTTP_PORT=0,
        QIKI_STATE_DIR=tmp_path / "state",
    ) as bridge:
        until("the bridge to wait", lambda: '"nats": "not connected yet"' in bridge.get("/readyz")[1])
        assert bridge.terminate() == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"QIKI_GUARD_RULES": "nowhere.yaml"}, "faststream-bridge: nowhere.yaml: cannot be read: No such file"),
        (
            {"QIKI_STATE_DIR": "/dev/null/state"},
            "faststream-bridge: QIKI_STATE_DIR: cannot write into /dev/null/state: Not a",
        ),
    ],
)
def test_what_the_user_can_mend_is_one_line(tmp_path: Path, settings: dict[str, str], said: str):
    with ServiceProcess("faststream_bridge", tmp_path / "log", **({"QIKI_HTTP_PORT": "0"} | settings)) as bridge:
        assert bridge.wait() == 2
        lines = [line for line in bridge.words().splitlines() if not line.startswith("{")]
    assert len(lines) == 1
    assert lines[0].startswith(said)
