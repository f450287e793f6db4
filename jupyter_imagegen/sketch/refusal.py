"""Requests that are not granted, in the words of the OpenAI API.

    Refused
      400  invalid_type · invalid_value · unknown_parameter · missing_required_parameter · the image codes
           · moderation_blocked
      404  model_not_found · unknown_url
      405  method_not_allowed
      413  request_too_large

Every body is `{"error": {"message", "type", "param", "code"}}` (OpenAI API reference, errors, read 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

NOTHING: Mapping[str, object] = MappingProxyType({})


class Refused(Exception):
    """A request that is answered with an error; `more` are further fields of the error object."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None,
        param: str | None = None,
        status: int = 400,
        kind: str = "invalid_request_error",
        more: Mapping[str, object] = NOTHING,
    ) -> None:
        """Keep the fields of the body."""
        super().__init__(message)
        self.status = status
        self.body: Mapping[str, object] = {
            "error": {"message": message, "type": kind, "param": param, "code": code, **more}
        }


def unknown_parameter(name: str) -> Refused:
    """A field that the endpoint does not know."""
    return Refused(f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)


def missing(name: str) -> Refused:
    """A field without which nothing can be painted."""
    return Refused(f"Missing required parameter: '{name}'.", code="missing_required_parameter", param=name)


def wrong_type(name: str, expected: str, value: object) -> Refused:
    """A field whose value is of another type."""
    message = f"Invalid type for '{name}': expected {expected}, but got {_kind(value)} instead."
    return Refused(message, code="invalid_type", param=name)


def wrong_value(name: str, message: str) -> Refused:
    """A field whose value is not accepted, with a message that says what is."""
    return Refused(message, code="invalid_value", param=name)


def not_among(name: str, value: str, accepted: Iterable[str]) -> Refused:
    """A field whose value is none of those accepted."""
    *most, last = (f"'{choice}'" for choice in accepted)
    listed = f"{', '.join(most)}{',' if len(most) > 1 else ''} and {last}" if most else last
    return wrong_value(name, f"Invalid value: '{value[:80]}'. Supported values are: {listed}.")


def no_such_model(name: str) -> Refused:
    """A model that the endpoint neither is nor stands in for."""
    message = f"The model '{name[:80]}' does not exist or you do not have access to it."
    return Refused(message, code="model_not_found", param="model", status=404)


def no_such_page(method: str, path: str) -> Refused:
    """A path that the endpoint does not serve."""
    return Refused(f"Invalid URL ({method} {path[:200]})", code="unknown_url", status=404)


def wrong_method(method: str, path: str) -> Refused:
    """A path that is served to other methods."""
    message = f"Not allowed to {method} on {path[:200]}."
    return Refused(message, code="method_not_allowed", status=405)


def too_large(limit: int) -> Refused:
    """A body with more bytes than are read."""
    return Refused(f"Request body too large: at most {limit} bytes.", code="request_too_large", status=413)


def unreadable(what: str, cause: Exception | None = None) -> Refused:
    """A body that is not what its content type says."""
    why = f", {cause}" if cause else ""
    return Refused(f"We could not parse the body of your request: {what}{why}.", code=None)


def wrong_content_type(content_type: str, accepted: str) -> Refused:
    """A body in a content type that the path does not take."""
    message = f"Unsupported content type: '{content_type[:80]}'. This API method only accepts {accepted} requests."
    return Refused(message, code="unsupported_content_type")


def wrong_image(param: str, code: str, message: str) -> Refused:
    """A picture that was sent and cannot be used; `code` is one of the API's image codes."""
    return Refused(message, code=code, param=param)


def blocked() -> Refused:
    """What a moderated prompt is answered with, so that people can see what it looks like."""
    message = (
        "Your request was rejected by the safety system. (This is the sketch endpoint: the prompt contains"
        " '[refuse]'.) safety_violations=[sketch]."
    )
    details = {"moderation_stage": "input", "categories": ["sketch"]}
    return Refused(
        message,
        code="moderation_blocked",
        kind="image_generation_user_error",
        more={"moderation_details": details},
    )


def broken() -> Mapping[str, object]:
    """The body of an answer after a fault of the endpoint itself."""
    message = "The sketch endpoint failed while processing your request; its log says why."
    return Refused(message, code=None, kind="server_error", status=500).body


def _kind(value: object) -> str:
    """The name of a JSON type as the API's messages say it."""
    names: Mapping[type, str] = {
        bool: "a boolean",
        int: "an integer",
        float: "a decimal number",
        str: "a string",
        list: "an array",
        dict: "an object",
        bytes: "a file",
    }
    return names.get(type(value), "null")
