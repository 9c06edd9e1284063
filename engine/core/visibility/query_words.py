"""The words of SQL, by what they are in a list filter."""

from __future__ import annotations

__all__ = ["NAME_WORDS", "NO_NAME_WORDS", "OPERATOR_WORDS", "RESERVED_WORDS"]

_KEPT = "and or not in like regexp starts_with null true false"
_DROPPED = "where group by order limit offset asc desc default distinct is between escape collate interval"
_TIMES = "current_date current_time current_timestamp localtime localtimestamp utc_date utc_time utc_timestamp"
_RESERVED = """
add as auto_increment case convert create cross databases delete describe drop else end exists explain for
force from having ignore index inner insert into join key lock match maxvalue natural next on outer rename
schema select separator set show straight_join substr substring table tables then to union unique update
use using values when
"""
_NAMES = """
accessible against asensitive before begin bigint bit blob bool both call cascade change char character charset check
comment commit committed condition continue current_user cursor date datetime day_hour day_microsecond day_minute
day_second dec decimal declare delayed deterministic distinctrow double duplicate each elseif enclosed enum escaped
exit expansion fetch float float4 float8 foreign fulltext generated geometry geometrycollection get global grant
high_priority hour_microsecond hour_minute hour_second infile inout insensitive int int1 int2 int3 int4 int8 integer
io_after_gtids isolation iterate json key_block_size keys kill language last_insert_id leading leave less level linear
lines linestring load long longblob longtext loop low_priority master_bind mediumblob mediumint mediumtext middleint
minute_microsecond minute_second mode modifies multilinestring multipoint multipolygon names nchar no_write_to_binlog
numeric only optimize optimizer_costs option optionally out outfile partition point polygon precision primary
procedure query range read read_write reads real references release reorganize repair repeat repeatable require
resignal restrict return revoke rollback schemas second_microsecond sensitive serializable session share signal signed
smallint spatial specific sql sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate sqlwarning ssl
start starting status stored terminated text than time timestamp tinyblob tinyint tinytext trailing transaction
trigger truncate uncommitted undo unlock unsigned usage varbinary varchar varcharacter variables varying view vindex
vindexes virtual vitess_keyspaces vitess_shards vitess_tablets vschema_tables while with write xor year year_month
zerofill
"""
_NO_NAMES = """
all alter analyze boolean cast column constraint extended full group_concat processlist sql_cache sql_no_cache stream
"""

OPERATOR_WORDS = {
    **{word: word.upper() for word in _KEPT.split()},
    **{word: f"_{word.upper()}" for word in _DROPPED.split()},
    **dict.fromkeys(_TIMES.split(), "TIME_FUNCTION"),
    **dict.fromkeys(("binary", "_binary"), "PREFIX"),
    **dict.fromkeys(("database", "if", "left", "replace", "right"), "FUNCTION_WORD"),
    "div": "ARITHMETIC",
    "mod": "MOD",
    "rlike": "REGEXP",
}
"""Words with a meaning of their own, and their terminals."""

RESERVED_WORDS = frozenset(_RESERVED.split())
"""Words that no filter needs; they are names only behind a dot."""

NAME_WORDS = frozenset(_NAMES.split())
"""Words that may be names, which are then in lower case unless they are in `backquotes`."""

NO_NAME_WORDS = frozenset(_NO_NAMES.split())
"""Words that are never names."""
