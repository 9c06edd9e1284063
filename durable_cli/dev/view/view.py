"""One stream of lines from several sources, each behind its name, and below them on a terminal one line of state.

dx's own lines and those of the children differ in one character: `orders ● ready` is dx's, `orders │ …` the worker's.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.text import Text

from durable_cli.dev.view.lines import LineSplitter

__all__ = ["StateLine", "View"]

BAR = "│"
PARTIAL_LINE_SECONDS = 0.3
PIPE_WIDTH = 10_000
LONGEST_NAME = 24
HELD_LINES = 10_000
PALETTE = ("cyan", "magenta", "blue", "yellow", "green", "bright_cyan", "bright_magenta", "bright_blue")
ASCII = str.maketrans("│●◌↻✓✗▲■·…→", "|*.~+x!-- >")


@dataclass(frozen=True, slots=True)
class StateLine:
    """A line of dx about a source: a symbol in its style, a text, and what stands below it."""

    symbol: str
    style: str
    text: Text
    below: Sequence[RenderableType] = ()


class View:
    """Writes to one stream; without a terminal nothing is folded, coloured or written over."""

    def __init__(
        self, stream: TextIO, sources: Sequence[str], *, colour: bool, on_lost: Callable[[], None] = lambda: None
    ) -> None:
        self.is_terminal = stream.isatty()
        self.has_colour = colour
        self._stream = stream
        self._on_lost = on_lost
        self._is_lost = False
        self._is_unicode = (stream.encoding or "").lower().replace("-", "") in {"utf8", "utf16"}
        self._name_width = min(max(map(len, sources), default=0), LONGEST_NAME)
        self._styles = {source: PALETTE[index % len(PALETTE)] for index, source in enumerate(sources)}
        self._styles["dx"] = "bold"
        self._splitters: dict[str, LineSplitter] = {}
        self._bars = {source: self._render(self._name(source, BAR, "dim")) for source in sources}
        self._pending: list[str] = []
        self._waiting: asyncio.Handle | None = None
        self._status: Text | None = None
        self._has_status_line = False
        self._is_held = False

    def open_sink(self, source: str, on_line: Callable[[str], None] = lambda line: None) -> Callable[[bytes], None]:
        """Return what takes the output of one child of a source; `on_line` is told each line of it."""

        def emit(line: str) -> None:
            self._write(f"{self._bars[source]} {line}")
            on_line(line)

        splitter = LineSplitter(emit, keep_colour=self.has_colour)
        timer: asyncio.TimerHandle | None = None

        def feed(data: bytes) -> None:
            nonlocal timer
            if timer is not None:
                timer.cancel()
                timer = None
            splitter.feed(data)
            if splitter.has_rest:
                timer = asyncio.get_running_loop().call_later(PARTIAL_LINE_SECONDS, splitter.flush)

        return feed

    def show(self, source: str, line: StateLine) -> None:
        """Write a state line, folded under itself, with what stands below it."""
        indent = self._name_width + 3
        for index, folded in enumerate(self._fold(line.text, indent)):
            folded.rstrip()
            if index == 0:
                self._write(self._render(Text.assemble(self._name(source, line.symbol, line.style), " ", folded)))
            else:
                self._write(self._render(Text.assemble(self._name("", BAR, "dim"), " ", folded)))
        for renderable in line.below:
            self.show_block(renderable)

    def show_block(self, renderable: RenderableType) -> None:
        """Write something of several lines, indented like the texts."""
        indent = self._name_width + 3
        bar = self._render(self._name("", BAR, "dim"))
        for line in self._render(renderable, self.width - indent).split("\n"):
            self._write(f"{bar} {line}".rstrip())

    def set_status(self, status: Text | None) -> None:
        """Show this below the last line, on a terminal."""
        if self.is_terminal and status != self._status:
            self._status = status
            self._schedule()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Write nothing while another program has the terminal; what came meanwhile follows when the block ends."""
        status, self._status = self._status, None
        self.flush()
        self._is_held, self._status = True, status
        try:
            yield
        finally:
            self._is_held = False
            self._schedule()

    def flush(self) -> None:
        """Write what waits, now."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        text = "".join(f"{line}\n" for line in self._pending)
        self._pending.clear()
        if self._has_status_line:
            text = f"\r\x1b[K{text}"
        self._has_status_line = self._status is not None
        if self._status is not None:
            status = self._status.copy()
            status.truncate(self.width - 1, overflow="ellipsis")
            text += self._render(status)
        if self._is_lost or not text:
            return
        try:
            self._stream.write(text if self._is_unicode else text.translate(ASCII))
            self._stream.flush()
        except (OSError, ValueError):
            self._is_lost = True
            self._on_lost()

    def _write(self, line: str) -> None:
        self._pending.append(line)
        self._schedule()

    def _schedule(self) -> None:
        """Write once for all that this turn of the loop brings."""
        if self._is_held:
            del self._pending[:-HELD_LINES]
        elif len(self._pending) > 1000:
            self.flush()
        elif self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_soon(self.flush)

    def _name(self, source: str, symbol: str, style: str) -> Text:
        name = source if len(source) <= LONGEST_NAME else source[: LONGEST_NAME - 1] + "…"
        padding = " " * (self._name_width - cell_len(name))
        return Text.assemble((name, self._styles.get(source, "")), padding, " ", (symbol, style))

    def _fold(self, text: Text, indent: int) -> Iterable[Text]:
        if not self.is_terminal:
            return [text]
        return text.wrap(self._console(self.width), max(self.width - indent, 20))

    @property
    def width(self) -> int:
        """How many columns a line may take."""
        if not self.is_terminal:
            return PIPE_WIDTH
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _console(self, width: int) -> Console:
        return Console(
            file=StringIO(),
            force_terminal=self.has_colour,
            color_system="standard" if self.has_colour else None,
            width=width,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )

    def _render(self, renderable: RenderableType, width: int = PIPE_WIDTH) -> str:
        console = self._console(width)
        with console.capture() as capture:
            console.print(renderable, soft_wrap=isinstance(renderable, Text) and width == PIPE_WIDTH)
        return capture.get().rstrip("\n")
