"""An encoder of event streams of the tests' own, after the specification."""

from __future__ import annotations

import binascii
import json
import struct


def header(name: str, kind: int, raw: bytes) -> bytes:
    """One header of any type."""
    return struct.pack("!B", len(name.encode())) + name.encode() + struct.pack("!B", kind) + raw


def text(name: str, value: str) -> bytes:
    """A header that holds a text."""
    return header(name, 7, struct.pack("!H", len(value.encode())) + value.encode())


def frame(headers: bytes, payload: bytes) -> bytes:
    """A frame with its two checksums."""
    lengths = (16 + len(headers) + len(payload)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    prelude = lengths + binascii.crc32(lengths).to_bytes(4, "big")
    whole = prelude + headers + payload
    return whole + binascii.crc32(whole).to_bytes(4, "big")


def event(name: str, payload: object, padding: str = "abcd") -> bytes:
    """An event as Bedrock sends it, with its padding."""
    if isinstance(payload, dict) and padding:
        payload = {**payload, "p": padding}
    headers = text(":event-type", name) + text(":content-type", "application/json") + text(":message-type", "event")
    return frame(headers, json.dumps(payload).encode())


def exception(name: str, message: str) -> bytes:
    """An exception within a stream."""
    headers = text(":exception-type", name) + text(":content-type", "application/json")
    return frame(headers + text(":message-type", "exception"), json.dumps({"message": message}).encode())
