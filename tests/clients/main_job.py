"""The main job with the official Python client.

The argument is the client's mode: `auto`, `legacy`, or a version that it takes for granted. ENDPOINT
and KEY come from the environment. Prints one JSON line with what was seen.
"""

import asyncio
import json
import os
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

PNG = b"\x89PNG"


def read(result):
    """A result's text block, read as JSON."""
    return json.loads(result.content[0].text)


async def main_job(client, http):
    tools = (await client.list_tools()).tools
    found = read(await client.call_tool("search_models", {"query": "text to image"}))
    hits = (model for model in found["models"] if model["category"] == "text-to-image")
    endpoint_id = next(hits)["endpoint_id"]
    schema = read(await client.call_tool("get_model_schema", {"endpoint_id": endpoint_id}))
    example = schema["example_input"]
    run = read(await client.call_tool("run_model", {"endpoint_id": endpoint_id, "input": example}))
    image = run["media"][0]["url"]
    downloaded = (await http.get(image)).content

    progress = []

    async def on_progress(value, total, message):
        progress.append((value, message))

    slow = {**example, "prompt": "a cat [sim:queue 2.3][sim:slow 0.2]"}
    arguments = {"endpoint_id": endpoint_id, "input": slow}
    waited = await client.call_tool("run_model", arguments, progress_callback=on_progress)
    waited = read(waited)

    unknown = {"endpoint_id": "fal-ai/no-such/model", "input": {}}
    refused = await client.call_tool("run_model", unknown)
    return {
        "version": client.protocol_version,
        "tools": len(tools),
        "endpoint_id": endpoint_id,
        "image": image,
        "is_png": downloaded.startswith(PNG),
        "progress": [value for value, _ in progress],
        "messages": [message for _, message in progress],
        "waited": waited["status"],
        "waited_for": waited["request_id"],
        "refused": read(refused)["error"] if refused.is_error else None,
        "session": None,
    }


async def main():
    key = os.environ["KEY"]
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}, timeout=30) as keyed,
        httpx2.AsyncClient() as plain,
    ):
        transport = streamable_http_client(os.environ["ENDPOINT"], http_client=keyed)
        async with Client(transport, mode=sys.argv[1]) as client:
            print(json.dumps(await main_job(client, plain)))


asyncio.run(main())
