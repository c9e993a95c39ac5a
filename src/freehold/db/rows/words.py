"""Words that rows are searched for, `apple "green tea" choc*`, as PostgreSQL's text search takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from freehold.db.ddl.spelling import quote, words_of
from freehold.errors import InvalidQuery
from freehold.schema.model import Entity, Field
from freehold.schema.table_names import search_column

_TERM = re.compile(r'"([^"]*)"?|([^\s"]+)')
MAX_TERMS = 50
"""So many words and phrases can be searched for at once."""


def tsquery(text: str) -> str:
    """What `to_tsquery` is given: all words have to be there, the last one may go on.

    A phrase stands in double quotes; `word*` is the beginning of a word, and so is the last word when it is
    not quoted, because people search while they type. Raises InvalidQuery.
    """
    terms: list[tuple[str, str]] = _TERM.findall(text)
    if len(terms) > MAX_TERMS:
        raise InvalidQuery(reason=f"a search takes at most {MAX_TERMS} words and phrases, not {len(terms)}.")
    spelled = []
    for at, (phrase, word) in enumerate(terms):
        term = word.rstrip("*") or phrase
        begins = bool(word) and (word.endswith("*") or at == len(terms) - 1)
        if any(character.isalnum() for character in term):
            spelled.append(_literal(term) + ":*" * begins)
    return " & ".join(spelled)


def _literal(term: str) -> str:
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def searched(entity: Entity, field: Field) -> tuple[str, ...]:
    """The expressions that all have to match when a field is searched; none when no index holds its words.

    The first one is what an index is over. The last one is over the field alone: what an index holds of other
    fields must not be found in this one.
    """
    own = words_of([field.column])
    over = list(_word_indexes(entity, field))
    if own in over:
        return (own,)
    return (over[0], own) if over else ()


def _word_indexes(entity: Entity, field: Field) -> Iterator[str]:
    for index in entity.indexes:
        if index.method == "fulltext" and any(part.field == field.name for part in index.parts):
            fields = [entity.field(part.field) for part in index.parts]
            columns = [each.column for each in fields if each is not None]
            if len(columns) == len(fields):  # else it is over fields that the caller may not know of
                yield words_of(columns)
    if field.search:
        yield quote(search_column(entity))
