"""Groups and commands that import nothing until they are used.

A group knows its children's names and summaries from the table in `durable_cli.commands`; the module of a verb is
imported only when the verb runs or shows its own help.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import click

from durable_cli.exit_codes import ExitCode

__all__ = ["Command", "Group", "LazyGroup", "Option", "UsageError"]

HOISTED = "durable_cli.hoisted_arguments"

FALSE_WORDS = {"false", "f", "0"}
TRUE_WORDS = {"true", "t", "1"}


class Group:
    """What a group's help needs to know: a summary, and by name its verbs' summaries or further groups."""

    def __init__(self, summary: str, children: Mapping[str, str | Group]) -> None:
        self.summary = summary
        self.children = children


class UsageError(click.UsageError):
    """A wrong command line, with a hint of its own."""

    exit_code = int(ExitCode.USAGE)

    def __init__(self, message: str, hint: str = "", ctx: click.Context | None = None) -> None:
        super().__init__(message, ctx)
        self.hint = hint


class Option(click.Option):
    """An option that knows under which heading of the help it belongs."""

    def __init__(self, *args: Any, section: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class LazyGroup(click.Group):
    """A group whose children are imported when they are used.

    Options that stand before the verb (`dx -o json workflow list`) are handed on to the verb, as the official CLI
    does with its global options.
    """

    def __init__(self, name: str, group: Group, module: str, **attrs: Any) -> None:
        super().__init__(name=name, help=group.summary, **attrs)
        self.table = group
        self.module = module

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table.children)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        child = self.table.children.get(cmd_name)
        if child is None:
            return None
        module = f"{self.module}.{cmd_name.replace('-', '_')}"
        if isinstance(child, Group):
            return LazyGroup(cmd_name, child, module)
        command: click.Command = import_module(module).command
        command.name = cmd_name
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args:
            raise UsageError("no command given", f"`{ctx.command_path} --help` lists the commands", ctx)
        if args[0].startswith("-") and args[0] not in {"-h", "--help", "--version"}:
            from durable_cli.options import split_leading_options

            leading, args = split_leading_options(args)
            ctx.meta.setdefault(HOISTED, []).extend(leading)
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word in self.table.children or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        if word.startswith("-"):
            raise UsageError(f"unknown option {word!r}", f"`{ctx.command_path} --help` lists what there is", ctx)
        from difflib import get_close_matches

        close = get_close_matches(word, self.table.children, n=1, cutoff=0.5)
        hint = f"did you mean `{ctx.command_path} {close[0]}`? " if close else ""
        raise UsageError(
            f"{ctx.command_path} has no command {word!r}", f"{hint}`{ctx.command_path} --help` lists the commands", ctx
        )

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            (name, child.summary if isinstance(child, Group) else child) for name, child in self.table.children.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class Command(click.Command):
    """A verb: takes options that stood before it, `--flag=false`, and shows its options under headings."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        args = [*ctx.meta.get(HOISTED, []), *args]
        if "--help" not in args:
            args = list(self._spell_out_booleans(args))
        return super().parse_args(ctx, args)

    def _spell_out_booleans(self, args: Iterable[str]) -> Iterable[str]:
        """Turn `--flag=true` and `--flag=false`, which the official CLI accepts, into what click knows."""
        flags = {
            name: param for param in self.params if isinstance(param, Option) and param.is_flag for name in param.opts
        }
        words = iter(args)
        for word in words:
            if word == "--":
                yield word
                yield from words
                return
            name, equals, value = word.partition("=")
            flag = flags.get(name)
            if not equals or flag is None or value.lower() not in TRUE_WORDS | FALSE_WORDS:
                yield word
            elif value.lower() in TRUE_WORDS:
                yield name
            elif flag.secondary_opts:
                yield flag.secondary_opts[0]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for param in self.get_params(ctx):
            # An argument stands in the usage line, and its option beside the others says what it is.
            record = param.get_help_record(ctx) if isinstance(param, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(param, "section", "Options"), []).append(record)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records, col_max=34)
