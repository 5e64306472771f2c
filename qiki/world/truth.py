"""Truth, for scoring and tests: the present contacts at a frame, as JSON.

It is made once a frame from values that need no check, so it goes past the contract's models.
"""

from collections.abc import Iterable

from pydantic_core import to_json

from qiki.clock import rfc3339
from qiki.world.contacts import Contacts, ContactStates
from qiki.world.world import MeasuredFrame


def truth_body(contacts: Contacts, states: ContactStates, frame: MeasuredFrame) -> bytes:
    """Return the body of a TruthSnapshot; `states` are those of the contacts when the frame was measured."""
    rows = zip(
        states.present.tolist(),
        contacts.id_texts,
        contacts.object_types.tolist(),
        contacts.iffs.tolist(),
        states.transponder_modes.tolist(),
        states.claimed_ids.tolist(),
        states.positions.tolist(),
        states.velocities.tolist(),
        strict=True,
    )
    return to_json(
        {
            "run_id": str(frame.run_id),
            "frame": frame.number,
            "timestamp": rfc3339(frame.timestamp),
            "bot": {"position": _axes(frame.own_position_m), "velocity": _axes(frame.own_velocity_mps)},
            "contacts": [
                {
                    "id": identity,
                    "object_type": object_type,
                    "iff": side,
                    "transponder_mode": mode,
                    "transponder_id": claimed,
                    "position": _axes(position),
                    "velocity": _axes(velocity),
                }
                for present, identity, object_type, side, mode, claimed, position, velocity in rows
                if present
            ],
        }
    )


def _axes(values: Iterable[float]) -> dict[str, float]:
    x, y, z = values
    return {"x": x, "y": y, "z": z}
