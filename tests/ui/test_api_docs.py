"""The page about the API is true: its code runs against the site, in order, and its MCP address offers the tools."""

from __future__ import annotations

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ADDRESS = "http://127.0.0.1:7860"
TIMEOUT = 60


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "api.md").read_text("utf-8")


def test_the_code_on_the_page_runs(page: str, serve, studio, capsys) -> None:
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    assert len(blocks) >= 4
    url = serve(studio).rstrip("/")
    names: dict = {}
    for block in blocks:
        exec(compile(block.replace(ADDRESS, url), "docs/api.md", "exec"), names)
    assert names["between"]["recipe"]["source"]["action"] == "morph"
    assert names["flac"][:4] == b"fLaC"
    assert names["liked"]["liked"] == 1
    assert "asked" in capsys.readouterr().out


def test_every_endpoint_is_a_tool_that_can_be_called(page: str, serve, studio) -> None:
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    address = re.search(rf'"url": "{ADDRESS}/([^"]+)"', page)[1]
    url = serve(studio)

    async def visit() -> None:
        async with streamablehttp_client(url + address) as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            assert {"generate", "vary", "morph", "perform", "library_clips", "taste"} <= set(tools)
            assert all(tool.description for tool in tools.values())
            answer = await session.call_tool("generate", {"bars": 4, "seed": 5})
            assert not answer.isError
            assert "meters" in "".join(part.text for part in answer.content if part.type == "text")
            refused = await session.call_tool("generate", {"bars": 0})
            assert refused.isError
            assert "bars: must be from 1" in refused.content[0].text

    # On a thread of its own: the browser tests leave an event loop behind on this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, asyncio.wait_for(visit(), TIMEOUT)).result()
