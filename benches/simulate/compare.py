"""The same queue, M/M/100+M with 100 calls and 100 talks a minute and a mean patience of a minute, in Hearken, Ciw and SimPy.

    cargo build --release
    python3 -m venv target/python && target/python/bin/pip install ciw==3.2.7 simpy==4.1.2
    target/python/bin/python -B benches/simulate/compare.py [target/release/hearken]

All run on one core, one after the other, three rounds; Hearken as a whole process, the others without their start.
Prints customers a second, and what share gave up: 0.0399 by Erlang A.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ciw
import simpy

AGENTS = 100
RATE = 100.0
HOURS = {"hearken": 24, "ciw": 2, "simpy": 2}
ROUNDS = 3


def hearken(binary, seed):
    with tempfile.TemporaryDirectory() as directory:
        config, load = Path(directory, "hearken.toml"), Path(directory, "load.toml")
        names = [f"a{number}" for number in range(AGENTS)]
        phones = "".join(
            f'[agent.{name}]\naddress = "sip:a@127.3.0.{number + 1}:5060"\n' for number, name in enumerate(names)
        )
        config.write_text(
            f'[sip]\nlisten = ["udp:127.0.0.1:5060"]\n[team.all]\nagents = {json.dumps(names)}\n{phones}'
            '[line.gp]\nteams = ["all"]\nwrap-up = "0s"\n[trunk.gp]\nfrom = ["127.9.0.1"]\nline = "gp"\n'
        )
        load.write_text(
            'date = "2026-11-23"\n[profile.even]\nsteps = [{ from = "00:00", share = 1 }]\n'
            '[callers.all]\ntalk = { exponential = "1m" }\npatience = { exponential = "1m" }\nredial = 0\n'
            f'[[calls]]\ntrunks = ["gp"]\nper-day = {RATE * 1440}\nprofile = "even"\ncallers = "all"\n'
            '[[staff]]\nteams = ["all"]\npick-up = { fixed = "0s" }\n'
        )
        command = [binary, "simulate", "--load", load, "--policy", config, "--seed", str(seed), "--json"]
        begun = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=True)
        seconds = time.perf_counter() - begun
    policy = json.loads(done.stdout)["policies"][0]
    figures = policy["all"]
    return figures["calls"]["mean"], figures["abandoned_share"]["mean"], seconds, policy["events"][0]


def in_ciw(seed):
    ciw.seed(seed)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(RATE)],
        service_distributions=[ciw.dists.Exponential(1.0)],
        reneging_time_distributions=[ciw.dists.Exponential(1.0)],
        number_of_servers=[AGENTS],
    )
    begun = time.perf_counter()
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(HOURS["ciw"] * 60)
    records = simulation.get_all_records()
    seconds = time.perf_counter() - begun
    reneged = sum(record.record_type == "renege" for record in records)
    return len(records), reneged / len(records), seconds, None


def in_simpy(seed):
    dice = random.Random(seed)
    environment = simpy.Environment()
    agents = simpy.Resource(environment, AGENTS)
    counts = {"served": 0, "gave up": 0}

    def caller():
        with agents.request() as request:
            outcome = yield request | environment.timeout(dice.expovariate(1.0))
            if request in outcome:
                yield environment.timeout(dice.expovariate(1.0))
                counts["served"] += 1
            else:
                counts["gave up"] += 1

    def arrivals():
        while True:
            yield environment.timeout(dice.expovariate(RATE))
            environment.process(caller())

    environment.process(arrivals())
    begun = time.perf_counter()
    environment.run(until=HOURS["simpy"] * 60)
    seconds = time.perf_counter() - begun
    customers = sum(counts.values())
    return customers, counts["gave up"] / customers, seconds, None


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else "target/release/hearken"
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    runs = {"hearken": lambda seed: hearken(binary, seed), "ciw": in_ciw, "simpy": in_simpy}
    rates = {name: [] for name in runs}
    print(f"load average {os.getloadavg()[0]:.1f}")
    for round_number in range(1, ROUNDS + 1):
        for name, run in runs.items():
            customers, gave_up, seconds, events = run(round_number)
            rates[name].append(customers / seconds)
            more = f", {events / seconds:,.0f} events/s" if events else ""
            print(f"{name:8} {customers:9,.0f} customers in {seconds:6.2f} s: {customers / seconds:10,.0f} a second, "
                  f"{gave_up:.4f} gave up{more}", flush=True)
    medians = {name: statistics.median(rate) for name, rate in rates.items()}
    for name in ("ciw", "simpy"):
        print(f"Hearken is {medians['hearken'] / medians[name]:.0f} times as fast as {name}")


main()
