"""A main server over python-socketio, which shares no code with the backend's Socket.IO.

It writes one JSON line for each thing that happens, and reads one for each command that is to be sent:

    <- {"id": 1, "command": "create-container", "payload": {...}}
    -> {"listening": 40123}
    -> {"connected": {"auth": {...}, "role": "backend"}}
    -> {"event": "inventory", "payload": {...}}
    -> {"id": 1, "reply": {...}}
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs

import socketio
from aiohttp import web

API_KEY = sys.argv[1]
server = socketio.AsyncServer(async_mode="aiohttp", logger=False)
backends = []


def say(**line):
    print(json.dumps(line), flush=True)


@server.event
async def connect(sid, environ, auth):
    if not isinstance(auth, dict) or auth.get("DOCKHOST_API_KEY") != API_KEY:
        raise socketio.exceptions.ConnectionRefusedError("unknown key")
    backends.append(sid)
    role = parse_qs(environ.get("QUERY_STRING", "")).get("role", [""])[0]
    say(connected={"auth": auth, "role": role})


@server.event
async def disconnect(sid):
    if sid in backends:
        backends.remove(sid)


@server.on("*")
async def anything(event, sid, payload=None):
    say(event=event, payload=payload)


async def send(line):
    try:
        reply = await server.call(line["command"], line["payload"], to=backends[-1], timeout=100)
        say(id=line["id"], reply=reply)
    except Exception as error:  # the test wants to hear of it, whatever it is
        say(id=line["id"], fault=repr(error))


async def read_commands():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    under_way = set()
    while line := await reader.readline():
        task = asyncio.create_task(send(json.loads(line)))
        under_way.add(task)
        task.add_done_callback(under_way.discard)


async def main():
    application = web.Application()
    server.attach(application)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    say(listening=runner.addresses[0][1])
    await read_commands()
    await runner.cleanup()


asyncio.run(main())
