#!/usr/bin/env python3
"""How much the web interface costs callers: set-up time of calls with and without people who watch, alternating.

    HEARKEN=target/release/hearken benches/api.py

The server has core 0; SIPp has core 1, and the watchers what it leaves of that: 100 clients of the event stream, and 200 requests a second
(board, calls and metrics in turn) over 20 connections. Prints a Markdown table. Needs what benches/peers/run.sh needs.

    ROUNDS=3  RATE=100  SECONDS=15        rounds of each, calls a second, and for how long
    REQUESTS=200  STREAMS=100
"""

import asyncio
import hashlib
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))

ROUNDS, RATE, SECONDS, REQUESTS, STREAMS = (
    int(os.environ.get(name, default))
    for name, default in [("ROUNDS", 3), ("RATE", 100), ("SECONDS", 15), ("REQUESTS", 200), ("STREAMS", 100)]
)
# Servers are started in a directory of their own.
ROOT = Path(__file__).resolve().parent.parent
os.environ["HEARKEN"] = str(Path(os.environ.get("HEARKEN", ROOT / "target/release/hearken")).resolve())
CONNECTIONS = 20
TOKEN = "a-token-of-the-bench"
PATHS = ["/api/v1/board", "/api/v1/calls", "/metrics"]


async def watch(port, seconds):
    """The watchers; prints requests served, their p50 and p99 in ms, and bytes of news."""
    until, took, news = time.monotonic() + seconds, [], 0

    async def ask(path):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
        return reader, writer

    async def stream():
        nonlocal news
        reader, _ = await ask("/api/v1/stream")
        assert b" 200 " in await reader.readline()
        while time.monotonic() < until:
            try:
                got = await asyncio.wait_for(reader.read(65536), 1)
                news += len(got)
            except TimeoutError:
                pass

    async def requests(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        each, turn = CONNECTIONS / REQUESTS, number
        next_at = time.monotonic() + each * number / CONNECTIONS
        while time.monotonic() < until:
            await asyncio.sleep(max(0, next_at - time.monotonic()))
            path, turn, begun = PATHS[turn % len(PATHS)], turn + 1, time.monotonic()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            took.append((time.monotonic() - begun) * 1000)
            next_at += each

    await asyncio.gather(*(stream() for _ in range(STREAMS)), *(requests(n) for n in range(CONNECTIONS)))
    took.sort()
    print(len(took), took[len(took) // 2], took[len(took) * 99 // 100], news)


def measured(rig, watched):
    """One round: how long calls took to be set up, and what the watchers saw."""
    from measure import centile
    from rig import Hearken, Sipp, cpu

    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    users = f'[user.bench]\ntokens = ["sha256:{digest}"]\nroles = ["supervisor"]\n'
    (rig.dir / "users.toml").write_text(users)
    server = Hearken(rig, agents=5 * RATE, more='[web]\nlisten = "127.0.0.1:0"\nusers = "users.toml"\nrequests-per-second = 100000\n')
    said = (rig.dir / "hearken.out").read_text()
    port = next(line for line in said.splitlines() if line.startswith("web on ")).strip("/").rsplit(":", 1)[1]
    callee = Sipp(rig, "agent", rig.callee)
    # On the wire, since the clock of SIPp has steps of 4 ms.
    trace = rig.dir / "trace.txt"
    fields = ["frame.time_epoch", "sip.Method", "sip.CSeq.method", "sip.Status-Code", "sip.Call-ID"]
    capture = rig.capture(rig.caller, "sip", fields, trace)
    watchers, seen = None, rig.dir / "watchers.out"
    if watched:
        watchers = rig.start(1, [sys.executable, __file__, "watch", port, SECONDS + 2], open(seen, "w"))
        # SIPp goes before them on their core: what a call waits for is the daemon, not who measures it.
        group = Path(f"/proc/{watchers.pid}/autogroup")
        if group.exists():
            group.write_text("5")
    time.sleep(2)
    before = cpu(server.pid)[0]
    caller = Sipp(rig, "caller", rig.caller, rig.server, RATE, RATE * SECONDS, hold=1)
    caller.wait(SECONDS + 45)
    spent = sum(cpu(server.pid)[0]) - sum(before)
    callee.stop()
    if watchers:
        watchers.wait(30)
        rig.running.remove(watchers)
    server.stop()
    rig.finish(capture)
    times = set_up(trace)
    assert len(times) > 0.99 * RATE * SECONDS, f"{len(times)} set-ups seen"
    return {
        "p50": centile(times, 0.5),
        "p99": centile(times, 0.99),
        "most": centile(times, 1),
        "failed": RATE * SECONDS - caller.so_far("SuccessfulCall(C)"),
        "cpu": spent,
        "seen": [float(word) for word in seen.read_text().split()] if watched else None,
    }


def set_up(trace):
    """Milliseconds from the INVITE of each call to its 200, sorted."""
    begun, took = {}, {}
    for line in trace.read_text().splitlines():
        parts = line.split("\t")
        if len(parts) != 5:
            continue
        at, method, of, code, call = parts
        if method == "INVITE":
            begun.setdefault(call, float(at))
        elif (of, code) == ("INVITE", "200") and call in begun:
            took.setdefault(call, (float(at) - begun[call]) * 1000)
    return sorted(took.values())


def main():
    from measure import spread, table
    from rig import Rig, load, say

    rounds = {False: [], True: []}
    with Rig() as rig:
        for number in range(ROUNDS):
            for watched in rounds:
                got = measured(rig, watched)
                say(f"{number + 1} {'watched' if watched else 'alone'}: {got}, load {load():.1f}")
                rounds[watched].append(got)
    version = subprocess.run([os.environ["HEARKEN"], "--version"], capture_output=True, text=True).stdout.strip()
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {version}: {RATE} calls a second for {SECONDS} s; with {REQUESTS} requests a second")
    print(f"and {STREAMS} clients of the event stream, and without; INVITE to 200 in ms. Least / **median** / greatest of rounds.\n")
    rows = []
    for watched, got in rounds.items():
        each = lambda key: spread([one[key] for one in got])
        failed = sum(one["failed"] for one in got)
        rows.append(["watched" if watched else "alone", each("p50"), each("p99"), each("most"), each("cpu"), failed])
    table(["", "p50", "p99", "most", "CPU s of the daemon", "failed calls"], rows)
    seen = [one["seen"] for one in rounds[True]]
    served, p50, p99, news = (statistics.median(column) for column in zip(*seen))
    if served < 0.95 * REQUESTS * (SECONDS + 2):
        print("**The watchers were starved: these figures say nothing.**\n")
    print(f"Served: {served / (SECONDS + 2):.0f} requests a second, p50 {p50:.1f} ms, p99 {p99:.1f} ms; {news / STREAMS / (SECONDS + 2) / 1000:.1f} kB/s to each client of the stream.")


if __name__ == "__main__":
    if sys.argv[1:2] == ["watch"]:
        asyncio.run(watch(int(sys.argv[2]), float(sys.argv[3])))
    else:
        main()
