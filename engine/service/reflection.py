"""gRPC reflection: what is served, described for tools.

Source: the gRPC project's server reflection protocol.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from functools import partial
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message

from engine.core.errors import Code
from engine.service.service import Call
from engine.service.tooling_protos import HEALTH, REFLECTION_PACKAGES, load_messages, load_pool
from engine.service.transport.routes import Route

__all__ = ["reflection_routes"]

_TOOLING = (f"{HEALTH}.Health", *(f"{package}.ServerReflection" for package in REFLECTION_PACKAGES))


def reflection_routes(services: Collection[str]) -> list[Route]:
    """Build the routes of reflection under both of its names, for what is served beside health and reflection.

    Its messages are loaded at the first call.
    """
    names = sorted((*services, *_TOOLING))
    return [
        Route(
            f"/{package}.ServerReflection/ServerReflectionInfo",
            partial(_parse, package),
            stream=partial(_answer_all, names, package),
        )
        for package in REFLECTION_PACKAGES
    ]


def _parse(package: str, data: bytes) -> Any:
    return load_messages(package)["ServerReflectionRequest"].FromString(data)


async def _answer_all(
    services: list[str], package: str, requests: AsyncIterator[Any], call: Call
) -> AsyncIterator[Message]:
    async for request in requests:
        response = load_messages(package)["ServerReflectionResponse"](valid_host=request.host, original_request=request)
        for pool in (descriptor_pool.Default(), load_pool()):
            try:
                _answer(services, request, response, pool)
                break
            except KeyError:
                continue
        else:
            response.error_response.error_code = Code.NOT_FOUND
            response.error_response.error_message = "not found"
        yield response


def _answer(services: list[str], request: Any, response: Any, pool: Any) -> None:
    """Fill in the answer.

    Raises:
        KeyError: `pool` does not have what is asked for.
    """
    kind = request.WhichOneof("message_request")
    if kind == "list_services":
        for name in services:
            response.list_services_response.service.add(name=name)
    elif kind == "file_by_filename":
        _add_files(response, pool.FindFileByName(request.file_by_filename))
    elif kind == "file_containing_symbol":
        _add_files(response, pool.FindFileContainingSymbol(request.file_containing_symbol))
    elif kind == "file_containing_extension":
        wanted = request.file_containing_extension
        extended = pool.FindMessageTypeByName(wanted.containing_type)
        _add_files(response, pool.FindExtensionByNumber(extended, wanted.extension_number).file)
    elif kind == "all_extension_numbers_of_type":
        extended = pool.FindMessageTypeByName(request.all_extension_numbers_of_type)
        answer = response.all_extension_numbers_response
        answer.base_type_name = extended.full_name
        answer.extension_number.extend(sorted(each.number for each in pool.FindAllExtensions(extended)))
    else:
        response.error_response.error_code = Code.INVALID_ARGUMENT
        response.error_response.error_message = "nothing is asked for"


def _add_files(response: Any, file: FileDescriptor) -> None:
    """Add a file and all that it imports, each once."""
    found: dict[str, bytes] = {}
    waiting = [file]
    while waiting:
        each = waiting.pop()
        if each.name not in found:
            found[each.name] = each.serialized_pb
            waiting += each.dependencies
    response.file_descriptor_response.file_descriptor_proto.extend(found.values())
