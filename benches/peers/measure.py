"""The benches: each measures Hearken, beside Kamailio where both do the work, and prints a Markdown table."""

import os
import re
import statistics
import subprocess
import sys
import time

from rig import Hearken, Kamailio, Rig, Sipp, Unlogged, cpu, descriptors, heard, load, memory, play, say

ROUNDS = int(os.environ.get("ROUNDS", 3))
CALLS = int(os.environ.get("CALLS", 3000))
RATES = [int(rate) for rate in os.environ.get("RATES", "").split()]
SECONDS_OF_PEAK = int(os.environ.get("SECONDS_OF_PEAK", 10))
PASSES = 0.001


def spread(values, form="{:.2f}"):
    """least / **median** / greatest"""
    low, middle, high = (form.format(x) for x in (min(values), statistics.median(values), max(values)))
    return f"{low} / **{middle}** / {high}"


def centile(sorted_values, share):
    return sorted_values[min(len(sorted_values) - 1, int(len(sorted_values) * share))] if sorted_values else 0.0


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(flush=True)


def proxied(rig, kind, rate, calls, agents=1000):
    """One round of INVITE, 200, ACK, one second, BYE; returns what it cost and how it went."""
    server = kind(rig, agents=agents)
    callee = Sipp(rig, "agent", rig.callee)
    before, threads_before, load_before = *cpu(server.pid), load()
    caller = Sipp(rig, "caller", rig.caller, rig.server, rate, calls, hold=1)
    offered, busy = calls / rate, 0.0
    while caller.process.poll() is None and time.monotonic() < caller.started + offered + 45:
        if time.monotonic() > caller.started + offered / 2 and not busy:
            busy = (caller.cpu() + callee.cpu()) / (time.monotonic() - caller.started)
        time.sleep(0.1)
    caller.wait(1)
    after, threads_after = cpu(server.pid)
    callee.stop()
    peak_set_up = caller.setup_times()
    log = server.stop()
    good = caller.so_far("SuccessfulCall(C)")
    rows = [row for row in caller.seconds() if int(row["TotalCallCreated"]) < calls][2:]
    # Success is counted a second late, because each call is held for one.
    steady = [int(row["SuccessfulCall(P)"]) for row in rows[1:]]
    tried = [int(row["OutgoingCall(P)"]) for row in rows]
    return {
        "user": after[0] - before[0],
        "system": after[1] - before[1],
        "threads": {
            name: [spent[i] - threads_before.get(name, [0, 0])[i] for i in (0, 1)]
            for name, spent in threads_after.items()
        },
        "good": good,
        "bad": calls - good,
        "retransmitted": caller.so_far("Retransmissions(C)"),
        "steady": steady,
        "success_rate": statistics.mean(steady) if steady else 0.0,
        "offered_rate": statistics.mean(tried) if tried else 0.0,
        "setup_p50": centile(peak_set_up, 0.5),
        "setup_p99": centile(peak_set_up, 0.99),
        "sipp_busy": busy,
        "load": load_before,
        "log": log,
    }


def s1(rig):
    for rate, calls in ((200, CALLS), (1500, 5 * CALLS)):
        if not RATES or rate in RATES:
            s1_at(rig, rate, calls)


def s1_at(rig, rate, calls):
    rounds = {Hearken: [], Kamailio: []}
    for number in range(ROUNDS):
        for kind in rounds:
            got = proxied(rig, kind, rate, calls, agents=max(1000, 3 * rate))
            each = 1000 / calls
            say(f"s1 {rate} {number + 1} {kind.name}: {(got['user'] + got['system']) * each:.3f} s per 1,000 calls, {got['bad']} failed, load {got['load']:.1f}")
            rounds[kind].append(got)
    print(f"### s1: {calls:,} calls at {rate:,} a second, held for 1 s; CPU seconds per 1,000 calls\n")
    each, rows, totals = 1000 / calls, [], {}
    for kind, got in rounds.items():
        totals[kind] = [(one["user"] + one["system"]) * each for one in got]
        user, system = ([one[part] * each for one in got] for part in ("user", "system"))
        set_up = [one["setup_p99"] for one in got]
        rows.append([kind.name, spread(user), spread(system), spread(totals[kind]), sum(one["bad"] for one in got), spread(set_up, "{:.1f}"), spread([one["load"] for one in got], "{:.1f}")])
    table(["", "user", "system", "total", "failed calls", "INVITE to 200, p99, ms", "load average"], rows)
    ratio = statistics.median(totals[Hearken]) / statistics.median(totals[Kamailio])
    pairs = [a / b for a, b in zip(totals[Hearken], totals[Kamailio])]
    print(f"Ratio of the medians, Hearken to Kamailio: **{ratio:.2f}** (by round {spread(pairs)}).\n")
    names = sorted({name for one in rounds[Hearken] for name in one["threads"]})
    print("Hearken by thread, medians:\n")
    rows = []
    for name in names:
        parts = [statistics.median(one["threads"].get(name, [0, 0])[i] * each for one in rounds[Hearken]) for i in (0, 1)]
        rows.append([name, f"{parts[0]:.3f}", f"{parts[1]:.3f}", f"{sum(parts):.3f}"])
    table(["thread", "user", "system", "total"], rows)


def flight(rig):
    """What the flight log and its snapshots cost a call: the same work with and without them, side by side."""
    rate, calls = 200, CALLS
    rounds = {Hearken: [], Unlogged: []}
    for number in range(ROUNDS):
        for kind in rounds:
            got = proxied(rig, kind, rate, calls)
            got["total"] = (got["user"] + got["system"]) * 1000 / calls
            say(f"flight {number + 1} {kind.name}: {got['total']:.3f} s per 1,000 calls, {got['bad']} failed, load {got['load']:.1f}")
            rounds[kind].append(got)
    print(f"### flight: {calls:,} calls at {rate:,} a second, held for 1 s; CPU seconds per 1,000 calls\n")
    rows = []
    for kind, got in rounds.items():
        each = lambda key, form: spread([one[key] for one in got], form)
        rows.append([kind.name, each("total", "{:.3f}"), sum(one["bad"] for one in got), each("setup_p99", "{:.1f}"), each("load", "{:.1f}")])
    table(["", "total", "failed calls", "INVITE to 200, p99, ms", "load average"], rows)
    pairs = [a["total"] / b["total"] for a, b in zip(rounds[Hearken], rounds[Unlogged])]
    print(f"Ratio, with the flight log to without, by round: {spread(pairs)}.\n")


def peak(rig):
    best = {}
    # The most that one team may list.
    run = lambda kind, rate: proxied(rig, kind, rate, rate * SECONDS_OF_PEAK, agents=10000)

    def passes(kind, rate):
        """Whether a rate passes; one failure is tried again, since the machine is shared."""
        for _ in range(2):
            got = run(kind, rate)
            good = got["bad"] <= PASSES * rate * SECONDS_OF_PEAK and got["offered_rate"] > 0.97 * rate and got["setup_p99"] < 500
            say(f"peak {kind.name} {rate}: {got['bad']} failed, {got['retransmitted']} retransmitted, set-up p99 {got['setup_p99']:.0f} ms, offered {got['offered_rate']:.0f}, SIPp busy {got['sipp_busy']:.2f}, load {got['load']:.1f}")
            if good:
                return True
        return False

    if RATES:
        return peak_table(run, [("", Hearken, rate) for rate in RATES])
    for kind in (Hearken, Kamailio):
        low, high, step = 0, 500, 500
        while passes(kind, high):
            step = 500 if high < 3000 else 1000
            low, high = high, high + step
        while high - low > 250:
            middle = (low + high) // 2
            low, high = (middle, high) if passes(kind, middle) else (low, middle)
        best[kind] = low
    print("### peak: the highest rate with under 0.1 % failures and INVITE to 200 under 0.5 s at p99, and beyond it\n")
    factors = (1, 1.5, 2, 3)
    peak_table(run, [(f"{factor:g}", kind, int(rate * factor)) for factor in factors for kind, rate in best.items()])


def peak_table(run, wished):
    """Measures each of `(times the peak, kind, rate)` in turn, `ROUNDS` times over."""
    found = [[] for _ in wished]
    for _ in range(ROUNDS):
        for (factor, kind, rate), rounds in zip(wished, found):
            got = run(kind, rate)
            ends = ", ".join(str(each) for each in got["steady"])
            say(f"peak {kind.name} {rate}: {got['success_rate']:.0f} succeed a second ({ends}), {got['bad']} failed, {got['retransmitted']} retransmitted, offered {got['offered_rate']:.0f}, SIPp busy {got['sipp_busy']:.2f}")
            rounds.append(got)
    rows = []
    for (factor, kind, rate), got in zip(wished, found):
        each = lambda key, form="{:.0f}": spread([one[key] for one in got], form)
        share = statistics.median(one["good"] / (one["good"] + one["bad"]) for one in got)
        cost = [1000 * (one["user"] + one["system"]) / max(one["good"], 1) for one in got]
        rows.append([factor, kind.name, rate, each("offered_rate"), each("success_rate"), f"{share:.2%}", each("setup_p99"), spread(cost), each("sipp_busy", "{:.2f}")])
    table(["times the peak", "", "calls/s wished", "truly offered", "succeed a second", "succeed in the end", "INVITE to 200, p99, ms", "CPU s per 1,000 that succeed", "SIPp's share of its core"], rows)


def wait_on_music(rig, count, hold, measure):
    """`count` callers wait on music, none is answered by an agent; calls `measure(server, legs, idle)`."""
    server = Hearken(rig, agents=1, logged_in=False)
    time.sleep(1)
    idle = memory(server.pid), descriptors(server.pid)
    # One SIPp has 2,500 different media ports to give.
    callers, left = [], count
    while left:
        share = min(left, 2500)
        callers.append(Sipp(rig, "caller_media", rig.neighbour(10 + len(callers)), rig.server, 250, share, hold=hold))
        left -= share
    until = time.monotonic() + 60
    while sum(len(caller.legs()) for caller in callers) < count and time.monotonic() < until:
        time.sleep(0.2)
    legs = [leg[:2] for caller in callers for leg in caller.legs()]
    if not legs:
        sys.exit(f"no call was taken:\n{server.stop()}")
    got = measure(server, legs, idle)
    ended = all([caller.wait(hold + 60) for caller in callers])
    good = sum(caller.so_far("SuccessfulCall(C)") for caller in callers)
    time.sleep(2)
    after = memory(server.pid)
    log = server.stop()
    if not ended or good != count:
        say(f"of {count} waiting calls {good} ended well\n{log[-2000:]}")
    return got, good, after


def memory_bench(rig):
    print("### memory: proportional set size of the daemon, KiB for each caller waiting on music\n")
    rows = []
    for count in (1000, 5000):
        for _ in range(2):

            def measure(server, legs, idle):
                sink = play(rig, legs, 8)
                time.sleep(5)
                now = memory(server.pid), descriptors(server.pid)
                answer = heard(rig, sink, 30)
                return len(legs), idle, now, answer

            (reached, idle, now, answer), good, after = wait_on_music(rig, count, 40, measure)
            each = (now[0] - idle[0]) / reached
            say(f"memory {count}: {idle[0]} -> {now[0]} -> {after} KiB, {each:.2f} each; {answer['rate_mean']:.1f} packets/s each")
            rows.append([reached, idle[0], now[0], f"**{each:.2f}**", after, now[1] - idle[1], f"{answer['rate_mean']:.1f}", good])
    table(["waiting", "idle, KiB", "with them, KiB", "KiB each", "after them, KiB", "descriptors more", "packets/s each", "calls that ended well"], rows)


def music(rig):
    print("### music: 1,000 callers waiting, 20 s\n")
    rows = []
    for _ in range(ROUNDS):

        def measure(server, legs, idle):
            sink = play(rig, legs, 22, 1)
            time.sleep(2)
            before, threads_before, began = *cpu(server.pid), time.monotonic()
            time.sleep(20)
            after, threads_after, took = *cpu(server.pid), time.monotonic() - began
            threads = {name: sum(threads_after[name]) - sum(threads_before.get(name, [0, 0])) for name in threads_after}
            return [100 * (after[i] - before[i]) / took for i in (0, 1)], threads, heard(rig, sink, 30)

        (spent, threads, answer), good, _ = wait_on_music(rig, 1000, 50, measure)
        say(f"music: {sum(spent):.1f} % of a core, {answer}")
        rows.append([
            f"{spent[0]:.1f}", f"{spent[1]:.1f}", f"**{sum(spent):.1f}**",
            f"{answer['rate_min']:.2f} / {answer['rate_mean']:.2f} / {answer['rate_max']:.2f}",
            f"{answer['gap_p50']:.1f} / {answer['gap_p99']:.1f} / {answer['gap_max']:.1f}",
            int(answer["silent"]), good, f"{load():.1f}",
        ])
    table(["user, % of a core", "system", "total", "packets/s by caller, least / mean / most", "ms between packets, p50 / p99 / most", "silent callers", "calls that ended well", "load average"], rows)


def relay(rig):
    print("### relay: 100 calls, sound both ways, 20 s (10,000 packets a second)\n")
    rows = []
    for _ in range(ROUNDS):
        server = Hearken(rig)
        callee = Sipp(rig, "agent_media", rig.callee)
        caller = Sipp(rig, "caller_media", rig.caller, rig.server, 50, 100, hold=40)
        until = time.monotonic() + 20
        while (len(caller.legs()) < 100 or len(callee.legs()) < 100) and time.monotonic() < until:
            time.sleep(0.2)
        if not caller.legs() or not callee.legs():
            sys.exit(f"no call was bridged:\n{server.stop()}")
        time.sleep(1)
        generator = play(rig, caller.legs() + callee.legs(), 22, 2)
        time.sleep(3)
        before, began = cpu(server.pid)[0], time.monotonic()
        time.sleep(20)
        after, took = cpu(server.pid)[0], time.monotonic() - began
        answer = heard(rig, generator, 30)
        caller.wait(60)
        callee.stop()
        server.stop()
        spent = [100 * (after[i] - before[i]) / took for i in (0, 1)]
        each = sum(spent) / 100 * 1e6 / (answer["received"] / 22)
        say(f"relay: {sum(spent):.1f} % of a core, {answer}")
        rows.append([
            f"{spent[0]:.1f}", f"{spent[1]:.1f}", f"**{sum(spent):.1f}**", f"{each:.1f}",
            f"{answer['delay_p50']:.2f} / {answer['delay_p99']:.2f} / {answer['delay_max']:.2f}",
            f"{answer['lost']:.3f}", int(answer["silent"]), caller.so_far("SuccessfulCall(C)"), f"{load():.1f}",
        ])
    table(["user, % of a core", "system", "total", "microseconds a packet", "delay, ms, p50 / p99 / most", "lost, %", "silent legs", "calls that ended well", "load average"], rows)


def notice(rig):
    seconds = int(os.environ.get("SECONDS_OF_NOTICE", 90))
    waiting = int(os.environ.get("WAITING", 80))
    print(f"### notice: 20 agents, {waiting} callers always waiting on music, {seconds} s; from an agent's BYE to the next INVITE\n")
    server = Hearken(rig, agents=20)
    callee = Sipp(rig, "agent_queue", rig.callee)
    trace = rig.dir / "trace.txt"
    fields = ["frame.time_epoch", "ip.src", "sip.Method", "sip.r-uri.user", "sip.Call-ID"]
    capture = rig.capture(rig.callee, "sip.Method", fields, trace)
    time.sleep(2)
    caller = Sipp(rig, "caller_queue", rig.caller, rig.server, 200, 100000, limit=waiting + 20)
    # Until the line is as long as it will be.
    time.sleep(waiting / 200 + 2)
    full = time.time()
    time.sleep(seconds)
    for sipp in (caller, callee):
        if sipp.process.poll() is not None:
            say(f"notice: SIPp ended early:\n{(rig.dir / (sipp.name + '.out')).read_text()[-2000:]}")
        sipp.stop()
    time.sleep(1)
    rig.finish(capture)
    server.stop()
    failed = caller.so_far("FailedCall(C)")
    agent_of, freed, waits, any_wait, invites, byes = {}, {}, [], [], 0, 0
    last_bye = None
    for line in trace.read_text().splitlines():
        parts = line.split("\t")
        if len(parts) != 5 or not re.match(r"\d+\.\d+$", parts[0]):
            continue
        at, source, method, user, call = float(parts[0]), *parts[1:]
        if at < full:
            if method == "INVITE" and source == rig.server:
                agent_of[call] = user
            continue
        if method == "INVITE" and source == rig.server and call not in agent_of:
            agent_of[call] = user
            invites += 1
            if user in freed:
                waits.append((at - freed.pop(user)) * 1000)
                if waits[-1] > 20:
                    say(f"notice: {waits[-1]:.1f} ms at {at:.3f} for {user}, load {load():.1f}")
            if last_bye is not None:
                any_wait.append((at - last_bye) * 1000)
                last_bye = None
        elif method == "BYE" and source == rig.callee and call in agent_of:
            byes += 1
            freed.setdefault(agent_of[call], at)
            last_bye = last_bye or at
    waits.sort()
    any_wait.sort()
    say(f"notice: {len(waits)} waits, {invites} INVITEs, {byes} BYEs, {failed} failed calls")
    rows = []
    for name, found in (("the same agent", waits), ("any agent", any_wait)):
        rows.append([name, len(found), *(f"{x:.2f}" for x in (centile(found, 0), centile(found, 0.5), centile(found, 0.99), centile(found, 1))), f"{load():.1f}"])
    table(["next INVITE to", "count", "least, ms", "p50", "p99", "most", "load average"], rows)


BENCHES = {"s1": s1, "flight": flight, "peak": peak, "memory": memory_bench, "music": music, "relay": relay, "notice": notice}


def main(names):
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        sys.exit(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    version = subprocess.run([os.environ["HEARKEN"], "--version"], capture_output=True, text=True).stdout.strip()
    with Rig() as rig:
        model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
        print(f"{time.strftime('%Y-%m-%d %H:%M')}, {version}, {os.cpu_count()} cores ({model}), load average {load():.1f}.")
        print("Three figures are least / **median** / greatest.\n")
        for name in names or BENCHES:
            BENCHES[name](rig)


if __name__ == "__main__":
    main(sys.argv[1:])
