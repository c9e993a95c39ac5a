"""How much a GraphQL document asks for, told before validation, which takes long for large ones."""

from __future__ import annotations

from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)


class CircularFragment(Exception):
    """A fragment holds itself."""


class Size(NamedTuple):
    """What is selected, with fragments counted wherever they are used."""

    fields: int = 0
    depth: int = 0
    introspects: bool = False

    def and_(self, other: Size) -> Size:
        return Size(
            self.fields + other.fields,
            max(self.depth, other.depth),
            self.introspects or other.introspects,
        )


class Measure:
    """Measures the selections of one document; a fragment once, however often it is used."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments: dict[str, FragmentDefinitionNode] = {}
        self._operations: list[OperationDefinitionNode] = []
        self._sizes: dict[str, Size | None] = {}
        self.written = 0
        """How many selections stand in what was measured, each counted where it is written."""
        for definition in document.definitions:
            if isinstance(definition, FragmentDefinitionNode):
                self._fragments[definition.name.value] = definition
            elif isinstance(definition, OperationDefinitionNode):
                self._operations.append(definition)

    def document(self) -> Size:
        """The size of all operations together, and of the fragments that none of them uses.

        Raises CircularFragment.
        """
        size = Size()
        for operation in self._operations:
            size = size.and_(self._selections(operation.selection_set))
        for name in self._fragments:
            if name not in self._sizes:
                size = size.and_(self._fragment(name))
        return size

    def field(self, node: FieldNode) -> Size:
        """The size of a field and what is below it. What is below introspection does not count as depth."""
        name = node.name.value
        below = self._selections(node.selection_set) if node.selection_set is not None else Size()
        introspects = name in ("__schema", "__type")
        return Size(
            fields=1 + below.fields,
            depth=1 if introspects else 1 + below.depth,
            introspects=introspects or below.introspects,
        )

    def _selections(self, selected: SelectionSetNode) -> Size:
        size = Size()
        for node in selected.selections:
            self.written += 1
            if isinstance(node, FieldNode):
                size = size.and_(self.field(node))
            elif isinstance(node, InlineFragmentNode):
                size = size.and_(self._selections(node.selection_set))
            elif isinstance(node, FragmentSpreadNode):
                size = size.and_(self._fragment(node.name.value))
        return size

    def _fragment(self, name: str) -> Size:
        if name in self._sizes:
            size = self._sizes[name]
            if size is None:
                raise CircularFragment()
            return size
        fragment = self._fragments.get(name)
        self._sizes[name] = None
        size = Size() if fragment is None else self._selections(fragment.selection_set)
        self._sizes[name] = size
        return size
