"""The remote codec, for somebody who looks on: what can't be decoded now is shown as it is, and decoded later."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from temporalio.api.common.v1 import Payload

from durable_cli.codec import CodecError, RemoteCodec
from durable_cli.tui.feed.link import AGAIN_HINT, AGAIN_SECONDS
from durable_cli.tui.feed.threads import in_thread
from durable_cli.tui.messages import Trouble

__all__ = ["LEFT_ALONE", "NOT_DECODED", "PatientCodec", "without_note"]

LEFT_ALONE = frozenset({"list_workflow_executions", "count_workflow_executions"})
"""Nothing is shown of the payloads in these calls' answers."""
NOT_DECODED = "dx-not-decoded"
"""The metadata that says why a payload is as the server keeps it; it never leaves the browser."""
SECONDS = 5.0
BATCH_PAYLOADS = 200
BATCH_BYTES = 1_000_000
CACHED_BYTES = 16_000_000
CACHED_PAYLOAD_BYTES = 100_000
REFUSED_SECONDS = 30.0
MOST_HALVINGS = 16
ABOUT_PAYLOADS = frozenset({400, 422, 500})
"""With these statuses, codec servers say that they can't do one of the payloads."""


class PatientCodec:
    """Decodes in batches, remembers what it has decoded, and does without a codec server that is away.

    Args:
        say: is told of a codec server that is away, and (None) that it is back.
    """

    def __init__(self, codec: RemoteCodec, say: Callable[[Trouble | None], None]) -> None:
        self._codec = codec
        self._say = say
        self._decoded: OrderedDict[bytes, Payload] = OrderedDict()
        self._decoded_bytes = 0
        self._refused: dict[bytes, tuple[float, str]] = {}
        self._away = ""
        """Why nothing can be decoded now."""
        self._is_away = asyncio.Event()
        self._probe = Payload()

    async def encode(self, payloads: Sequence[Payload]) -> Sequence[Payload]:
        """Encode; what was never decoded goes back as the server keeps it.

        Raises:
            CodecError: the codec server does not do it.
        """
        clear = [payload for payload in payloads if NOT_DECODED not in payload.metadata]
        encoded = iter(await self._ask("encode", clear) if clear else ())
        return [without_note(payload) if NOT_DECODED in payload.metadata else next(encoded) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> Sequence[Payload]:
        """Decode what can be decoded; the rest comes back with a note that says why not."""
        keys = [self._key(payload) for payload in payloads]
        asked = {key: payload for key, payload in zip(keys, payloads, strict=True) if not self._knows(key)}
        found: dict[bytes, Payload] = {}
        for batch in _batches(asked):
            if self._away:
                break
            found.update(await self._decode_batch(batch, [MOST_HALVINGS]))
        return [self._answer(key, payload, found) for key, payload in zip(keys, payloads, strict=True)]

    async def keep_trying(self) -> None:
        """While the codec server is away, ask it again and again; say when it is back."""
        while True:
            await self._is_away.wait()
            await asyncio.sleep(AGAIN_SECONDS)
            try:
                await self._ask("decode", [self._probe])
            except CodecError as error:
                if error.status not in ABOUT_PAYLOADS:
                    self._note_away(error)
                    continue
            self._away = ""
            self._is_away.clear()
            self._say(None)

    async def _ask(self, action: str, payloads: Sequence[Payload]) -> Sequence[Payload]:
        return await in_thread(lambda: self._codec.post(action, payloads, SECONDS))

    async def _decode_batch(self, batch: dict[bytes, Payload], halvings: list[int]) -> dict[bytes, Payload]:
        """Decode a batch; where the codec server refuses it, find out which of the payloads it is."""
        try:
            done = dict(zip(batch, await self._ask("decode", list(batch.values())), strict=True))
        except CodecError as error:
            if error.status not in ABOUT_PAYLOADS:
                self._probe = next(iter(batch.values()))
                self._note_away(error)
                return {}
            if len(batch) == 1 or not halvings[0]:
                until_s, words = time.monotonic() + REFUSED_SECONDS, f"the codec server refuses it: {error.reason}"
                self._refused.update(dict.fromkeys(batch, (until_s, words)))
                return {}
            halvings[0] -= 1
            items = list(batch.items())
            middle = len(items) // 2
            first = await self._decode_batch(dict(items[:middle]), halvings)
            return first | await self._decode_batch(dict(items[middle:]), halvings)
        for key, payload in done.items():
            self._remember(key, payload)
        return done

    def _note_away(self, error: CodecError) -> None:
        what = f"refuses: {error.reason}" if error.status else "does not answer"
        words = f"the codec server at {self._codec.endpoint} {what}"
        if words != self._away:
            self._away = words
            hint = "check --codec-auth and --codec-header" if error.status in (401, 403) else error.reason
            self._say(Trouble(words, f"{hint}; values stay as the server keeps them, and {AGAIN_HINT}"))
        self._is_away.set()

    # What is known

    def _key(self, payload: Payload) -> bytes:
        namespaced = self._codec.endpoint.encode() + payload.SerializeToString(deterministic=True)
        return hashlib.blake2b(namespaced, digest_size=16).digest()

    def _knows(self, key: bytes) -> bool:
        if key in self._refused and self._refused[key][0] < time.monotonic():
            del self._refused[key]
        return key in self._decoded or key in self._refused

    def _remember(self, key: bytes, payload: Payload) -> None:
        size = payload.ByteSize()
        if size > CACHED_PAYLOAD_BYTES:
            return
        self._decoded[key] = payload
        self._decoded_bytes += size
        while self._decoded_bytes > CACHED_BYTES:
            _, oldest = self._decoded.popitem(last=False)
            self._decoded_bytes -= oldest.ByteSize()

    def _answer(self, key: bytes, payload: Payload, found: dict[bytes, Payload]) -> Payload:
        decoded = found.get(key) or self._decoded.get(key)
        if decoded is None:
            words = self._refused[key][1] if key in self._refused else self._away
            return _with_note(payload, words or "the codec server does not answer")
        if key in self._decoded:
            self._decoded.move_to_end(key)
        if decoded == payload and not _is_plain(payload):
            return _with_note(payload, "the codec server leaves it as it is")
        return decoded


def without_note(payload: Payload) -> Payload:
    """Return a payload as the server keeps it."""
    if NOT_DECODED not in payload.metadata:
        return payload
    plain = Payload()
    plain.CopyFrom(payload)
    del plain.metadata[NOT_DECODED]
    return plain


def _with_note(payload: Payload, words: str) -> Payload:
    if _is_plain(payload):
        return payload
    noted = Payload()
    noted.CopyFrom(payload)
    noted.metadata[NOT_DECODED] = words.encode()
    return noted


def _is_plain(payload: Payload) -> bool:
    return payload.metadata.get("encoding", b"").startswith(
        (b"json/", b"binary/null", b"binary/plain", b"binary/proto")
    )


def _batches(payloads: dict[bytes, Payload]) -> Iterator[dict[bytes, Payload]]:
    """Yield as many at once as one request may have."""
    batch: dict[bytes, Payload] = {}
    size = 0
    for key, payload in payloads.items():
        if batch and (len(batch) == BATCH_PAYLOADS or size + payload.ByteSize() > BATCH_BYTES):
            yield batch
            batch, size = {}, 0
        batch[key] = payload
        size += payload.ByteSize()
    if batch:
        yield batch
