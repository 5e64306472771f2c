"""A signed log on real files: when heads are signed, where a start continues, and what the check of it finds."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qiki.audit.files import audit_files
from qiki.audit.heads import MAX_TAIL, MAX_UNSIGNED, HeadSigner, is_signature, read_signature
from qiki.audit.journal import FileLimits, Journal
from qiki.audit.record import START, Draft, Entry, Head, seal, unseal
from qiki.audit.signing import SigningKey, load_key, make_key
from qiki.audit.standing import Break, standing
from qiki.audit.verify import verify
from qiki.contracts.events import AUDIT_SIGNED, AUDIT_SIGNING_BEGUN

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
Make = Callable[..., Draft]


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    make_key(tmp_path / "signing.pem")
    return load_key(tmp_path / "signing.pem")


@pytest.fixture
def other(tmp_path: Path) -> SigningKey:
    make_key(tmp_path / "other.pem")
    return load_key(tmp_path / "other.pem")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


def opened(folder: Path, key: SigningKey | None, max_bytes: int = 1 << 20, *, begin: bool = True) -> Journal:
    journal = Journal(folder, FileLimits(max_bytes=max_bytes, max_age_s=1e6))
    journal.open()
    if key:
        journal.signer = HeadSigner(key)
        if begin:
            journal.sign(NOON, AUDIT_SIGNING_BEGUN)
    return journal


def entries(folder: Path) -> list[Entry]:
    lines = (line for path in audit_files(folder) for line in path.read_bytes().splitlines(keepends=True))
    return [unseal(line) for line in lines]


def rows(folder: Path, first: int = 0) -> str:
    """S for a signature, r for another record."""
    return "".join("S" if is_signature(one) else "r" for one in entries(folder)[first:])


def faults(folder: Path, *keys: SigningKey) -> list[str]:
    return [str(fault) for fault in verify(folder, keys=[key.public for key in keys]).faults]


def test_a_head_is_signed_once_a_second_while_something_happens(folder: Path, key: SigningKey, draft: Make):
    journal = opened(folder, key)
    for tenth in range(31):
        journal.append([draft(tenth)], NOON + timedelta(seconds=tenth / 10))
    journal.close()
    assert rows(folder) == "S" + "rrrrrrrrrrrS" * 2 + "rrrrrrrrr"
    assert faults(folder, key) == []
    assert verify(folder, keys=[key.public]).signatures.after == 9


def test_a_head_is_signed_after_many_records_however_fast_they_come(folder: Path, key: SigningKey, draft: Make):
    journal = opened(folder, key, max_bytes=1 << 24)
    for first in range(0, 2 * MAX_UNSIGNED, 256):
        journal.append([draft(first + n) for n in range(256)], NOON)
    journal.close()
    assert rows(folder) == "S" + ("r" * MAX_UNSIGNED + "S") * 2
    assert verify(folder, keys=[key.public]).signatures.after == 0


def test_a_clock_that_is_set_back_delays_no_signature(folder: Path, key: SigningKey, draft: Make):
    journal = opened(folder, key)
    journal.append([draft(1)], NOON)
    journal.append([draft(2)], NOON - timedelta(hours=1))
    journal.close()
    assert rows(folder) == "SrrS"


def test_each_file_begins_with_the_signed_end_of_the_one_before(folder: Path, key: SigningKey, draft: Make):
    journal = opened(folder, key, max_bytes=3000)
    for number in range(20):
        journal.append([draft(number)], NOON)
    journal.close()
    files = audit_files(folder)
    assert len(files) > 3
    assert all(path.stat().st_size <= 3000 for path in files)
    firsts = [unseal(path.read_bytes().splitlines(keepends=True)[0]) for path in files]
    assert all(read_signature(first) for first in firsts)
    assert faults(folder, key) == []


def test_an_unsigned_log_that_is_taken_over_says_from_where_on_it_is_signed(folder: Path, key: SigningKey, draft: Make):
    journal = opened(folder, None)
    journal.append([draft(n) for n in range(5)], NOON)
    journal.close()
    assert verify(folder).signatures.spans == []
    assert faults(folder, key) == [f"audit-000001.jsonl: no record is signed with key {key.public.fingerprint}"]
    assert standing(folder, key.public, None).signed is False
    opened(folder, key).close()
    report = verify(folder, keys=[key.public])
    assert report.faults == []
    assert (report.signatures.before, report.signatures.spans[0].first) == (5, 6)


def test_a_signature_that_was_copied_to_another_place_is_false(folder: Path, key: SigningKey, draft: Make):
    journal = opened(folder, key)
    journal.append([draft(1)], NOON)
    (signed,) = journal.sign(NOON)
    journal.append([draft(2)], NOON)
    copy = Draft("copy", 801, AUDIT_SIGNED.ce_type, AUDIT_SIGNED.source, NOON, signed.fields["payload"], "INFO")
    journal.append([copy], NOON)
    journal.close()
    assert faults(folder, key) == ["audit-000001.jsonl:5: record 5 has a false signature of what is before it"]


def test_another_key_is_a_fault_without_a_word_of_it_and_where_it_is_not_given(
    folder: Path, key: SigningKey, other: SigningKey, draft: Make
):
    opened(folder, key).close()
    journal = opened(folder, other, begin=False)
    journal.append([draft(1)], NOON)
    journal.sign(NOON)
    journal.close()
    silent = "audit-000001.jsonl:3: record 3 is signed with another key than those before it, without a word of it"
    foreign = f"audit-000001.jsonl:3: from record 3 on it is signed with another key, {other.public.fingerprint}"
    assert faults(folder) == faults(folder, key, other) == [silent]
    assert faults(folder, key) == [foreign, silent]


def test_a_line_with_a_right_hash_that_is_no_record_is_damaged_and_breaks_nothing(folder: Path, draft: Make):
    """A writer of lines can give each its hash."""
    journal = opened(folder, None)
    end = journal.append([draft(1)], NOON)[0].head
    journal.close()
    forged = [
        seal(draft(2), end, NOON).line.replace(b'"source":"urn:qiki:q-sim-service:world",', b""),
        seal(draft(2), end, NOON).line.replace(b'"sequence":2', b'"sequence":1e400'),
        seal(draft(2, payload=None), end, NOON).line.replace(b'"severity":"INFO"', b'"severity":[]'),
        seal(draft(2, source=AUDIT_SIGNED.source, event_type="qiki.events.v1.AuditBroken", payload=3), end, NOON).line,
        seal(draft(2, source=AUDIT_SIGNED.source, event_type=AUDIT_SIGNED.ce_type, payload=[1]), end, NOON).line,
    ]
    for line in forged:
        path = audit_files(folder)[0]
        before = path.read_bytes()
        with path.open("ab") as file:
            file.write(sealed_again(line))
        assert len(faults(folder)) == 1
        standing(folder, None, None)
        path.write_bytes(before)


def sealed_again(line: bytes) -> bytes:
    from hashlib import sha256  # noqa: PLC0415

    body = line[: line.rindex(b',"hash"')] + b"}"
    return b'%b,"hash":"%b"}\n' % (body[:-1], sha256(body).hexdigest().encode())


# Where a start continues


@pytest.fixture
def log(folder: Path, key: SigningKey, draft: Make) -> list[Entry]:
    """BEGUN, three records, a signature, two unsigned records."""
    journal = opened(folder, key)
    journal.append([draft(n) for n in range(3)], NOON)
    journal.sign(NOON)
    journal.append([draft(n) for n in range(3, 5)], NOON)
    journal.close()
    assert rows(folder) == "SrrrSrr"
    return entries(folder)


def write_lines(folder: Path, lines: list[bytes]) -> None:
    audit_files(folder)[0].write_bytes(b"".join(lines))


def test_an_unsigned_end_that_follows_the_signed_head_is_adopted(folder: Path, key: SigningKey, log: list[Entry]):
    for anchor in (None, key.sign(START, NOON), key.sign(log[3].head, NOON), key.sign(log[5].head, NOON)):
        stands = standing(folder, key.public, anchor)
        assert (stands.head, stands.broken, stands.signed) == (log[-1].head, None, True)
    assert standing(folder, key.public, None).adopted == 2
    assert standing(folder, key.public, key.sign(log[5].head, NOON)).adopted == 1


def test_an_anchor_beyond_the_end_is_continued(folder: Path, key: SigningKey, log: list[Entry]):
    anchor = key.sign(Head(9, "9" * 64), NOON)
    stands = standing(folder, key.public, anchor)
    assert stands.head == Head(9, "9" * 64)
    assert stands.broken == Break(log[-1].head, Head(9, "9" * 64))


def test_another_record_in_the_anchors_place_is_not_continued(folder: Path, key: SigningKey, log: list[Entry]):
    anchor = key.sign(Head(6, "6" * 64), NOON)
    assert standing(folder, key.public, anchor).head == Head(6, "6" * 64)
    assert standing(folder, key.public, key.sign(Head(4, "4" * 64), NOON)).head == Head(4, "4" * 64)


def test_a_record_that_skips_is_not_continued(folder: Path, key: SigningKey, log: list[Entry], draft: Make):
    forged = seal(draft(9), Head(10**9, "f" * 64), NOON)
    write_lines(folder, [one.line for one in log] + [forged.line])
    stands = standing(folder, key.public, key.sign(log[3].head, NOON))
    assert (stands.head, stands.broken) == (log[4].head, Break(forged.head, log[4].head))


def test_an_end_without_signatures_is_continued_no_further_than_the_registrar_goes(
    folder: Path, key: SigningKey, log: list[Entry], draft: Make
):
    lines, head = [one.line for one in log], log[-1].head
    for number in range(MAX_TAIL - 2):
        more = seal(draft(number), head, NOON)
        lines.append(more.line)
        head = more.head
    write_lines(folder, lines)
    assert standing(folder, key.public, None).head == head
    assert faults(folder, key) == []
    write_lines(folder, [*lines, seal(draft(0), head, NOON).line])
    assert standing(folder, key.public, None).head == log[4].head
    (fault,) = faults(folder, key)
    assert fault.endswith("2049 records stand behind the last signed head: more than the registrar leaves unsigned")


def test_what_another_key_signed_behind_ours_is_not_continued(
    folder: Path, key: SigningKey, other: SigningKey, log: list[Entry]
):
    journal = opened(folder, other)
    journal.close()
    assert standing(folder, key.public, None).head == log[4].head


def test_a_log_of_another_key_alone_names_it(folder: Path, key: SigningKey, other: SigningKey, log: list[Entry]):
    stands = standing(folder, other.public, None)
    assert (stands.head, stands.previous_key, stands.signed) == (log[-1].head, key.public, False)
    assert standing(folder, None, None).previous_key == key.public


def test_a_line_slipped_in_at_the_end_is_not_continued(folder: Path, key: SigningKey, log: list[Entry]):
    write_lines(folder, [*(one.line for one in log), b'{"note": "nothing to see"}\n'])
    assert standing(folder, key.public, None).head == log[4].head


def test_nothing_is_there(folder: Path, key: SigningKey):
    assert standing(folder, key.public, None).head == START
    assert standing(folder, key.public, key.sign(START, NOON)).broken is None
    assert standing(folder, key.public, key.sign(Head(5, "5" * 64), NOON)).head == Head(5, "5" * 64)
