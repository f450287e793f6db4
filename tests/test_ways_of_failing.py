"""Every way in which a call is known to fail, through the public door: what is said, what is kept, what is not sent.

The ways are those of the same documents as in test_ways.py, and of networks. The rules are: one POST, unless nothing
was accepted for certain; an outcome that is not known says that it may have been charged, and only such a one; every
paid answer that could not be read is kept; every record is closed.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.clock import DEADLINE_S
from support.gateway import Answer, Asked, Cut, Drip, Hang, Said
from support.pictures import answer, complaint
from support.ways import (
    BLUE,
    DONE,
    HOST,
    KEY,
    RED,
    REQUEST_ID,
    Raw,
    Way,
    Wire,
    b64,
    body,
    chat,
    completed,
    event,
    expected,
    fails,
    item,
    laid,
    observe,
    over,
    preview,
    raw,
    said,
    stream,
    succeeded,
    take,
)

from jupyter_imagegen import client
from jupyter_imagegen.errors import (
    AccessDenied,
    AnswerUnreadable,
    CallError,
    ConnectionCut,
    DeadlinePassed,
    DownloadFailed,
    GatewayTimedOut,
    KeyRejected,
    ModelNotFound,
    NoPicture,
    NotSent,
    OutOfCredit,
    RateLimited,
    Redirected,
    Refused,
    Rejected,
    ServerFailed,
    SizeRejected,
    TaskUnfinished,
    TooLarge,
    UnknownParameter,
    Unverified,
    ValueRejected,
)

A, B = f"http:{HOST}/a.png", f"http:{HOST}/b.png"
USAGE = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
WHOLE = answer(RED)
HALF = WHOLE[:-40]
PAGE = b"<!DOCTYPE html><html><head><title>Just a moment</title></head></html>"
BLOCKED = {
    "message": "Your request was rejected by the safety system. safety_violations=[sexual].",
    "type": "image_generation_user_error",
    "code": "moderation_blocked",
    "moderation_details": {"moderation_stage": "input", "categories": ["sexual"]},
}
SENSITIVE = {"code": "OutputImageSensitiveContentDetected", "message": "it may contain sensitive information"}
INTERNAL = {"code": "InternalServiceError", "message": "an unexpected internal error"}
AZURE = {
    "code": "content_policy_violation",
    "message": "Your request was rejected.",
    "inner_error": {
        "code": "ResponsibleAIPolicyViolation",
        "content_filter_results": {"violence": {"filtered": True, "severity": "medium"}, "hate": {"filtered": False}},
    },
}


def ark(code: str, message: str = "m. Request id: 021763", **more: object) -> dict[str, Any]:
    """A complaint of Seedream."""
    return {"error": {"code": code, "message": message, "param": "", "type": "BadRequest", **more}}


UNREADABLE = [
    fails("a page", AnswerUnreadable, "HTML page", Said(PAGE, 200, {"content-type": "text/html"})),
    fails("a page called JSON", AnswerUnreadable, "HTML page", said(b"\n" + PAGE, content_type="application/json")),
    fails("nothing", AnswerUnreadable, "empty", said(b"")),
    fails("204", AnswerUnreadable, "empty", raw(b"", first="HTTP/1.1 204 No Content"), unread=(b"",)),
    fails("blanks", AnswerUnreadable, "empty", stream(b"\n", b" \n", b"\n", kind="application/json")),
    fails("a text", AnswerUnreadable, "no JSON", said(b"OK")),
    fails("JSON that is cut", AnswerUnreadable, "cut", said(HALF)),
    fails("JSON that is cut in its first word", AnswerUnreadable, "cut", said(WHOLE[:5])),
    fails("too short a length", AnswerUnreadable, "cut", raw(WHOLE, "Content-Length: 70"), unread=(WHOLE[:70],)),
    fails("gzip that is cut", AnswerUnreadable, "cut", said(gzip.compress(WHOLE)[:120], content_encoding="gzip"),
          unread=(zlib.decompressobj(31).decompress(gzip.compress(WHOLE)[:120]),)),
    fails("packed in another way", AnswerUnreadable, "no JSON", said(b"\x1b\x2c\x01\xf8\xff", content_encoding="br")),
    fails("a text with the key", AnswerUnreadable, "no JSON", said(b"Bearer %s" % KEY.encode() + b"." * 2**17),
          unread=(b"Bearer ***" + b"." * 2**17,)),
    fails("a ZIP file", AnswerUnreadable, "ZIP", said(b"PK\x03\x04" + bytes(30))),
    fails("a picture that is cut", AnswerUnreadable, "cut", Said(RED[:50], 200, {"content-type": "image/png"})),
    fails("null", AnswerUnreadable, "not an object", said(b"null")),
    fails("a number", AnswerUnreadable, "not an object", said(b"200")),
    fails("no base64", AnswerUnreadable, "base64", {"data": [{"b64_json": "!!!"}]}),
    fails("base64 that is cut", AnswerUnreadable, "base64", {"data": [{"b64_json": b64(RED)[:-5]}]}),
    fails("an unknown format", AnswerUnreadable, "format", body(b"\0\0\0\x18ftypheic" + bytes(40))),
    fails("base64 of a page", AnswerUnreadable, "format", body(PAGE)),
    fails("JSON that is cut in the second", AnswerUnreadable, "cut", said(answer(RED, BLUE)[:-40]), pictures=(RED,),
          given={"n": 2}),
    fails("one of two", AnswerUnreadable, "base64", {"data": [item(RED), {"b64_json": "!!!"}]}, pictures=(RED,),
          given={"n": 2}),
]  # fmt: skip

PICTURELESS = [
    fails("an empty list", NoPicture, "moderation", {"created": 1, "data": []}),
    fails("data null", NoPicture, "no picture", {"created": 1, "data": None}),
    fails("an empty object", NoPicture, "no picture", {}),
    fails("nulls", NoPicture, "no picture", {"data": [{"b64_json": None, "url": None, "revised_prompt": None}]}),
    fails("empty texts", NoPicture, "no picture", {"data": [{"b64_json": "", "url": ""}]}),
    fails("an item without anything", NoPicture, "no picture", {"data": [{}]}),
    fails("a text", NoPicture, "Hello there", chat("\n\nHello there, how may I assist you today?") | {"usage": USAGE},
          row={"usage": USAGE}),
    fails("a refusal in words", NoPicture, "I cannot draw that", chat(None, refusal="I cannot draw that.")),
    fails("a chat of nothing", NoPicture, "no picture", chat(None)),
    fails("a chat without choices", NoPicture, "no picture", {"object": "chat.completion", "choices": []}),
    fails("a message", NoPicture, "come back later", {"message": "come back later"}),
    fails("an empty error", NoPicture, "no picture", {"error": {}, "data": []}),
]  # fmt: skip

INSIDE_200 = [
    fails("a refusal", Refused, "sexual", {"error": BLOCKED}, charge="free"),
    fails("a refusal behind blank lines", Refused, "sexual", charge="free",
          answer=said(b"\n" * 99 + json.dumps({"error": BLOCKED}).encode())),
    fails("an object", Rejected, "no such thing", {"error": {"message": "no such thing", "code": "x"}}),
    fails("a text", Rejected, "no such thing", {"error": "no such thing"}),
    fails("a text and a message", Rejected, "no such thing", {"error": "Bad", "message": "no such thing"}),
    fails("detail", Rejected, "Not Found", {"detail": "Not Found"}),
    fails("detail of a field", SizeRejected, "size.*no size",
          {"detail": [{"loc": ["body", "size"], "msg": "no size", "type": "value_error"}]}),
    fails("success false", Rejected, "no such thing", {"success": False, "message": "no such thing"}),
    fails("a code and a message", KeyRejected, "who are you", {"code": 401, "msg": "who are you"}),
    fails("base_resp", Rejected, "invalid params", {"base_resp": {"status_code": 2, "status_msg": "invalid params"}}),
    fails("base_resp without credit", OutOfCredit, "insufficient balance",
          {"data": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}),
    fails("beside an empty list", Rejected, "no such thing", {"data": [], "error": {"message": "no such thing"}}),
    fails("a failure of the server", ServerFailed, "oops", {"error": {"message": "oops", "type": "server_error"}}),
    fails("a failure by its number", ServerFailed, "oops", {"code": 500, "msg": "oops", "data": None}),
    fails("out of time", GatewayTimedOut, "timed out", {"error": {"message": "upstream timed out"}}),
    fails("in a chat", Refused, "sexual", chat(None) | {"error": BLOCKED}, charge="free"),
    fails("a key", KeyRejected, "Incorrect", {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}}),
]  # fmt: skip

PARTLY = [
    fails("one refused", Refused, "sensitive", {"data": [item(RED), {"error": SENSITIVE}, item(BLUE)]},
          pictures=(RED, BLUE), places=(0, 2), given={"n": 3}, charge="likely"),
    fails("the first refused", Refused, "sensitive", {"data": [{"error": SENSITIVE}, item(RED)]}, pictures=(RED,),
          places=(1,), given={"n": 2}, charge="likely"),
    fails("one that failed", ServerFailed, "internal", {"data": [item(RED), {"error": INTERNAL}]}, pictures=(RED,),
          given={"n": 2}),
    fails("one without credit", OutOfCredit, "quota", pictures=(RED,), given={"n": 2},
          answer={"data": [item(RED), {"error": {"code": "QuotaExceeded", "message": "no quota"}}]}),
    fails("all refused", Refused, "sensitive", {"data": [{"error": SENSITIVE}] * 2}, given={"n": 2}, charge="likely"),
    fails("all failed", ServerFailed, "internal", {"data": [{"error": INTERNAL}] * 2}, given={"n": 2}),
    fails("an error beside them", ServerFailed, "internal", {"data": [item(RED)], "error": INTERNAL}, pictures=(RED,),
          given={"n": 2}),
    fails("of a stream", Refused, "sensitive", pictures=(RED,), places=(1,), given={"n": 2}, charge="likely",
          answer=stream(event("image_generation.partial_failed", image_index=0, error=SENSITIVE), succeeded(RED, 1),
                        over(), DONE)),
    fails("all of a stream", Refused, "sensitive", charge="likely", answer=
          stream(event("image_generation.partial_failed", image_index=0, error=SENSITIVE), over(), DONE)),
]  # fmt: skip

TASK = {"code": 200, "data": [{"status": "submitted", "task_id": "t_1"}]}
AT_TASK = "/v1/tasks/t_1"


def ended(status: str, **more: object) -> Said:
    """What became of the task."""
    return said({"code": 200, "data": {"task_id": "t_1", "status": status, **more}})


NOT_MADE = r"(?s)^(?!.*picture was made).*t_1"
TASKS = [
    fails("refused", Refused, "sexual", TASK, polls={AT_TASK: ended("failed", error=BLOCKED)}, charge="free"),
    fails("failed", NoPicture, "t_1 is failed.*too busy", TASK, unread=(ended("failed", fail_reason="too busy").body,),
          polls={AT_TASK: ended("failed", fail_reason="too busy")}),
    fails("failed with an error", Rejected, "oh no", {"id": "g1", "object": "generation.task", "status": "queued"},
          polls={"/v1/images/generations/g1": said({"id": "g1", "object": "generation.task", "status": "failed",
                                                    "error": "oh no"})}),
    fails("done with nothing", NoPicture, "t_1 is completed", TASK, polls={AT_TASK: ended("completed", result={})},
          unread=(ended("completed", result={}).body,)),
    fails("of another shape", TaskUnfinished, "t_9", {"task_id": "t_9"}),
    fails("of another shape, queued", TaskUnfinished, "t_9", {"id": "t_9", "status": "queued", "eta": 30}),
    fails("forgotten", TaskUnfinished, "t_1", TASK, polls={AT_TASK: said({"detail": "Not Found"}, 404)}),
    fails("that may not be asked after", TaskUnfinished, "t_1", TASK, polls={AT_TASK: said(complaint("key"), 401)}),
    fails("at a server that fails", TaskUnfinished, NOT_MADE, TASK, waits=(0.5, 1.0, 2.0),
          polls={AT_TASK: (Said(b"", 500),) * 4}),
    fails("at a server that vanishes", TaskUnfinished, NOT_MADE, TASK, waits=(0.5, 1.0, 2.0),
          polls={AT_TASK: (Cut(),) * 4}),
    fails("behind a redirect", TaskUnfinished, r"(?s)^(?!.*paid request).*t_1", TASK,
          polls={AT_TASK: said(b"", 302, location="/login")}),
    fails("asked after too often", TaskUnfinished, "(?s)t_1.*slow down|slow down.*t_1", TASK,
          polls={AT_TASK: said(complaint("slow down", code="rate_limit_exceeded"))}),
    fails("behind a page", TaskUnfinished, "t_1", TASK, polls={AT_TASK: said(PAGE)}),
    fails("that is cut", TaskUnfinished, "t_1", TASK, polls={AT_TASK: said(b'{"code": 200, "data": {"task_')}),
    fails("that holds nothing", TaskUnfinished, "t_1", TASK, polls={AT_TASK: said({})}),
    fails("whose picture is gone", DownloadFailed, "404", TASK, files={"/a.png": Said(b"", 404)},
          polls={AT_TASK: ended("completed", output={"image_urls": [A]})},
          unread=(ended("completed", output={"image_urls": [A]}).body,)),
]  # fmt: skip

FAULT = b"event: error\ndata: %s\n\n"
STREAMS = [
    fails("nothing", AnswerUnreadable, "empty", stream()),
    fails("cut before anything", ConnectionCut, "ended before", stream(end="cut"), unread=()),
    fails("silence", DeadlinePassed, "within 100 s", stream(end="hang"), given={"timeout": DEADLINE_S}, unread=()),
    fails("comments", ConnectionCut, "ended before", stream(b": ping\n\n")),
    fails("previews", ConnectionCut, "ended before", stream(preview(), preview(BLUE, 1))),
    fails("previews and a cut", ConnectionCut, "ended before", stream(preview(), end="cut")),
    fails("half a picture", ConnectionCut, "ended before", stream(preview(), completed(RED)[:-40])),
    fails("half a picture and a cut", ConnectionCut, "ended before", stream(completed(RED)[:-40], end="cut")),
    fails("half of the second and a cut", ConnectionCut, "ended before", pictures=(RED,), given={"n": 2},
          answer=stream(completed(RED), completed(BLUE)[:-40], end="cut")),
    fails("half of the second", ConnectionCut, "ended before", stream(completed(RED), completed(BLUE)[:-40]),
          pictures=(RED,), given={"n": 2}),
    fails("previews of the second", ConnectionCut, "ended before", stream(completed(RED), preview(BLUE)),
          pictures=(RED,), given={"n": 2}),
    fails("cut between two", ConnectionCut, "ended before", stream(completed(RED), end="cut"), pictures=(RED,),
          given={"n": 2}),
    fails("the end alone", NoPicture, "no picture", stream(preview(), over())),
    fails("[DONE] alone", NoPicture, "no picture", stream(DONE)),
    fails("a chat of words", NoPicture, "Hello there",
          stream(b'data: {"object": "chat.completion.chunk", "choices": [{"delta": {"content": "Hello there"}}]}\n\n')),
    fails("openai's error", Refused, "sexual", charge="free",
          answer=stream(preview(), event("error", error=BLOCKED, code=None))),
    fails("seedream's error", Refused, "sensitive", charge="likely",
          answer=stream(b"data: %s\n\n" % json.dumps({"error": SENSITIVE}).encode(), DONE)),
    fails("a flat error", Rejected, "no such thing", stream(event("error", message="no such thing"))),
    fails("a flat error and code", ServerFailed, "oops", stream(event("error", code="server_error", message="oops"))),
    fails("a short error", Rejected, "no such thing", stream(FAULT % b'{"message": "no such thing"}')),
    fails("an error in words", Rejected, "no such thing", stream(FAULT % b"no such thing")),
    fails("an error of the name only", Rejected, "error", stream(b"event: error\ndata: {}\n\n")),
    fails("a failure", ServerFailed, "internal", stream(preview(), event("image_generation.failed", error=INTERNAL))),
    fails("minimax's error", ServerFailed, "busy",
          stream(event("error", error={"code": "1000", "message": "busy", "http_code": "500"}))),
    fails("an error after one of two", ServerFailed, "internal", stream(completed(RED), event("error", error=INTERNAL)),
          pictures=(RED,), given={"n": 2}),
    fails("a refusal after one of two", Refused, "sensitive", stream(completed(RED), event("error", error=SENSITIVE)),
          pictures=(RED,), given={"n": 2}, charge="likely", unread=(completed(RED) + event("error", error=SENSITIVE),)),
    fails("an error, and the connection stays open", Refused, "sexual", charge="free",
          answer=stream(preview(), event("error", error=BLOCKED), end="hang")),
    fails("400 as JSON", ValueRejected, "not valid", given={"stream": True},
          answer=said(ark("InvalidParameter", "prompt is not valid", param="prompt"), 400)),
]  # fmt: skip

TOO_SMALL = "The parameter `size` specified in the request is not valid: image size must be at least 3686400 pixels."
REFUSALS = [
    fails("openai", Refused, "sexual; at the input", said({"error": BLOCKED}, 400), charge="free"),
    fails("openai at the output", Refused, "withheld", charge="likely", answer=
          said({"error": BLOCKED | {"moderation_details": {"moderation_stage": "output"}}}, 400)),
    fails("dall-e", Refused, "our safety system",
          said(complaint("rejected by our safety system", code="content_policy_violation"), 400)),
    fails("seedream's text", Refused, "sensitive", charge="free",
          answer=said(ark("InputTextSensitiveContentDetected", "the text may be sensitive"), 400)),
    fails("seedream's picture in", Refused, "privacy information", charge="free",
          answer=said(ark("InputImageSensitiveContentDetected.PrivacyInformation"), 400)),
    fails("seedream's picture out", Refused, "withheld", said(ark("OutputImageSensitiveContentDetected"), 400),
          charge="likely"),
    fails("azure", Refused, "violence", said({"error": AZURE}, 400)),
    fails("500 with a code", Refused, "safety", said({"error": BLOCKED}, 500), charge="free"),
]  # fmt: skip

REJECTIONS = [
    fails("400", Rejected, "HTTP 400: no", said(complaint("no"), 400)),
    fails("400 parameter", UnknownParameter, "--omit response_format", said(
        complaint("Unknown parameter: 'response_format'.", code="unknown_parameter", param="response_format"), 400)),
    fails("400 of xai", UnknownParameter, "size", said({"code": "400", "error": "Argument not supported: size"}, 400)),
    fails("400 size", SizeRejected, "--size|--omit size", said(
        complaint("Invalid value: '7x7'.", code="invalid_value", param="size"), 400)),
    fails("400 Ark's size", SizeRejected, "1920x1920", said(ark("InvalidParameter", TOO_SMALL, param="size"), 400)),
    fails("400 quality", ValueRejected, "takes low, medium or high for quality", said(complaint(
        "Invalid value: 'hd'. Supported values are: 'low', 'medium', and 'high'.", code="invalid_value",
        param="quality"), 400)),
    fails("400 credit", OutOfCredit, "limit", said(complaint("no more", code="billing_hard_limit_reached"), 400)),
    fails("400 page", Rejected, "HTML page", said(PAGE, 400)),
    fails("400 empty", Rejected, "empty", said(b"", 400)),
    fails("401", KeyRejected, "It was IMAGEGEN_API_KEY", said(
        complaint("Incorrect API key", code="invalid_api_key"), 401)),
    fails("401 of seedream", KeyRejected, "HTTP 401", said(ark("AuthenticationError", type="Unauthorized"), 401)),
    fails("401 of a gateway", KeyRejected, "token", said({"code": 401, "msg": "no token"}, 401)),
    fails("401 that echoes the key", KeyRejected, r"\*\*\*", said(complaint(f"no such key: {KEY}"), 401)),
    fails("402", OutOfCredit, "credit", said(complaint("balance exhausted"), 402)),
    fails("403", AccessDenied, "HTTP 403", said(complaint("no"), 403)),
    fails("403 unverified", Unverified, "Verify the organisation", said(
        complaint("Your organization must be verified to use the model `any`. It may take up to 15 minutes."), 403)),
    fails("403 overdue", OutOfCredit, "credit", said(ark("AccountOverdueError"), 403)),
    fails("403 page", AccessDenied, "proxy or a firewall", said(PAGE, 403)),
    fails("404 model", ModelNotFound, "any", said(
        complaint("The model `any` does not exist or you do not have access to it.", code="model_not_found"), 404)),
    fails("404 of seedream", ModelNotFound, "name", said(ark("InvalidEndpointOrModel.NotFound"), 404)),
    fails("404 page", Rejected, "base URL", said(PAGE, 404)),
    fails("404 detail", Rejected, "base URL", said({"detail": "Not Found"}, 404)),
    fails("405", Rejected, "base URL", said({"detail": "Method Not Allowed"}, 405)),
    fails("413", TooLarge, "smaller", said(b"<html><title>413 Request Entity Too Large</title></html>", 413)),
    fails("415", Rejected, "content type", said(complaint("Unsupported content type"), 415)),
    fails("422", SizeRejected, "size: Input should be", said(
        {"detail": [{"loc": ["body", "size"], "msg": "Input should be a text", "type": "string_type"}]}, 422)),
    fails("451", Rejected, "HTTP 451", said(b"", 451)),
    fails("429 quota", OutOfCredit, "short wait does not help", said(
        complaint("You exceeded your current quota", code="insufficient_quota"), 429)),
    fails("429 quota of seedream", OutOfCredit, "credit", said(ark("QuotaExceeded"), 429)),
    fails("429 for too long", RateLimited, "in 300 s", said(complaint("slow down"), 429, retry_after="300")),
    fails("429 beyond the deadline", RateLimited, "in 30 s", said(complaint("slow down"), 429, retry_after="30"),
          given={"timeout": 10}),
    fails("429 that forbids it", RateLimited, "HTTP 429", said(complaint("slow down"), 429, x_should_retry="false")),
    fails("429 that stays", RateLimited, "HTTP 429", (said(complaint("slow down"), 429),) * 4, waits=(1.0, 2.0, 4.0)),
    fails("429, then a refusal", Refused, "sexual", (said(b"", 429), said({"error": BLOCKED}, 400)), waits=(1.0,),
          charge="free"),
    *(fails(str(status), Redirected, r"elsewhere\.invalid/login,",
            said(b"", status, location="https://elsewhere.invalid/login?x=1")) for status in (301, 302, 303, 307, 308)),
    fails("304", Redirected, "HTTP 304(?!.*points to)", said(b"", 304)),
]  # fmt: skip

FAILURES = [
    fails("408", ServerFailed, "HTTP 408", said(b"", 408)),
    fails("409", ServerFailed, "HTTP 409", said(complaint("conflict"), 409)),
    fails("500", ServerFailed, "oops", said(complaint("oops"), 500)),
    fails("500 with a time", ServerFailed, "oops", said(complaint("oops"), 500, retry_after="1")),
    fails("500 that asks for it", ServerFailed, "oops", said(complaint("oops"), 500, x_should_retry="true")),
    fails("500 of words on safety", ServerFailed, "safety", said(complaint("rejected by the safety system"), 500)),
    fails("502 page", ServerFailed, "502 Bad Gateway", said(b"<html><title>502 Bad Gateway</title></html>", 502)),
    fails("502 no image", ServerFailed, "refusal by moderation", said(complaint("upstream did not return image"), 502)),
    fails("503", ServerFailed, "HTTP 503", said(b"", 503)),
    fails("503 for too long", ServerFailed, "in 300 s", said(b"", 503, retry_after="300")),
    fails("503 that stays", ServerFailed, "HTTP 503", (said(b"", 503, retry_after="2"),) * 2, waits=(2.0,)),
    fails("503, then nobody", ConnectionCut, "ended before", (said(b"", 503, retry_after="2"), Cut()), waits=(2.0,),
          request_id=""),
    fails("504", GatewayTimedOut, "60 to 120 s", said(b"", 504)),
    fails("520", ServerFailed, "HTTP 520", said(PAGE, 520)),
    fails("524", GatewayTimedOut, "60 to 120 s", said(b"<html><title>524: A timeout occurred</title></html>", 524)),
    fails("529", ServerFailed, "HTTP 529", said(b"", 529)),
    fails("999", ServerFailed, "HTTP 999", raw(b"", first="HTTP/1.1 999 Denied")),
]  # fmt: skip

CUTS = [
    fails("no answer and a reset", ConnectionCut, "ended before", Cut(), request_id=""),
    fails("no answer", ConnectionCut, "ended before", Raw(()), request_id=""),
    fails("half a head", ConnectionCut, "ended before", Raw((b"HTTP/1.1 200 OK\r\nConte",)), request_id=""),
    fails("early hints and no more", ConnectionCut, "ended before", Raw((b"HTTP/1.1 103 Early Hints\r\n\r\n",)),
          request_id=""),
    fails("another protocol", ConnectionCut, "ended before", raw(b"", first="HTTP/1.1 101 Switching Protocols"),
          request_id=""),
    fails("a head without end", ConnectionCut, "ended before", Raw((b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 40_000,)),
          request_id=""),
    fails("two lengths", ConnectionCut, "ended before", raw(WHOLE, "Content-Length: 5", "Content-Length: 6"),
          request_id=""),
    fails("no HTTP", ConnectionCut, "ended before", Raw((b"SSH-2.0-OpenSSH_9.2\r\n",)), request_id=""),
    fails("a length that is none", ConnectionCut, "ended before", raw(WHOLE, "Content-Length: many"), request_id=""),
    fails("JSON and a cut", ConnectionCut, "ended before", stream(HALF, end="cut", kind="application/json")),
    fails("JSON and a cut in the second", ConnectionCut, "ended before", pictures=(RED,), given={"n": 2},
          answer=stream(answer(RED, BLUE)[:-40], end="cut", kind="application/json")),
    fails("less than its length", ConnectionCut, "ended before", said(HALF, content_length="9999")),
    fails("a head and no more", ConnectionCut, "ended before", said(b"", content_length="9999"), unread=()),
    fails("silence", DeadlinePassed, "within 100 s", Hang(), given={"timeout": DEADLINE_S}, request_id=""),
    fails("silence after previews", DeadlinePassed, "within 100 s", stream(preview(), end="hang"),
          given={"timeout": DEADLINE_S}),
    fails("silence after one of two", DeadlinePassed, "within 100 s", stream(completed(RED), end="hang"),
          pictures=(RED,), given={"timeout": DEADLINE_S, "n": 2}),
]  # fmt: skip

AT_A = {"data": [{"url": A}]}
DOWNLOADS = [
    fails("404", DownloadFailed, "HTTP 404", AT_A, files={"/a.png": Said(b"", 404)}),
    fails("403", DownloadFailed, "HTTP 403", AT_A, files={"/a.png": Said(b"<Error>expired</Error>", 403)}),
    fails("500", DownloadFailed, "HTTP 500", AT_A, files={"/a.png": (Said(b"", 500),) * 4}, waits=(0.5, 1.0, 2.0)),
    fails("a cut", DownloadFailed, "fetched", AT_A, files={"/a.png": (Cut(),) * 4}, waits=(0.5, 1.0, 2.0)),
    fails("a redirect for ever", DownloadFailed, "5 redirects", AT_A,
          files={"/a.png": (Said(b"", 302, {"location": "/a.png"}),) * 6}),
    fails("a redirect to nowhere", DownloadFailed, "HTTP 302", AT_A, files={"/a.png": Said(b"", 302)}),
    fails("a redirect inside", DownloadFailed, "private network", AT_A,
          files={"/a.png": Said(b"", 302, {"location": "http://169.254.169.254/latest/meta-data/"})}),
    fails("a redirect to a file", DownloadFailed, "not an http", AT_A,
          files={"/a.png": Said(b"", 302, {"location": "file:///etc/passwd"})}),
    *(fails(f"at {url}", DownloadFailed, "private network", {"data": [{"url": url}]}) for url in (
        "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/a.png", "http://192.168.1.1:8080/a.png",
        "http://[::1]/a.png", "http://[::ffff:10.0.0.1]/a.png", "http://0.0.0.0/a.png", "http://100.64.0.1/a.png",
        "http://2852039166/", "https://[fd00::1]/a.png", "http://172.16.0.9/a.png")),
    *(fails(f"at {url}", DownloadFailed, "not an http", {"data": [{"url": url}]}) for url in (
        "file:///etc/passwd", "ftp://h/a.png", "javascript:alert(1)", "blob:https://h/1")),
    fails("at no host", DownloadFailed, "fetched from nowhere", {"data": [{"url": "http://nowhere.invalid/a.png"}]},
          waits=(0.5, 1.0, 2.0)),
    fails("at a port without TLS", DownloadFailed, "fetched", {"data": [{"url": f"https:{HOST}/a.png"}]},
          waits=(0.5, 1.0, 2.0)),
    fails("too large", DownloadFailed, "more than 1 MiB", AT_A, files={"/a.png": Said(RED + bytes(2**20))}),
    fails("a page", AnswerUnreadable, "format", AT_A, files={"/a.png": Said(PAGE)}),
    fails("nothing", AnswerUnreadable, "format", AT_A, files={"/a.png": Said(b"")}),
    fails("one of two", DownloadFailed, "HTTP 404", {"data": [{"url": A}, {"url": B}]}, pictures=(BLUE,), places=(1,),
          files={"/a.png": Said(b"", 404), "/b.png": Said(BLUE)}, given={"n": 2}),
    fails("one of two inside", DownloadFailed, "private network", {"data": [item(RED), {"url": "http://10.0.0.1/"}]},
          pictures=(RED,), given={"n": 2}),
    fails("of a stream", DownloadFailed, "HTTP 404", stream(event("image_generation.completed", url=A), DONE),
          files={"/a.png": Said(b"", 404)}),
    fails("of a chat", DownloadFailed, "HTTP 404", chat(f"![otter]({A})"), files={"/a.png": Said(b"", 404)}),
]  # fmt: skip

BOMB = gzip.compress(bytes(2**24))
SIZES = [
    fails("a bomb", AnswerUnreadable, "no JSON", said(BOMB, content_encoding="gzip")),
    fails("a bomb that nobody told of", AnswerUnreadable, "no JSON", said(BOMB)),
    fails("a bomb in a bomb", AnswerUnreadable, "no JSON", said(gzip.compress(BOMB), content_encoding="gzip, gzip"),
          unread=(BOMB,)),
    fails("a bomb for a picture", AnswerUnreadable, "format", AT_A,
          files={"/a.png": said(BOMB, content_encoding="gzip")}),
]  # fmt: skip

TABLES = {
    "unreadable": UNREADABLE, "no picture": PICTURELESS, "in 200": INSIDE_200, "partly": PARTLY, "task": TASKS,
    "stream": STREAMS, "refused": REFUSALS, "rejected": REJECTIONS, "failed": FAILURES, "cut": CUTS,
    "download": DOWNLOADS, "size": SIZES,
}  # fmt: skip
WAYS = [pytest.param(way, id=f"{table}: {way.name}") for table, ways in TABLES.items() for way in ways]


class Slammer:
    """A port that resets each connection as soon as its first byte has come."""

    def __init__(self) -> None:
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._slam, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no longer."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _slam(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.connections += 1
                connection.recv(1, socket.MSG_PEEK)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Wire]:
    """A gateway, and caps that are soon reached."""
    monkeypatch.setattr(client, "LARGEST_ANSWER", 2**20)
    monkeypatch.setattr(client, "LARGEST_PICTURE", 2**20)
    server = laid(monkeypatch, tmp_path / "imagegen")
    yield server
    server.close()


@pytest.fixture
def slammer() -> Iterator[Slammer]:
    """A port that resets what comes."""
    server = Slammer()
    yield server
    server.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_call_fails_in_the_way_that_is_documented(way: Way, wire: Wire) -> None:
    """Its class, status and words, its one POST, what it says of money, and what is kept of what was paid for."""
    seen = take(way, wire)

    assert seen.facts == expected(way, wire)
    assert re.search(way.phrase, seen.said)
    assert tuple((name, seen.row[name]) for name, _ in way.row) == way.row


UNHEARD = fails("nothing was sent", NotSent, "No connection", (), waits=(0.5, 1.0), request_id="")


@pytest.mark.parametrize("url", ["http://127.0.0.1:{free}", "https://127.0.0.1:{wire}", "http://nowhere.invalid"])
def test_what_was_never_sent_is_tried_three_times(url: str, wire: Wire) -> None:
    """Nobody listens, nobody speaks TLS, nobody has the name: nothing was charged."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    seen = observe(wire, url.format(free=free, wire=wire.origin.rpartition(":")[2]))

    assert seen.facts == expected(UNHEARD, wire)
    assert re.search(UNHEARD.phrase, seen.said)


@pytest.mark.parametrize(
    ("scheme", "way", "connections"),
    [
        ("https", UNHEARD, 3),
        ("http", fails("a reset", ConnectionCut, "ended before", (), request_id=""), 1),
    ],
)
def test_a_reset_is_unknown_only_once_the_request_has_begun_to_leave(
    scheme: str, way: Way, connections: int, wire: Wire, slammer: Slammer
) -> None:
    """In the handshake of TLS nothing of it has left; without TLS its first byte has."""
    seen = observe(wire, f"{scheme}://127.0.0.1:{slammer.port}")

    assert (seen.facts, slammer.connections) == (expected(way, wire), connections)
    assert re.search(way.phrase, seen.said)


@pytest.mark.parametrize(
    ("endless", "error"),
    [(Drip(), DeadlinePassed), (Said(b" " * 2**21), ConnectionCut)],
    ids=["a byte now and then", "more than the most"],
)
def test_of_an_answer_without_end_is_kept_what_had_come(endless: Answer, error: type[CallError], wire: Wire) -> None:
    """As much of it as had come until the deadline, or until the cap."""
    is_slow = isinstance(endless, Drip)
    given, request_id = ({"timeout": DEADLINE_S}, "") if is_slow else ({}, REQUEST_ID)
    way = fails("without end", error, "", endless, given=given, request_id=request_id)
    seen = take(way, wire)

    (kept,) = seen.facts.unread
    assert seen.facts == replace(expected(way, wire), unread=(kept,))
    assert kept.strip() == b""
    assert kept


def test_a_task_that_does_not_end_is_named(wire: Wire) -> None:
    """It is asked after until the deadline; then the error says where to ask, and the order is kept."""
    at_work = ended("processing", progress=40)

    def told(asked: Asked) -> Answer:
        if asked.method == "POST":
            return way.posts[0]
        if len(wire.asked) == 5:
            wire.stalled()
        return at_work

    way = fails("for ever", TaskUnfinished, f"t_1.*GET http.*{AT_TASK}", TASK)
    wire.rule = told
    seen = observe(wire, wire.url, timeout=DEADLINE_S)

    assert seen.facts.gets > 1
    assert seen.facts.rows == ("unknown",)
    assert re.search(way.phrase, seen.said, re.DOTALL)
