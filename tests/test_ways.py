"""Every way in which a picture is known to come, through the public door: its exact bytes are kept, for one POST.

The ways are those of the documents of OpenAI, Seedream, xAI, Together, MiniMax, Azure, LiteLLM, vLLM-Omni, SGLang,
LocalAI and stable-diffusion.cpp, of the gateways before them, and of what lies between: proxies, caches, relays.
"""

from __future__ import annotations

import gzip
import json
import re
import struct
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.clock import DEADLINE_S
from support.gateway import Cut, Parts, Said
from support.pictures import answer, complaint, picture
from support.ways import (
    BLUE,
    DONE,
    HOST,
    ODD,
    OTHER,
    RED,
    Raw,
    Way,
    Wire,
    b64,
    body,
    brings,
    chat,
    completed,
    embedded,
    event,
    expected,
    item,
    laid,
    over,
    preview,
    raw,
    said,
    stream,
    succeeded,
    take,
)

import jupyter_imagegen as ig
from jupyter_imagegen import client, errors

FILE, FILES = {"/a.png": Said(RED)}, {"/a.png": Said(RED), "/b.png": Said(BLUE)}
A, B = f"http:{HOST}/a.png", f"http:{HOST}/b.png"
JPEG, WEBP, GIF, BMP, TIFF = (picture("red", (8, 6), name) for name in ("JPEG", "WEBP", "GIF", "BMP", "TIFF"))
AVIF = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(range(256))
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="6"><script>alert(1)</script></svg>'
BOMB = RED[:16] + struct.pack(">II", 100_000, 100_000) + RED[24:]
WHOLE, LARGE = answer(RED), RED + bytes(range(256)) * 600
OPENAI_USAGE = {
    "input_tokens": 13,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 13},
    "output_tokens": 1056,
    "output_tokens_details": {"image_tokens": 1056, "text_tokens": 0},
    "total_tokens": 1069,
}
SOON_S = 0.05
LITTLE = {"prompt_tokens": 9, "total_tokens": 21}
ARK_USAGE = {"generated_images": 2, "output_tokens": 32768, "total_tokens": 32768}
NULLS = {"b64_json": None, "url": None, "revised_prompt": None}

BASE64 = [
    brings("b64_json", body(RED), RED),
    brings("two", body(RED, BLUE), RED, BLUE, given={"n": 2}),
    brings("a data: prefix", {"data": [{"b64_json": embedded(ODD)}]}, ODD),
    brings("the url-safe alphabet", {"data": [{"b64_json": b64(ODD).replace("+", "-").replace("/", "_")}]}, ODD),
    brings("line breaks", {"data": [{"b64_json": "\r\n".join(re.findall(".{1,76}", b64(ODD)))}]}, ODD),
    brings("no padding", {"data": [{"b64_json": b64(ODD).rstrip("=")}]}, ODD),
    brings("blanks around", {"data": [{"b64_json": f" {b64(ODD)}\n"}]}, ODD),
    brings("what follows the picture", body(RED + b"trailing <script>"), RED + b"trailing <script>"),
    brings("url null", {"data": [{**NULLS, **item(RED)}]}, RED),
    brings("url empty", {"data": [item(RED, url="")]}, RED),
    brings("both", {"data": [item(RED, url=A)]}, RED),
    brings("no created", {"data": [item(RED)]}, RED),
    brings("created null", {"created": None, "data": [item(RED)], "usage": None, "error": None}, RED),
    brings("created a text", {"created": "2026-11-20", "id": 7, "data": [item(RED)]}, RED),
    brings("data an object", {"data": item(RED)}, RED),
    brings("data an object with images", {"data": {"images": [item(RED), item(BLUE)]}}, RED, BLUE, given={"n": 2}),
    brings("a bare list", [item(RED)], RED),
    brings("images of texts", {"images": [b64(RED), b64(BLUE)]}, RED, BLUE, given={"n": 2}),
    brings("output", {"output": [{"type": "image_generation_call", "result": b64(RED)}]}, RED),
    brings("result", {"result": {"data": [item(RED)]}}, RED),
    brings("image_base64", {"data": {"image_base64": [b64(RED), b64(BLUE)]}}, RED, BLUE, given={"n": 2}),
    brings("together", {"id": "o", "object": "list", "data": [{"index": 0, "type": "b64_json", **item(RED)}]}, RED),
    brings("xai", {"data": [item(JPEG, mime_type="image/jpeg", revised_prompt="")]}, JPEG),
    brings("vllm-omni", {"created": 1, "data": [{**NULLS, **item(RED)}], "cot_output": None, "metrics": {}}, RED),
    brings("sd.cpp", {"created": 1, "output_format": "png", "data": [item(RED)]}, RED),
    brings("azure", {"created": 1, "data": [item(RED, content_filter_results={"hate": {"filtered": False}})]}, RED),
    brings("an error beside all of them", body(RED, error={"message": "late"}), RED),
    brings("an error of nulls", body(RED, error={"code": None, "message": None}), RED),
]

ADDRESSES = [
    brings("url", {"data": [{"url": A}]}, RED, files=FILE),
    brings("url with a query", {"data": [{"url": f"{A}?sig=x%2Fy&e"}]}, RED, files={"/a.png?sig=x%2Fy&e": Said(RED)}),
    brings("two urls", {"data": [{"url": A}, {"url": B}]}, RED, BLUE, files=FILES, given={"n": 2}),
    brings("below the host", {"data": [{"url": "/a.png"}]}, RED, files=FILE),
    brings("below the base", {"data": [{"url": "files/a.png"}]}, RED, files={"/v1/files/a.png": Said(RED)}),
    brings("sglang", {"data": [{"url": "/v1/images/x/content", "b64_json": None, "file_path": "/x.png"}]}, RED,
           files={"/v1/images/x/content": Said(RED)}),
    brings("no scheme", {"data": [{"url": f"{HOST}/a.png"}]}, RED, files=FILE),
    brings("another name", {"data": [{"url": f"http:{OTHER}/a.png"}]}, RED, files=FILE),
    brings("a data: URI", {"data": [{"url": embedded(ODD)}]}, ODD),
    brings("a data: URI of text", {"data": [{"url": f"data:image/svg+xml;utf8,{SVG.decode()}"}]}, SVG),
    brings("letters and a blank", {"data": [{"url": f"{A}?é b"}]}, RED, files={"/a.png?%C3%A9%20b": Said(RED)}),
    brings("a fragment", {"data": [{"url": f"{A}#1"}]}, RED, files=FILE),
    brings("base64 in url", {"data": [{"url": b64(RED)}]}, RED),
    brings("an address in b64_json", {"data": [{"b64_json": A}]}, RED, files=FILE),
    brings("an array", {"data": [{"url": [A, B]}]}, RED, BLUE, files=FILES, given={"n": 2}),
    brings("b64_json null", {"data": [{**NULLS, "url": A}]}, RED, files=FILE),
    brings("b64_json empty", {"data": [{"b64_json": "", "url": A}]}, RED, files=FILE),
    brings("one of each", {"data": [{"url": A}, item(BLUE)]}, RED, BLUE, files=FILE, given={"n": 2}),
    brings("images of objects", {"images": [{"url": A}, {"image_url": {"url": B}}]}, RED, BLUE, files=FILES,
           given={"n": 2}),
    brings("output of texts", {"status": "succeeded", "output": [A]}, RED, files=FILE),
    brings("output an object", {"output": {"image_urls": [A]}}, RED, files=FILE),
    brings("result", {"result": {"images": [{"url": [A]}]}}, RED, files=FILE),
    brings("minimax", {"data": {"image_urls": [A]}, "metadata": {"success_count": "1"},
                       "base_resp": {"status_code": 0, "status_msg": "success"}}, RED, files=FILE),
    brings("localai", {"id": "x", "created": 1, "data": [{"embedding": None, "index": 0, "url": A}],
                       "usage": {"total_tokens": 0}}, RED, files=FILE, row={"usage": {"total_tokens": 0}}),
    brings("dall-e", {"created": 1, "data": [{"url": A, "revised_prompt": "a sea otter"}]}, RED, files=FILE,
           row={"revised_prompt": "a sea otter"}),
]  # fmt: skip

DOWNLOADS = [
    brings("500 at first", {"data": [{"url": A}]}, RED, files={"/a.png": (Said(b"", 500), Said(RED))}, waits=(0.5,)),
    brings("three times", {"data": [{"url": A}]}, RED, waits=(0.5, 1.0, 2.0),
           files={"/a.png": (Said(b"", 503), Said(b"", 429), Cut(), Said(RED))}),
    brings("cut at first", {"data": [{"url": A}]}, RED, waits=(0.5,),
           files={"/a.png": (Said(RED[:-9], 200, {"content-length": str(len(RED))}), Said(RED))}),
    brings("a redirect", {"data": [{"url": A}]}, RED,
           files={"/a.png": Said(b"", 302, {"location": "/b.png"}), "/b.png": Said(RED)}),
    brings("packed", {"data": [{"url": A}]}, RED,
           files={"/a.png": Said(gzip.compress(RED), 200, {"content-encoding": "gzip"})}),
    brings("called a text", {"data": [{"url": A}]}, RED, files={"/a.png": said(RED, content_type="text/html")}),
    brings("of no length", {"data": [{"url": A}]}, RED, files={"/a.png": stream(RED[:20], RED[20:])}),
]  # fmt: skip

CHATS = [
    brings("a markdown image", chat(f"Here it is:\n\n![an otter]({A})\n"), RED, files=FILE),
    brings("a markdown image of data", chat(f"![otter]({embedded(ODD)})"), ODD),
    brings("a markdown image with a title", chat(f'![otter](<{A}> "an otter")'), RED, files=FILE),
    brings("two images", chat(f"![1]({A}) and ![2]({B})"), RED, BLUE, files=FILES, given={"n": 2}),
    brings("an image and its link", chat(f"![otter]({A})\n[Download]({A}?download=1)"), RED, files=FILE),
    brings("an image of HTML", chat(f'<img alt="otter" src="{A}">'), RED, files=FILE),
    brings("a bare link", chat(A), RED, files=FILE),
    brings("a link in a text", chat(f"Your picture: {A}"), RED, files=FILE),
    brings("bare base64", chat(b64(RED)), RED),
    brings("a bare data: URI", chat(embedded(RED)), RED),
    brings("images: url of an object", chat(None, images=[{"image_url": {"url": embedded(RED)}}]), RED),
    brings("images: url", chat("", images=[{"url": A}]), RED, files=FILE),
    brings("images: b64_json", chat("ok", images=[item(RED)]), RED),
    brings("images: texts", chat("ok", images=[A, embedded(BLUE)]), RED, BLUE, files=FILE, given={"n": 2}),
    brings("image_b64_json", chat("ok", image_b64_json=b64(RED)), RED),
    brings("parts", chat([{"type": "text", "text": "otter"},
                          {"type": "image_url", "image_url": {"url": embedded(RED)}}]), RED),
    brings("parts of text", chat([{"type": "text", "text": f"![otter]({A})"}]), RED, files=FILE),
    brings("the same twice", chat(f"![otter]({embedded(RED)})", images=[item(RED)]), RED),
    brings("the same behind an address", chat(f"![otter]({embedded(RED)})", images=[{"url": A}]), RED, files=FILE),
    brings("usage", chat(A) | {"usage": LITTLE}, RED, files=FILE, row={"usage": LITTLE}),
]  # fmt: skip

TASK = {"code": 200, "data": [{"status": "submitted", "task_id": "t_1"}]}
AT_WORK = {"code": 200, "data": {"id": "t_1", "task_id": "t_1", "status": "processing", "progress": 40}}
MADE = {"code": 200, "data": {"task_id": "t_1", "status": "completed", "result": {"images": [{"url": [A]}]}}}
MADE_TOO = {"data": {"task_id": "t_2", "status": "completed", "result": {"images": [{"url": [B]}]}}}
QUEUED = {"id": "g1", "object": "generation.task", "status": "queued", "progress": 0}
AT_TASK, AT_GENERATION = "/v1/tasks/t_1", "/v1/images/generations/g1"
TASKS = [
    brings("a task in a list", TASK, RED, polls={AT_TASK: (said(AT_WORK), said(AT_WORK), said(MADE))}, files=FILE),
    brings("a task in an object", {"data": {"status": "submitted", "task_id": "t_1"}}, RED,
           polls={AT_TASK: said({"id": "t_1", "status": "completed", "output": {"image_urls": [A]}})}, files=FILE),
    brings("two tasks", {"data": [{"status": "submitted", "task_id": name} for name in ("t_1", "t_2")]}, RED, BLUE,
           polls={AT_TASK: said(MADE), "/v1/tasks/t_2": said(MADE_TOO)}, files=FILES, given={"n": 2}),
    brings("a generation", QUEUED, RED, files=FILE,
           polls={AT_GENERATION: (said(QUEUED | {"status": "in_progress", "progress": 50}),
                                  said(QUEUED | {"status": "completed", "result": {"data": [{"url": A}]}}))}),
    brings("a task of HTTP 202", said(TASK, 202), RED, polls={AT_TASK: said(MADE)}, files=FILE),
    brings("a question that fails at first", TASK, RED, files=FILE, waits=(0.5, 1.0),
           polls={AT_TASK: (Said(b"<html>", 502), Cut(), said(MADE))}),
]  # fmt: skip

WRAPPINGS = [
    brings("a picture", Said(RED, 200, {"content-type": "image/png"}), RED),
    brings("a drawing", Said(SVG, 200, {"content-type": "image/svg+xml"}), SVG),
    brings("a picture called JSON", Said(JPEG, 200, {"content-type": "application/json"}), JPEG),
    brings("a byte order mark", said(b"\xef\xbb\xbf" + WHOLE), RED),
    brings("padding behind", said(WHOLE + b"\0\0\0"), RED),
    brings("blank lines before", said(b"\n\n \r\n" * 50 + WHOLE), RED),
    brings("blank lines one by one", stream(*[b"\n"] * 20, b" ", WHOLE, kind="application/json"), RED),
    brings("junk behind", said(WHOLE + b"\n<!-- cached -->"), RED),
    brings("JSON behind", said(WHOLE + b'\n{"ok": true}'), RED),
    brings("a large one", body(LARGE), LARGE),
    brings("byte by byte", stream(*[bytes([letter]) for letter in WHOLE], kind="application/json"), RED),
    brings("gzip", said(gzip.compress(WHOLE), content_encoding="gzip"), RED),
    brings("x-gzip", said(gzip.compress(WHOLE), content_encoding="x-gzip"), RED),
    brings("gzip that nobody told of", said(gzip.compress(WHOLE)), RED),
    brings("a picture in gzip", said(gzip.compress(RED), content_type="image/png"), RED),
    brings("gzip without its end", said(gzip.compress(WHOLE)[:-8], content_encoding="gzip"), RED),
    brings("gzip twice", said(gzip.compress(gzip.compress(WHOLE)), content_encoding="gzip, gzip"), RED),
    brings("no gzip at all", said(WHOLE, content_encoding="gzip"), RED),
    brings("deflate", said(zlib.compress(WHOLE), content_encoding="deflate"), RED),
    brings("bare deflate", said(zlib.compress(WHOLE, wbits=-15), content_encoding="deflate"), RED),
    brings("identity", said(WHOLE, content_encoding="identity"), RED),
    brings("chunks without an end", stream(WHOLE[:40], WHOLE[40:], end="cut", kind="application/json"), RED),
    brings("chunks that only stop", raw(b"%x\r\n%s\r\n" % (len(WHOLE), WHOLE), "Transfer-Encoding: chunked"), RED),
    brings("too long a length", said(WHOLE, content_length=str(len(WHOLE) + 100)), RED),
    brings("no length", raw(WHOLE), RED),
    brings("line feeds alone", Raw((b"HTTP/1.1 200 OK\nX-Request-Id: req-7\n\n" + WHOLE,)), RED),
    brings("HTTP/1.0", raw(WHOLE, "Connection: close", first="HTTP/1.0 200 OK"), RED),
    brings("early hints", raw(WHOLE, first="HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK"), RED),
    brings("100 continue", raw(WHOLE, first="HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"), RED),
    brings("called HTML", said(WHOLE, content_type="text/html; charset=gbk"), RED),
    brings("called a stream", said(WHOLE, content_type="text/event-stream"), RED),
    brings("201", said(body(RED), 201), RED),
    brings("open after the JSON", raw(WHOLE, end="hang"), RED, given={"timeout": DEADLINE_S}),
]

CRLF, CR = (lambda part: part.replace(b"\n", b"\r\n")), (lambda part: part.replace(b"\n", b"\r"))
ALL = (preview(), preview(BLUE, 1), completed(RED, usage=OPENAI_USAGE, size="8x6"))
GROUP = (succeeded(RED), succeeded(BLUE, 1), over(usage=ARK_USAGE), DONE)
PRETTY = json.dumps({"type": "image_generation.completed", **item(RED)}, indent=2)
LINES = "".join(f"data: {line}\n" for line in PRETTY.splitlines()).encode()


def chunk(**delta: object) -> bytes:
    """A piece of a chat completion."""
    piece = {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]}
    return f"data: {json.dumps(piece)}\n\n".encode()


STREAMS = [
    brings("openai", stream(*ALL), RED, row={"usage": OPENAI_USAGE}),
    brings("with [DONE]", stream(*ALL, DONE), RED, row={"usage": OPENAI_USAGE}),
    brings("fewer previews", stream(completed(RED)), RED, given={"partial_images": 3}),
    brings("two at openai", stream(preview(), completed(RED), preview(), completed(BLUE)), RED, BLUE, given={"n": 2}),
    brings("an edit", stream(event("image_edit.partial_image", BLUE), event("image_edit.completed", RED)), RED),
    brings("a group", stream(*GROUP), RED, BLUE, given={"n": 2}, row={"usage": ARK_USAGE}),
    brings("a group without its end", stream(*GROUP[:2]), RED, BLUE, given={"n": 2}),
    brings("addresses", stream(event("image_generation.partial_succeeded", url=A, image_index=0), over(), DONE), RED,
           files=FILE),
    brings("minimax", stream(b": keepalive\n\n", succeeded(RED), b": keepalive\n\n", over(usage={})), RED),
    brings("vllm-omni", stream(event("ar_delta", object="image.edit.chunk", delta="…"),
                               event("image", object="image.edit.chunk", data=[item(RED, url=None)]), DONE), RED),
    brings("heyroute", stream(event("started"), event("heartbeat"), event("completed", RED), event("done")), RED),
    brings("short names", stream(event("", BLUE, "partial_image"), event("", RED, "completed"), event("done")), RED),
    brings("no names", stream(b"data: %s\n\n" % json.dumps(item(RED)).encode()), RED),
    brings("the whole answer", stream(b"data: %s\n\n" % WHOLE, DONE), RED),
    brings("an address at its end", stream(preview(), event("image_generation.completed", url=A)), RED, files=FILE),
    brings("a list at its end", stream(event("image_generation.completed", created=1, data=[{"url": A}, item(BLUE)])),
           RED, BLUE, files=FILE, given={"n": 2}),
    brings("a data: URI", stream(event("image_generation.completed", url=embedded(RED))), RED),
    brings("CRLF", stream(*map(CRLF, ALL)), RED),
    brings("CR", stream(*map(CR, ALL)), RED),
    brings("CRLF cut in two", stream(*[part[at : at + 1] for part in map(CRLF, ALL) for at in range(len(part))]), RED),
    brings("byte by byte", stream(*[bytes([letter]) for letter in completed(RED, revised_prompt="ein Ötter 🦦")]), RED,
           row={"revised_prompt": "ein Ötter 🦦"}),
    brings("a large one", stream(*[completed(LARGE)[at : at + 9000] for at in range(0, 2**18, 9000)]), LARGE),
    brings("comments", stream(b":\n\n: ping\n", *ALL, b": bye\n\n"), RED),
    brings("no space", stream(*(part.replace(b"data: ", b"data:") for part in ALL)), RED),
    brings("data of several lines", stream(b"event: image_generation.completed\n", LINES, b"\n"), RED),
    brings("lines without a field", stream(b"data: %s\n\n" % PRETTY.encode()), RED),
    brings("no empty line at the end", stream(completed(RED).rstrip()), RED),
    brings("one of two", stream(completed(RED)), RED, given={"n": 2}, row={"mismatch": "asked for 2 pictures, got 1"}),
    brings("id and retry", stream(b"retry: 100\n\nid: 1\n", *ALL), RED),
    brings("unknown events", stream(event("response.created"), *ALL[:2], event("rate_limits", data=3), *ALL[2:]), RED),
    brings("events that are no JSON", stream(b"data: hello\n\n", *ALL, b"event: note\ndata: bye\n\n"), RED),
    brings("open after [DONE]", stream(*ALL, DONE, end="hang"), RED),
    brings("open after the last", stream(*ALL, end="hang"), RED),
    brings("open after a group", stream(*GROUP[:3], end="hang"), RED, BLUE, given={"n": 2}),
    brings("cut after the last", stream(*ALL, end="cut"), RED),
    brings("cut after an address", stream(event("image_generation.completed", url=A), end="cut"), RED, files=FILE),
    brings("cut in what follows", stream(*ALL, b"data: [DO", end="cut"), RED),
    brings("an error after the last", stream(*ALL, b"event: error\ndata: %s\n\n" % complaint("late")), RED),
    brings("called JSON", stream(*ALL, kind="application/json"), RED),
    brings("called nothing", raw(b"".join(ALL)), RED),
    brings("packed", said(gzip.compress(b"".join(ALL)), content_encoding="gzip"), RED),
    brings("blank lines before", stream(b"\n\n\n", *ALL), RED),
    brings("a byte order mark", stream(b"\xef\xbb\xbf", *ALL), RED),
    brings("a chat", stream(chunk(role="assistant"), chunk(content="![otter]("), chunk(content=f"{A})"),
                            event("", object="chat.completion.chunk", choices=[], usage=LITTLE), DONE), RED,
           files=FILE, row={"usage": LITTLE}),
    brings("a chat with images", stream(chunk(content="ok"), chunk(images=[item(RED)]), DONE), RED),
]  # fmt: skip

FORMATS = [
    brings("jpeg", body(JPEG), JPEG, row={"format": "jpeg", "width": 8, "height": 6}),
    brings("webp", body(WEBP), WEBP, row={"format": "webp", "width": 8, "height": 6}),
    brings("gif", body(GIF), GIF, row={"format": "gif", "width": 8, "height": 6}),
    brings("avif", body(AVIF), AVIF, row={"format": "avif"}),
    brings("bmp", body(BMP), BMP, row={"format": "bmp"}),
    brings("tiff", body(TIFF), TIFF, row={"format": "tiff"}),
    brings("svg", body(SVG), SVG, row={"format": "svg"}),
    brings("a bomb", body(BOMB), BOMB, row={"format": "png", "width": 100_000, "height": 100_000}),
    brings("cut inside", body(RED[:40]), RED[:40], row={"format": "png", "width": 8, "height": 6}),
    brings("another size", body(RED, size="1024x1024"), RED, given={"size": "1024x1024"},
           row={"mismatch": "asked for 1024x1024, got 8x6"}),
    brings("another format", body(RED, output_format="webp"), RED, given={"output_format": "webp"},
           row={"mismatch": "asked for webp, got png"}),
    brings("the format by its other name", body(JPEG), JPEG, given={"output_format": "jpg", "size": "8x6"},
           row={"mismatch": None}),
    brings("more", body(RED, BLUE), RED, BLUE, row={"mismatch": "asked for 1 picture, got 2", "n_received": 2}),
    brings("fewer", body(RED), RED, given={"n": 3}, row={"mismatch": "asked for 3 pictures, got 1", "n_requested": 3}),
    brings("the same twice", body(RED, RED), RED, RED, given={"n": 2}, row={"mismatch": None}),
]  # fmt: skip

USAGES = [
    brings("openai", body(RED, usage=OPENAI_USAGE), RED, row={"usage": OPENAI_USAGE}),
    brings("seedream", body(RED, BLUE, usage=ARK_USAGE), RED, BLUE, given={"n": 2}, row={"usage": ARK_USAGE}),
    brings("a chat's", body(RED, usage={"prompt_tokens": 9}), RED, row={"usage": {"prompt_tokens": 9}}),
    brings("xai", body(RED, usage={"cost_in_usd_ticks": 200_000_000}), RED,
           row={"usage": {"cost_in_usd_ticks": 200_000_000}}),
    brings("none", body(RED), RED, row={"usage": None, "cost_usd": None, "cost_source": "unknown"}),
    brings("null", body(RED, usage=None), RED, row={"usage": None}),
    brings("a text", body(RED, usage="much"), RED, row={"usage": None}),
    brings("not a number", said(answer(RED, usage={"total_tokens": float("nan")})), RED),
    brings("litellm", said(body(RED), x_litellm_response_cost="0.04"), RED,
           row={"cost_usd": 0.04, "cost_source": "gateway"}),
]  # fmt: skip

BUSY = complaint("slow down", code="rate_limit_exceeded")
ANEW = [
    brings("429, then a picture", (Said(BUSY, 429), said(WHOLE)), RED, waits=(1.0,), row={"attempts": 2}),
    brings("429 with a time", (said(BUSY, 429, retry_after="7"), said(WHOLE)), RED, waits=(7.0,)),
    brings("429 until yesterday", (said(BUSY, 429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"), said(WHOLE)), RED,
           waits=(0.0,)),
    brings("429 in milliseconds", (said(BUSY, 429, retry_after_ms="1500"), said(WHOLE)), RED, waits=(1.5,)),
    brings("429 three times", (*[Said(BUSY, 429)] * 3, said(WHOLE)), RED, waits=(1.0, 2.0, 4.0), row={"attempts": 4}),
    brings("Ark's 429", (said({"error": {"code": "RequestBurstTooFast", "message": "m"}}, 429), said(WHOLE)), RED,
           waits=(1.0,)),
    brings("429, then a stream", (Said(BUSY, 429), stream(*ALL)), RED, waits=(1.0,)),
    brings("503 with a time", (said(b"", 503, retry_after="2"), said(WHOLE)), RED, waits=(2.0,), row={"attempts": 2}),
    brings("529 with a time", (said(b"", 529, retry_after="2"), said(WHOLE)), RED, waits=(2.0,)),
    brings("503 that asks for it", (said(b"", 503, x_should_retry="true"), said(WHOLE)), RED, waits=(1.0,)),
]  # fmt: skip

TABLES = {
    "base64": BASE64, "address": ADDRESSES, "download": DOWNLOADS, "chat": CHATS, "task": TASKS, "wrapping": WRAPPINGS,
    "stream": STREAMS, "format": FORMATS, "usage": USAGES, "anew": ANEW,
}  # fmt: skip
WAYS = [pytest.param(way, id=f"{table}: {way.name}") for table, ways in TABLES.items() for way in ways]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Wire]:
    """A gateway."""
    server = laid(monkeypatch, tmp_path / "imagegen")
    yield server
    server.close()


@pytest.mark.parametrize("way", WAYS)
def test_a_picture_is_kept_in_whatever_way_it_comes(way: Way, wire: Wire) -> None:
    """Its bytes are exact, one POST was made, the record is closed, and no error is raised."""
    seen = take(way, wire)

    assert seen.facts == expected(way, wire)
    assert tuple((name, seen.row[name]) for name, _ in way.row) == way.row


@pytest.mark.parametrize("data", [BOMB, SVG, AVIF, RED[:40]], ids=["bomb", "svg", "avif", "cut"])
def test_what_is_not_decoded_here_is_kept_all_the_same(data: bytes, wire: Wire) -> None:
    """It is only looked at where somebody asks for its pixels, and then it is a sentence."""
    wire.rule = lambda _: said(body(data))
    (found,) = ig.generate("an otter", base_url=wire.url, quiet=True)

    assert found.path.read_bytes() == data
    with pytest.raises(errors.StoreError, match="cannot be decoded here"):
        _ = found.pil


class Later(threading.Event):
    """A part of an answer that takes its time."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait longer than a stream is listened to that has brought every picture."""
        del timeout
        time.sleep(10 * SOON_S)
        return True


SERIES = {"sequential_image_generation": "auto"}


@pytest.mark.parametrize(
    "given",
    [
        SERIES,
        {**SERIES, "sequential_image_generation_options": {"max_images": 2}},
        {**SERIES, "n": 2},
        {**SERIES, "model": "doubao-seedream-4-0-250828", "stream": True},
    ],
    ids=["no number", "a number of its own", "n", "at seedream"],
)
def test_a_series_is_listened_to_until_its_end(
    given: dict[str, Any], wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each picture of it is paid for, and twenty seconds may lie between two."""
    monkeypatch.setattr(client, "LINGER_S", SOON_S)
    series = Parts((succeeded(RED), Later(), succeeded(BLUE, 1), over(usage=ARK_USAGE), DONE))
    way = brings("a series", series, RED, BLUE, given=given, row={"usage": ARK_USAGE})
    seen = take(way, wire)

    assert seen.facts == expected(way, wire)
    assert tuple((name, seen.row[name]) for name, _ in way.row) == way.row
