"""JSON schemas of annotations, as far as contract metadata can say them (it has no ``oneOf``)."""

from __future__ import annotations

import dataclasses
import enum
import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

_SIMPLE: Final[Mapping[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    bytes: {"type": "string", "format": "binary"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    type(None): {"type": "null"},
}


class Schemas:
    """Makes schemas, and gathers those of the classes that they refer to.

    Attributes:
        components: schema of each class by its name; by its qualified name where another class has the name.
    """

    def __init__(self) -> None:
        self.components: dict[str, dict[str, Any]] = {}
        self._names: dict[type, str] = {}

    def of(self, annotation: Any) -> dict[str, Any]:
        """Schema of one annotation; ``{}``, which admits anything, where there is no better one."""
        origin, members = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self.of(members[0])
        if annotation in _SIMPLE:
            return dict(_SIMPLE[annotation])
        if origin is tuple and members[1:] != (Ellipsis,):
            return {"type": "array"}
        if origin is Union or origin is types.UnionType:
            return self._union(members)
        if origin in (list, tuple, Sequence):
            return {"type": "array", "items": self.of(members[0])}
        if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": self.of(members[1])}
        if isinstance(annotation, type):
            return self._class(annotation)
        return {}

    def _union(self, members: tuple[Any, ...]) -> dict[str, Any]:
        schemas = [self.of(member) for member in members]
        if len(schemas) == 2 and {"type": "null"} in schemas:
            other = next(schema for schema in schemas if schema != {"type": "null"})
            if isinstance(other.get("type"), str) and "enum" not in other:
                return {**other, "type": [other["type"], "null"]}
        return {}

    def _class(self, annotation: type) -> dict[str, Any]:
        if issubclass(annotation, enum.Enum):
            return {"type": "string", "enum": [member.value for member in annotation]}
        described = dataclasses.is_dataclass(annotation) or hasattr(annotation, "from_dict")
        if not described and not hasattr(annotation, "to_dict"):
            return {}
        name = self._names.get(annotation)
        if name is None:
            name = self._new_name(annotation)
            # Its fields may refer to the class itself.
            self.components[name] = {"$id": name}
            self.components[name] = {"$id": name, "type": "object", **self._fields(annotation)}
        return {"$ref": f"#/components/schemas/{name}"}

    def _new_name(self, annotation: type) -> str:
        taken = annotation.__name__ in self.components
        name = f"{annotation.__module__}.{annotation.__qualname__}" if taken else annotation.__name__
        self._names[annotation] = name
        return name

    def _fields(self, annotation: type) -> dict[str, Any]:
        if not dataclasses.is_dataclass(annotation):
            return {}
        try:
            hints = get_type_hints(annotation, include_extras=True)
        except NameError:
            # Types that are imported for the type checker only: the class works, its fields stay unsaid.
            return {}
        fields = [field for field in dataclasses.fields(annotation) if field.init]
        properties = {field.name: self.of(hints[field.name]) for field in fields}
        required = [
            field.name
            for field in fields
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        ]
        # Draft 4, which the form is written in, has no empty list of required properties.
        return {"properties": properties} | ({"required": required} if required else {})
