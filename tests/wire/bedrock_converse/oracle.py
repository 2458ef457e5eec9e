"""botocore as the judge: its service model, validator, serializer, parser and event stream reader."""

from __future__ import annotations

import json
from base64 import b64decode
from functools import cache

from botocore.eventstream import EventStream
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.parsers import EventStreamJSONParser, create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator


@cache
def service() -> ServiceModel:
    """The service model of ``bedrock-runtime``."""
    return ServiceModel(Loader().load_service_model("bedrock-runtime", "service-2"), "bedrock-runtime")


def as_python(value, shape):
    """JSON as botocore wants its parameters: bytes where JSON has base64."""
    if shape.type_name == "blob":
        return b64decode(value, validate=True)
    if shape.type_name == "list":
        return [as_python(item, shape.member) for item in value]
    if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        known = shape.members
        return {name: as_python(item, known[name]) if name in known else item for name, item in value.items()}
    return value


def check_request(body: dict, model: str, operation: str = "Converse") -> None:
    """Validate a request, and serialize it again with botocore: the same JSON must come out."""
    operation_model = service().operation_model(operation)
    body = json.loads(json.dumps(body))
    parameters = {"modelId": model, **as_python(body, operation_model.input_shape)}
    report = ParamValidator().validate(parameters, operation_model.input_shape)
    assert not report.has_errors(), report.generate_report()
    serialized = create_serializer("rest-json").serialize_to_request(parameters, operation_model)
    assert json.loads(serialized["body"]) == body


def parse_answer(body: dict) -> dict:
    """Read a whole answer with botocore."""
    response = {"status_code": 200, "headers": {}, "body": json.dumps(body).encode()}
    parsed = create_parser("rest-json").parse(response, service().operation_model("Converse").output_shape)
    del parsed["ResponseMetadata"]
    return parsed


class _Raw:
    def __init__(self, pieces):
        self._pieces = pieces

    def stream(self):
        yield from self._pieces


def parse_stream(*pieces: bytes) -> list[dict]:
    """Read a stream with botocore's own reader."""
    shape = service().operation_model("ConverseStream").output_shape.members["stream"]
    return list(EventStream(_Raw(pieces), shape, EventStreamJSONParser(), "ConverseStream"))


def answer_shape():
    """The shape of a whole answer."""
    return service().operation_model("Converse").output_shape
