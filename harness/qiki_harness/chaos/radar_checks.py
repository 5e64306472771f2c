"""Checks of frames, from the simulator into the stream, and of what the tracker makes of each."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any
from uuid import UUID

from qiki.contracts import topics
from qiki.contracts.ids import run_frame_id
from qiki.contracts.topics import FRAMES_BY_BAND
from qiki_harness.chaos.facts import Facts, Place, Report
from qiki_harness.chaos.history import Operation

DIED = "frames that died with the simulator's process"
TOLD = "frames that a gap event tells of"
SHOWN = 5
LATE_S = 60.0


def check_frames(facts: Facts, report: Report) -> None:
    """Check that each run's frames are stored from 0 on without an untold gap, in order, on all their subjects."""
    measured, told = _numbers(facts.of("measured")), _told(facts)
    stored = [_by_run(facts.stored(topics.QIKI_RADAR_V1, topic.subject)) for topic in FRAMES_BY_BAND.values()]
    for run in {**measured, **{run: None for one in stored for run in one}}:
        numbers = [{one["frame"] for one in band.get(run, ())} for band in stored]
        last = max(measured.get(run, {}), default=-1)
        if run in facts.died:
            kept = min(max(one, default=-1) for one in numbers)
            report.declared[DIED] += max(0, last - kept)
            last = kept
        last = max(last, *(max(one, default=-1) for one in numbers)) if run not in facts.died else last
        report.declared[TOLD] += len(told.get(run, ()))
        for topic, there in zip(FRAMES_BY_BAND.values(), numbers, strict=True):
            missing = sorted(set(range(last + 1)) - there - told.get(run, set()))
            if missing:
                proof = [measured[run][number] for number in missing[:SHOWN] if number in measured.get(run, {})]
                report.add("lost", f"{topic.subject}: frames {_text(missing)} of 0 to {last} of run {run}", *proof)
        if run not in facts.seen_s:
            report.add("invented", f"run {run}: the simulator showed no such run", *stored[0].get(run, ())[:1])
    for band in stored:
        for run, frames in band.items():
            _check_order(f"frames of run {run}", frames, report)
    _check_identities(facts, report)
    _check_newest(facts, report)


def check_tracks(facts: Facts, report: Report) -> None:
    """Check that each stored frame is tracked once, with all the tracks and estimates that its notice says."""
    frames, notices = facts.by_place(topics.FRAMES), facts.by_place(topics.TRACKED)
    for place, copies in frames.items():
        if place not in notices and not any((one["subject"], one["seq"]) in facts.buried for one in copies):
            report.add("lost", f"{_name(place)} is stored at {copies[0]['seq']}, and not tracked", *copies)
    tracks, estimates = facts.by_place(topics.TRACKS), facts.by_place(topics.ESTIMATES)
    complete_from = _complete_from(facts.stored(topics.QIKI_ESTIMATES_V1))
    for place, (notice, *others) in notices.items():
        if others:
            report.add("doubled", f"{_name(place)} is tracked more than once", notice, *others)
        _check_count(f"tracks of {_name(place)}", notice["tracks"], tracks.get(place, []), notice, report)
        if notice["at"] >= complete_from:
            _check_count(f"estimates of {_name(place)}", notice["parts"], estimates.get(place, []), notice, report)
    for what, found in (("is tracked", notices), ("has tracks", tracks), ("has estimates", estimates)):
        for place in found.keys() - frames.keys():
            report.add("invented", f"{_name(place)} {what}, and is not stored", *found[place][:1])
    for run, of_run in _by_run(one for copies in notices.values() for one in copies).items():
        _check_order(f"notices of run {run}", of_run, report)
    for run, of_run in _by_run(one for copies in tracks.values() for one in copies).items():
        _check_order(f"tracks of run {run}", of_run, report)


def _complete_from(stored: list[Operation]) -> float:
    """Return the time from which on a stream has all: it forgets its oldest messages. A notice may come late."""
    if not stored or stored[0]["seq"] == 1:
        return 0.0
    return float(stored[0]["at"]) + LATE_S


def _check_count(what: str, said: int, there: list[Operation], notice: Operation, report: Report) -> None:
    if len(there) < said:
        report.add("lost", f"{what}: {len(there)}, the notice says {said}", notice, *there)
    elif len(there) > said:
        report.add("invented", f"{what}: {len(there)}, the notice says {said}", notice, *there)


def _check_order(what: str, stored: list[Operation], report: Report) -> None:
    in_order = sorted(stored, key=lambda one: int(one["seq"]))
    for before, after in pairwise(in_order):
        if after["frame"] < before["frame"]:
            report.add("reordered", f"{what}: {after['frame']} after {before['frame']}", before, after)


def _check_identities(facts: Facts, report: Report) -> None:
    for one in facts.stored(topics.QIKI_RADAR_V1, topics.FRAMES.subject):
        if one["frame_id"] != str(run_frame_id(UUID(one["run"]), one["frame"])):
            report.add("invented", f"{_name((one['run'], one['frame']))} has another frame's id", one)


def _check_newest(facts: Facts, report: Report) -> None:
    stored = {one["frame_id"] for one in facts.stored(topics.QIKI_RADAR_V1, topics.FRAMES.subject)}
    for one in facts.of("newest"):
        if one["frame_id"] not in stored:
            report.add("lost", f"frame {one['frame_id']}, the simulator's newest, is not stored", one)


def _told(facts: Facts) -> Mapping[str, set[int]]:
    told: dict[str, set[int]] = defaultdict(set)
    for one in facts.stored(topics.QIKI_EVENTS_V1):
        if gap := one.get("gap"):
            told[gap["run"]] |= set(range(gap["first"], gap["last"] + 1))
    return told


def _numbers(measured: Iterable[Operation]) -> Mapping[str, dict[int, Operation]]:
    found: dict[str, dict[int, Operation]] = defaultdict(dict)
    for one in measured:
        found[one["run"]][one["frame"]] = one
    return found


def _by_run(stored: Iterable[Operation]) -> dict[str, list[Operation]]:
    """Return the messages by their run, each once."""
    found: dict[str, dict[Any, Operation]] = defaultdict(dict)
    for one in stored:
        found[one["run"]].setdefault(one["id"], one)
    return {run: list(of_run.values()) for run, of_run in found.items()}


def _name(place: Place) -> str:
    return f"frame {place[1]} of run {place[0]}"


def _text(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:SHOWN]))
    return shown if len(numbers) <= SHOWN else f"{shown} and {len(numbers) - SHOWN} more"
