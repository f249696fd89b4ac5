"""Looks through an ONNX file before ONNX Runtime does: a model folder may be anybody's.

A file may name other files for its weights, ask for libraries of its own operators, or hold
loops that never end. None of ours does, and whatever does is refused. Only the skeleton of the
file is read (protocol buffers, as onnx.proto lays them out); weights are passed over.
"""

from collections.abc import Iterator

_LARGEST = 1 << 30
_DOMAINS = {b"", b"ai.onnx"}
_CONTROL = {b"Loop", b"Scan", b"If"}
# Numbers of fields in onnx.proto.
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_SPARSE = 1, 5, 11, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPHS = 5, (6, 11)
_TENSOR_NAME, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 8, 13, 14
_INPUT_NAME = 1


def check_graph(content: bytes) -> None:
    """Refuses an ONNX file that wants more than to be computed.

    Raises:
        ValueError: it is damaged or over 1 GB, refers to other files, has operators of its
            own, or loops and branches; the message is the rest of a line.
    """
    if len(content) > _LARGEST:
        raise ValueError(f"has {len(content) / 1e9:.1f} GB; a model of ours has at most 1")
    if any(field == _MODEL_FUNCTIONS for field, _ in _fields(content)):
        raise ValueError("defines functions of its own")
    for field, value in _fields(_graph_of(content)):
        if field == _GRAPH_NODE:
            _check_node(value)
        elif field == _GRAPH_INITIALIZER:
            _check_tensor(value)
        elif field == _GRAPH_SPARSE:
            raise ValueError("has sparse weights")


def input_names(content: bytes) -> list[str]:
    """Names of what an ONNX file's graph takes, in their order, without loading it.

    Raises:
        ValueError: it is damaged; the message is the rest of a line.
    """
    parts = list(_fields(_graph_of(content)))
    # Files of old list weights among the inputs, too.
    weights = {_text(one, _TENSOR_NAME) for field, one in parts if field == _GRAPH_INITIALIZER}
    names = [_text(one, _INPUT_NAME) for field, one in parts if field == _GRAPH_INPUT]
    return [name for name in names if name not in weights]


def _text(message: memoryview | int, wanted: int) -> str:
    """A field of a message that holds text; empty without it."""
    found = [bytes(_octets(value)) for field, value in _fields(message) if field == wanted]
    return found[-1].decode("utf-8", "replace") if found else ""


def _graph_of(content: bytes) -> memoryview:
    graphs = [value for field, value in _fields(content) if field == _MODEL_GRAPH]
    if len(graphs) != 1 or isinstance(graphs[0], int):
        raise ValueError("holds no graph")
    return graphs[0]


def _check_node(node: memoryview | bytes | int) -> None:
    for field, value in _fields(node):
        if field == _NODE_DOMAIN and bytes(_octets(value)) not in _DOMAINS:
            raise ValueError(f"has operators of its own ({_name(value)})")
        if field == _NODE_OPERATOR and bytes(_octets(value)) in _CONTROL:
            raise ValueError(f"has loops or branches ({_name(value)})")
        if field != _NODE_ATTRIBUTE:
            continue
        for part, content in _fields(value):
            if part in _ATTRIBUTE_GRAPHS:
                raise ValueError("has graphs within its graph")
            if part == _ATTRIBUTE_TENSOR:
                _check_tensor(content)


def _check_tensor(tensor: memoryview | bytes | int) -> None:
    for field, value in _fields(tensor):
        if field == _TENSOR_EXTERNAL or (field == _TENSOR_LOCATION and value != 0):
            raise ValueError("keeps weights in other files")


def _octets(value: memoryview | bytes | int) -> memoryview | bytes:
    if isinstance(value, int):
        raise ValueError("is damaged")
    return value


def _name(value: memoryview | bytes | int) -> str:
    return bytes(_octets(value))[:40].decode("ascii", "replace")


def _fields(message: memoryview | bytes | int) -> Iterator[tuple[int, memoryview | int]]:
    """The fields of a message, each with its number: bytes as they are, numbers as numbers."""
    view, at = memoryview(_octets(message)), 0
    while at < len(view):
        key, at = _number(view, at)
        match key & 7:
            case 0:
                value, at = _number(view, at)
            case 1:
                value, at = view[at : at + 8], at + 8
            case 2:
                size, at = _number(view, at)
                value, at = view[at : at + size], at + size
            case 5:
                value, at = view[at : at + 4], at + 4
            case _:
                raise ValueError("is damaged")
        if at > len(view):
            raise ValueError("is cut off")
        yield key >> 3, value


def _number(view: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the place behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(view):
            raise ValueError("is cut off")
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("is damaged")
