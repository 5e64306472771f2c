"""The registrar's start: the log compared with the broker's copy of its end."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from nats.js import JetStreamContext

from qiki.audit.heads import HeadSigner
from qiki.audit.journal import Journal, Torn
from qiki.audit.recall import Recalled, continued, found_instead, recall
from qiki.audit.signing import KEY_FILE, SigningKey, head_of
from qiki.audit.standing import Break, Standing, standing
from qiki.contracts.events import (
    AUDIT_ANCHOR_FAULT,
    AUDIT_DISPUTED,
    AUDIT_KEY_CHANGED,
    AUDIT_SIGNED,
    AUDIT_SIGNING_BEGUN,
    AUDIT_UNSIGNED,
    AuditAnchorFault,
    AuditDisputed,
    AuditUnsigned,
)
from qiki.runtime.clock import now
from qiki.runtime.service import Service
from registrar.anchors import Anchors, Told, newest_anchor, newest_record
from registrar.keys import keep_public
from registrar.registry import Registry, on_files
from registrar.settings import RegistrarSettings

EVENTS_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Beginning:
    """State of the log at the registrar's start.

    Attributes:
        key: signs from now on; None: nothing does
        disputed: the newest message on the audit subject, if it is not a record of the log
    """

    key: SigningKey | None
    standing: Standing
    recalled: Recalled
    anchors: Anchors
    disputed: Told | None

    @property
    def breaks(self) -> list[Break]:
        """Places where the log is not as it was written."""
        at_end = [self.standing.broken] if self.standing.broken else []
        return [*at_end, *self.recalled.breaks]


async def begin(
    service: Service[RegistrarSettings], jetstream: JetStreamContext, journal: Journal, key: SigningKey | None
) -> Beginning:
    """Compare the files with what the broker holds."""
    told = await newest_record(jetstream)
    if key is None:
        return await _unsigned(service, journal, told)
    await on_files(service, partial(keep_public, journal.folder, key.public))
    anchors = await newest_anchor(jetstream, [key.public])
    found = await on_files(service, lambda: standing(journal.folder, key.public, anchors.newest))
    if found.previous_key is not None:
        anchors, found = await _under(found, service, jetstream, journal)
    recalled = await _recall(service, journal, told)
    if not (agreed := _agreed(told, recalled, journal)):
        recalled = await _recall(service, journal, Told(0, head_of(anchors.newest)) if anchors.newest else None)
    disputed = None if agreed or found.broken else told
    return Beginning(key, found, recalled, anchors, disputed)


async def _under(
    found: Standing, service: Service[RegistrarSettings], jetstream: JetStreamContext, journal: Journal
) -> tuple[Anchors, Standing]:
    """Judge the log by the key that signed it before ours."""
    before = found.previous_key
    anchors = await newest_anchor(jetstream, [before] if before else [])
    judged = await on_files(service, lambda: standing(journal.folder, before, anchors.newest))
    return anchors, replace(judged, previous_key=before)


async def _unsigned(service: Service[RegistrarSettings], journal: Journal, told: Told | None) -> Beginning:
    """Without a key the newest record on the audit subject is believed.

    Only within bounds: no more records can have been published than there are messages up to it.
    """
    head = told.head if told else None
    believed = head if told and head and head.sequence <= journal.head.sequence + told.stream_sequence else None
    recalled = await _recall(service, journal, Told(0, believed) if believed else None)
    found = found_instead(journal.head, believed, recalled.contradiction)
    broken = Break(found, believed) if found and believed else None
    stands = Standing(continued(journal.head, believed), broken)
    return Beginning(None, stands, recalled, Anchors(), None if believed else told)


async def _recall(service: Service[RegistrarSettings], journal: Journal, told: Told | None) -> Recalled:
    head = told.head if told else None
    return await on_files(service, lambda: recall(journal.folder, head, now() - EVENTS_KEPT))


def _agreed(told: Told | None, recalled: Recalled, journal: Journal) -> bool:
    """Return whether the newest record on the audit subject is one of the log, or there is none yet."""
    if told is None:
        return True
    return told.head is not None and recalled.contradiction is None and told.head.sequence <= journal.head.sequence


async def record_beginning(registry: Registry, journal: Journal, began: Beginning, torn: Sequence[Torn]) -> None:
    """Record what was found, and sign the head that is continued from here on."""
    for broken in began.breaks:
        await registry.record_break(broken)
    await registry.record_repairs(torn)
    await _record_doubts(registry, journal, began)
    if began.key is None:
        await _record_unsigned(registry, journal)
        return
    journal.signer = HeadSigner(began.key)
    stands = began.standing
    if stands.previous_key:
        await registry.sign(AUDIT_KEY_CHANGED, adopted=stands.adopted, previous_key=stands.previous_key.text)
    elif stands.signed:
        await registry.sign(AUDIT_SIGNED, adopted=stands.adopted)
    else:
        await registry.sign(AUDIT_SIGNING_BEGUN)
    if began.anchors.newest is None or stands.previous_key:
        await registry.anchored()


async def _record_doubts(registry: Registry, journal: Journal, began: Beginning) -> None:
    """Record an anchor that is missing or forged, and a record on the audit subject that is not ours."""
    anchors, ts_epoch = began.anchors, now().timestamp()
    lost = anchors.newest is None and not began.standing.just_begun
    if began.standing.signed and (lost or anchors.skipped):
        sequence = anchors.newest.sequence if anchors.newest else None
        doubt = AuditAnchorFault(skipped=anchors.skipped, sequence=sequence, ts_epoch=ts_epoch)
        event_id = f"audit-anchor:{anchors.last_sequence}:{journal.head.hash}"
        await registry.record(AUDIT_ANCHOR_FAULT, event_id, doubt)
    if (told := began.disputed) is not None:
        sequence = told.head.sequence if told.head else None
        dispute = AuditDisputed(stream_sequence=told.stream_sequence, record_sequence=sequence, ts_epoch=ts_epoch)
        await registry.record(AUDIT_DISPUTED, f"audit-disputed:{told.stream_sequence}:{journal.head.hash}", dispute)


async def _record_unsigned(registry: Registry, journal: Journal) -> None:
    if (folder := registry.settings.qiki_keys_dir) is not None:
        payload = AuditUnsigned(missing=str(folder / KEY_FILE), ts_epoch=now().timestamp())
        await registry.record(AUDIT_UNSIGNED, f"audit-unsigned:{journal.head.sequence}:{journal.head.hash}", payload)
