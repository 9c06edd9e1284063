"""Payloads that only a codec server can read: with it, without it, and while it is away."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowFailureError

from durable_cli.codec import RemoteCodec
from durable_cli.config import CodecSettings
from durable_cli.errors import CliError
from durable_cli.options import ConnectionOptions
from durable_cli.tui.feed.codec import BATCH_PAYLOADS, NOT_DECODED, PatientCodec
from durable_cli.tui.feed.documents import event_json
from durable_cli.tui.messages import Trouble
from durable_cli.tui.screens.workflow import WorkflowScreen
from tests.cli.conftest import Stage
from tests.tui.conftest import browser_process, browsing, screen_text, until
from tests.tui.secrets_support import TASK_QUEUE, CodecServer, HidingCodec, Secret, running_worker


def options(stage: Stage, codec: CodecServer | None) -> ConnectionOptions:
    if codec is None:
        return ConnectionOptions(address=stage.server.address)
    return ConnectionOptions(address=stage.server.address, codec_endpoint=codec.url, codec_auth="Bearer me")


async def start(client, words: str) -> str:
    workflow_id = f"secret-{uuid.uuid4().hex[:8]}"
    await client.start_workflow(
        Secret.run, words, id=workflow_id, task_queue=TASK_QUEUE, memo={"note": "a hidden note"}
    )
    return workflow_id


async def test_all_of_a_workflow_is_decoded(stage: Stage) -> None:
    with CodecServer().running() as codec:
        async with running_worker(stage.server.address) as client:
            workflow_id = await start(client, "kept")
            async with browsing(connection=options(stage, codec), size=(140, 45)) as (app, pilot):
                app.push_screen(WorkflowScreen(workflow_id, ""))
                await until(lambda: "a hidden note" in screen_text(app), "the memo is decoded")
                await pilot.press("2")
                await until(lambda: '"psst: kept"' in screen_text(app), "the activity's result is decoded")
                await pilot.press("slash", *"psst", "enter")
                await until(lambda: "/psst: 1 of 1" in screen_text(app), "decoded text is found")
                await pilot.press("6", "plus", *"heard", "tab", *'"told"', "ctrl+s")
                await until(lambda: "told 0 times" in screen_text(app), "arguments are encoded, the answer decoded")
                await pilot.press("s", *"tell", "tab", *'"by hand"', "ctrl+s")
                await until(lambda: "✓ Completed" in screen_text(app), "the signal was understood")
                await pilot.press("3")
                await until(lambda: "psst: kept, by hand" in screen_text(app), "the result is decoded")
        assert {(path, auth) for path, auth, _ in codec.asked} == {
            ("/default/decode", "Bearer me"),
            ("/default/encode", "Bearer me"),
        }


async def test_a_failure_is_decoded(stage: Stage) -> None:
    with CodecServer().running() as codec:
        async with running_worker(stage.server.address) as client:
            workflow_id = await start(client, "wrong")
            with pytest.raises(WorkflowFailureError):
                await client.get_workflow_handle(workflow_id).result()
        async with browsing(connection=options(stage, codec), workflow_id=workflow_id) as (app, pilot):
            await until(lambda: "Leak: the secret is out" in screen_text(app), "its message is decoded")
            await pilot.press("3")
            await until(lambda: "in whisper" in screen_text(app), "its stack trace, too")
        async with browsing(connection=options(stage, None), workflow_id=workflow_id) as (app, pilot):
            await pilot.press("3")
            await until(
                lambda: "its message is encrypted (binary/encrypted, key k1" in screen_text(app), "or it says so"
            )


async def test_without_a_codec_server_it_says_so(stage: Stage) -> None:
    async with running_worker(stage.server.address) as client:
        workflow_id = await start(client, "kept")
        async with browsing(connection=options(stage, None), workflow_id=workflow_id) as (app, pilot):
            await until(lambda: "nothing is scheduled" in screen_text(app), "it is read")
            await pilot.press("3")
            await until(lambda: "encrypted (binary/encrypted, key k1, " in screen_text(app), "it says so")
            assert "a codec server can decode it: --codec-endpoint" in " ".join(screen_text(app).split())


async def test_a_codec_server_that_is_away_comes_back(stage: Stage) -> None:
    with CodecServer().running() as first:
        port = first.server_port
    async with running_worker(stage.server.address) as client:
        workflow_id = await start(client, "kept")
        async with browsing(connection=options(stage, first), workflow_id=workflow_id) as (app, pilot):
            away = f"the codec server at http://127.0.0.1:{port}/default does not answer"
            await until(lambda: away in screen_text(app), "it says so")
            await until(lambda: "nothing is scheduled" in screen_text(app), "the run is followed")
            await pilot.press("2", "a", "end")
            await until(lambda: "binary/encrypted" in screen_text(app), "its payloads are as the server keeps them")
            exported = [event_json(row.serialized) for row in app.screen.book.history.rows]
            assert not any(NOT_DECODED in text for text in exported)
            await pilot.press("s", *"tell", "tab", *'"x"', "ctrl+s")
            await until(lambda: "the codec can't encode" in screen_text(app), "nothing is sent that was not encoded")
            await pilot.press("escape")  # the form, which keeps what was typed
            with CodecServer(port).running() as codec:
                await until(lambda: '"psst: kept"' in screen_text(app), "they are decoded, without a key")
                await until(lambda: away not in screen_text(app), "and nothing is said any more")
                codec.status = 401
                await client.get_workflow_handle(workflow_id).signal(Secret.tell, "once more")
                await until(lambda: "refuses: 401" in screen_text(app), "it says that it is refused")
                assert "--codec-auth" in screen_text(app)
                codec.status = 200
                await until(lambda: '"psst: kept, once more"' in screen_text(app), "it goes on by itself")


class Listener:
    def __init__(self) -> None:
        self.said: list[Trouble | None] = []


def patient(codec: CodecServer) -> tuple[PatientCodec, Listener]:
    listener = Listener()
    remote = RemoteCodec(CodecSettings(codec.url, {}), lambda: "default")
    return PatientCodec(remote, listener.said.append), listener


async def hidden(*texts: str) -> Sequence[Payload]:
    plain = [Payload(metadata={"encoding": b"json/plain"}, data=f'"{text}"'.encode()) for text in texts]
    return await HidingCodec().encode(plain)


async def test_payloads_are_decoded_in_batches_and_remembered() -> None:
    with CodecServer().running() as server:
        codec, _ = patient(server)
        payloads = await hidden(*map(str, range(BATCH_PAYLOADS + 50)))
        decoded = await codec.decode(payloads)
        assert [each.data for each in decoded[:2]] == [b'"0"', b'"1"']
        await codec.decode(payloads[:100])
        assert [count for _, _, count in server.asked] == [BATCH_PAYLOADS, 50]


async def test_one_payload_that_is_refused_does_not_hide_the_others() -> None:
    with CodecServer().running() as server:
        codec, listener = patient(server)
        server.bad = b"poison"
        decoded = await codec.decode(await hidden("a", "b", "poison", "c", "d"))
        assert [each.data for each in decoded if NOT_DECODED not in each.metadata] == [b'"a"', b'"b"', b'"c"', b'"d"']
        assert b"refuses it: 400" in decoded[2].metadata[NOT_DECODED]
        assert listener.said == []
        asked = len(server.asked)
        await codec.decode(await hidden("poison"))
        assert len(server.asked) == asked


async def test_what_was_not_decoded_goes_back_as_it_was() -> None:
    server = CodecServer()
    server.server_close()
    codec, listener = patient(server)
    payloads = await hidden("a")
    noted = await codec.decode(payloads)
    assert b"does not answer" in noted[0].metadata[NOT_DECODED]
    assert listener.said[0] is not None
    assert list(await codec.encode(noted)) == list(payloads)
    with pytest.raises(CliError):
        await codec.encode([Payload(metadata={"encoding": b"json/plain"}, data=b"1")])


def test_the_browser_ends_while_a_codec_server_is_silent(stage: Stage, tmp_path: Path) -> None:
    workflow_id = stage.start("Waiter", "--memo", 'note="x"')
    words = (workflow_id, "--address", stage.server.address)
    with CodecServer().running() as server:
        server.gate.clear()
        with browser_process(tmp_path, *words, "--codec-endpoint", server.url) as quit_it:
            while not server.asked:
                time.sleep(0.05)
            quit_it()
            assert not server.gate.is_set()
