"""Strategies for whatever the contract allows on the wire."""

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from hypothesis import strategies as st

from qiki.contracts.enums import FriendFoe, ObjectType, RadarRangeBand, RadarTrackStatus, TransponderMode
from qiki.contracts.fields import Vector
from qiki.contracts.radar import RadarDetection, RadarFrame, RadarTrack

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
BEARINGS = st.floats(min_value=0, max_value=360, exclude_max=True)
ELEVATIONS = st.floats(min_value=-90, max_value=90)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001  # bounds have no zone here
WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
NAMES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20)
COVARIANCES = st.none() | st.tuples(*[NUMBERS] * 6)
VECTORS = st.builds(Vector, x=FLOAT32, y=FLOAT32, z=FLOAT32)


@st.composite
def identities(draw: st.DrawFn) -> dict[str, object]:
    """Range band and what may be claimed in it."""
    band = draw(st.sampled_from(RadarRangeBand))
    anonymous = band is RadarRangeBand.RR_LR
    return {
        "range_band": band,
        "transponder_on": draw(st.booleans()),
        "transponder_mode": draw(st.sampled_from(TransponderMode)),
        "transponder_id": None if anonymous else draw(st.none() | NAMES),
        "id_present": draw(st.sampled_from([None, False] if anonymous else [None, False, True])),
    }


MEASURED = {
    "range_m": POSITIVE,
    "bearing_deg": BEARINGS,
    "elev_deg": ELEVATIONS,
    "vr_mps": NUMBERS,
    "snr_db": POSITIVE,
    "rcs_dbsm": NUMBERS,
}
DETECTIONS = st.builds(
    lambda measured, identity: RadarDetection(**measured, **identity), st.fixed_dictionaries(MEASURED), identities()
)
FRAMES = st.builds(
    RadarFrame,
    frame_id=st.uuids(),
    sensor_id=st.uuids(),
    timestamp=TIMES,
    ts_ingest=st.none() | TIMES,
    detections=st.lists(DETECTIONS, max_size=4).map(tuple),
)
TRACKS = st.builds(
    lambda values, identity: RadarTrack(**values, **identity),
    st.fixed_dictionaries(
        MEASURED
        | {
            "track_id": st.uuids(),
            "object_type": st.sampled_from(ObjectType),
            "iff": st.sampled_from(FriendFoe),
            "quality": st.floats(min_value=0, max_value=1),
            "status": st.sampled_from(RadarTrackStatus),
            "position": st.none() | VECTORS,
            "velocity": st.none() | VECTORS,
            "position_covariance": COVARIANCES,
            "velocity_covariance": COVARIANCES,
            "age_s": POSITIVE,
            "miss_count": st.integers(0, 2**32 - 1),
            "timestamp": TIMES,
            "ts_ingest": st.none() | TIMES,
        }
    ),
    identities(),
)


@pytest.fixture(scope="session")
def wire() -> SimpleNamespace:
    """Strategies: `data.draw(wire.frames)`."""
    return SimpleNamespace(
        detections=DETECTIONS, frames=FRAMES, tracks=TRACKS, times=TIMES, words=WORDS, numbers=NUMBERS
    )
