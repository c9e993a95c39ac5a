"""What PostgreSQL was asked is read from its log as it was asked, with its values."""

from __future__ import annotations

from bench.statements import parse

LOG = """\
2026-11-22 14:27:21.482 UTC [16553] freehold@freehold LOG:  statement: begin;
2026-11-22 14:27:21.484 UTC [16553] freehold@freehold LOG:  execute __asyncpg_stmt_1__:\x20
\t   insert into t
\t   values ($1, $2, $3)
2026-11-22 14:27:21.484 UTC [16553] freehold@freehold DETAIL:  Parameters: $1 = 'it''s, $2 = ''
\tx', $2 = '{"read(\\"any\\")",b}', $3 = NULL
2026-11-22 14:27:21.484 UTC [16553] freehold@freehold LOG:  statement: commit;
2026-11-22 14:27:21.487 UTC [16542] @ LOG:  received SIGHUP, reloading configuration files
"""


def test_statements_come_in_order_with_their_values() -> None:
    begin, insert, commit = parse(LOG)

    assert (begin.sql, begin.values, commit.sql) == ("begin;", (), "commit;")
    assert insert.sql == "insert into t\n   values ($1, $2, $3)"
    assert insert.values == ("it's, $2 = '\nx", '{"read(\\"any\\")",b}', None)
    assert {begin.session, insert.session, commit.session} == {"16553"}
