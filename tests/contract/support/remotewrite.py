"""Prometheus' remote-write protocol (version 1), as far as tests need it.

It takes samples of the past and native histograms, which no text format does. The encodings are
those of protocol buffers (wire types 0, 1 and 2) and of snappy, of which only literals are used.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import httpx

_CHUNK = 1 << 16


@dataclass(frozen=True)
class Native:
    """One sample of a native histogram of schema 0: bucket i reaches from 2^(i-1) to 2^i.

    `buckets` are cumulative counts over time, as in any counter: index → how many so far.
    """

    buckets: Mapping[int, int]


Sample = tuple[float, "float | Native"]
"""Unix seconds and a value."""


def write(url: str, series: Sequence[tuple[Mapping[str, str], Sequence[Sample]]]) -> None:
    """Store these samples; the labels include `__name__`."""
    body = b"".join(_message(1, b"".join(_series(*one))) for one in series)
    headers = {"Content-Encoding": "snappy", "X-Prometheus-Remote-Write-Version": "0.1.0"}
    answer = httpx.post(
        f"{url}/api/v1/write", content=_snappy(body), headers=headers, trust_env=False
    )
    assert answer.status_code < 300, answer.text


def _series(labels: Mapping[str, str], samples: Sequence[Sample]) -> Iterator[bytes]:
    for name, value in sorted(labels.items()):
        yield _message(1, _message(1, name.encode()) + _message(2, value.encode()))
    for seconds, value in samples:
        at = round(seconds * 1000)
        if isinstance(value, Native):
            yield _message(4, _histogram(value, at))
        else:
            yield _message(2, _double(1, value) + _varint_field(2, at))


def _histogram(native: Native, at: int) -> bytes:
    indexes = sorted(native.buckets)
    first, last = indexes[0], indexes[-1]
    counts = [native.buckets.get(index, 0) for index in range(first, last + 1)]
    deltas = [count - before for count, before in zip(counts, [0, *counts], strict=False)]
    span = _varint_field(1, _zigzag(first)) + _varint_field(2, len(counts))
    return b"".join(
        (
            _varint_field(1, sum(counts)),
            _double(3, 0.0),
            _varint_field(4, _zigzag(0)),
            _double(5, 1e-128),
            _varint_field(6, 0),
            _message(11, span),
            _message(12, b"".join(_varint(_zigzag(delta)) for delta in deltas)),
            _varint_field(15, at),
        )
    )


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _varint_field(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _snappy(content: bytes) -> bytes:
    chunks = (content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK))
    literals = (b"\xf4" + struct.pack("<H", len(chunk) - 1) + chunk for chunk in chunks)
    return _varint(len(content)) + b"".join(literals)
