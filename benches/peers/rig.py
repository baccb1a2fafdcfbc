"""The rig of the bench: servers on core 0, load on core 1, and what /proc says of them.

Everything runs at loopback addresses that nothing else uses, in a directory that is removed afterwards.
Only processes that were started here are ever stopped.
"""

import csv
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TICKS = os.sysconf("SC_CLK_TCK")
SIP_PORT = 5060
MEDIA_PORT = 20000


def say(text):
    """Progress, on standard error: the tables own standard output."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def load():
    """The one-minute load average, for quoting beside a figure."""
    return os.getloadavg()[0]


class Rig:
    """Addresses, a directory and the processes of one run."""

    def __init__(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.dir = Path(tempfile.mkdtemp(prefix="peers-"))
        self.running = []
        self.server, self.caller, self.callee = self._addresses()
        self.rtp = self.dir / "rtp"
        # Under names of their own, so that nobody else's clean-up by name stops them.
        self.sipp, self.kamailio = self.dir / "bench-sipp", self.dir / "bench-kamailio"
        self.sipp.symlink_to(shutil.which("sipp"))
        self.kamailio.symlink_to(shutil.which("kamailio"))
        subprocess.run(["cc", "-O2", "-o", self.rtp, HERE / "rtp.c"], check=True)

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            stop(process, signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def _addresses(self):
        """Three neighbouring loopback addresses whose SIP ports are free."""
        while True:
            net = f"127.{random.randint(16, 250)}.{random.randint(0, 250)}"
            names = [f"{net}.{host}" for host in (1, 2, 3)]
            try:
                for name in names:
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                        probe.bind((name, SIP_PORT))
                return names
            except OSError:
                continue

    def neighbour(self, host):
        """Another address of the same network, for more callers."""
        return self.server.rsplit(".", 1)[0] + f".{host}"

    def start(self, core, command, output=subprocess.DEVNULL):
        """Starts a command on one core, in a session of its own."""
        process = subprocess.Popen(
            ["nice", "-n", os.environ.get("NICE", "0"), "taskset", "-c", str(core), *map(str, command)],
            cwd=self.dir,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.running.append(process)
        # Each session is scheduled as a group, whose niceness is not that of its processes.
        group = Path(f"/proc/{process.pid}/autogroup")
        if os.environ.get("NICE", "0") != "0" and group.exists():
            group.write_text(os.environ["NICE"])
        return process

    def capture(self, host, show, fields, into):
        """tshark, writing the `fields` of the SIP messages from and to `host` that are to be shown into a file."""
        named = [word for field in fields for word in ("-e", field)]
        return self.start(1, [
            "tshark", "-Q", "-l", "-n", "-i", "lo", "-f", f"udp port {SIP_PORT} and host {host}",
            "-d", f"udp.port=={SIP_PORT},sip", "-Y", show, "-T", "fields", *named,
        ], open(into, "w"))

    def finish(self, process, how=signal.SIGTERM):
        stop(process, how)
        self.running.remove(process)


def stop(process, how):
    """Stops a process of ours and whatever it started; kills it when it takes over five seconds."""
    for wish in (how, signal.SIGKILL):
        try:
            os.killpg(process.pid, wish)
        except ProcessLookupError:
            pass
        try:
            process.wait(5)
            return
        except subprocess.TimeoutExpired:
            continue


def family(pid):
    """A process and its children."""
    listed = subprocess.run(["ps", "--no-headers", "-o", "pid", "--ppid", str(pid)], capture_output=True, text=True)
    return [pid, *map(int, listed.stdout.split())]


def cpu(pid):
    """(user, system) seconds of a process and its children so far, and the same by thread name."""
    total, threads = [0.0, 0.0], {}
    for member in family(pid):
        for task in Path(f"/proc/{member}/task").iterdir():
            try:
                text = (task / "stat").read_text()
            except OSError:
                continue
            name = text[text.index("(") + 1 : text.rindex(")")]
            fields = text[text.rindex(")") + 2 :].split()
            spent = int(fields[11]) / TICKS, int(fields[12]) / TICKS
            mine = threads.setdefault(name, [0.0, 0.0])
            for i in (0, 1):
                total[i] += spent[i]
                mine[i] += spent[i]
    return tuple(total), threads


def memory(pid):
    """Proportional set size of a process and its children, KiB."""
    sizes = 0
    for member in family(pid):
        for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                sizes += int(line.split()[1])
    return sizes


def descriptors(pid):
    return sum(len(os.listdir(f"/proc/{member}/fd")) for member in family(pid))


class Hearken:
    """The daemon with `agents` agents, all at one address, and one line whose callers hear music."""

    name = "Hearken"
    flight = "true"

    def __init__(self, rig, agents=1000, logged_in=True, more=""):
        self.rig = rig
        names = [f"a{i}" for i in range(agents)]
        log = "" if logged_in else "logged-in = false\n"
        text = f"""[sip]
listen = ["udp:{rig.server}:{SIP_PORT}"]
max-calls = 100000
probe-phones-every = "0s"
[media]
first-port = 0
# SIPp sends no sound, and would not know what to say when asked whether its call still stands.
dead-media-after = "0s"
[ledger]
path = "{rig.dir}/hearken.db"
[flight]
on = {self.flight}
directory = "{rig.dir}/flight"
[clip.welcome]
file = "{ROOT}/config/prompts/welcome.wav"
[clip.waiting]
file = "{ROOT}/config/prompts/waiting.wav"
[trunk.t]
from = ["{rig.server.rsplit('.', 1)[0]}.0/24"]
line = "l"
[line.l]
greeting = "welcome"
music = "waiting"
teams = ["t"]
wrap-up = "0s"
[team.t]
agents = [{', '.join(f'"{name}"' for name in names)}]
"""
        text += "".join(f'[agent.{name}]\naddress = "sip:{name}@{rig.callee}:{SIP_PORT}"\n{log}' for name in names)
        (rig.dir / "hearken.toml").write_text(text + more)
        for old in rig.dir.glob("hearken.db*"):
            old.unlink()
        shutil.rmtree(rig.dir / "flight", ignore_errors=True)
        self.output = open(rig.dir / "hearken.out", "w")
        command = [os.environ["HEARKEN"], "run", "--config", rig.dir / "hearken.toml"]
        self.process = rig.start(os.environ.get("CORES", "0"), command, self.output)
        self.pid = self.process.pid
        await_line(self.process, rig.dir / "hearken.out", "ready")

    def stop(self):
        self.rig.finish(self.process, signal.SIGINT)
        self.output.close()
        return (self.rig.dir / "hearken.out").read_text()


class Unlogged(Hearken):
    """The same without its flight log."""

    name = "Hearken without flight log"
    flight = "false"


class Kamailio:
    """A stateful record-routing proxy, four workers, that sends every call on to the callee's address."""

    name = "Kamailio"

    def __init__(self, rig, **_):
        self.rig = rig
        text = (HERE / "kamailio.cfg").read_text()
        text = text.replace("@LISTEN@", f"{rig.server}:{SIP_PORT}").replace("@CALLEE@", f"{rig.callee}:{SIP_PORT}")
        (rig.dir / "kamailio.cfg").write_text(text)
        self.output = open(rig.dir / "kamailio.out", "w")
        command = [rig.kamailio, "-DD", "-E", "-m", "512", "-M", "32", "-n", "4", "-Y", rig.dir, "-f", rig.dir / "kamailio.cfg"]
        self.process = rig.start(0, command, self.output)
        self.pid = self.process.pid
        await_socket(self.process, rig.server, rig.dir / "kamailio.out")
        time.sleep(2)

    def stop(self):
        self.rig.finish(self.process)
        self.output.close()
        return (self.rig.dir / "kamailio.out").read_text()


def await_line(process, path, line, seconds=30):
    until = time.monotonic() + seconds
    while line not in path.read_text():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"did not start:\n{path.read_text()}")
        time.sleep(0.05)


def await_socket(process, ip, output, seconds=30):
    """Waits until the SIP port of an address is open."""
    wanted = f"{int.from_bytes(socket.inet_aton(ip), 'little'):08X}:{SIP_PORT:04X}"
    until = time.monotonic() + seconds
    while wanted not in Path("/proc/net/udp").read_text():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"did not start:\n{output.read_text()}")
        time.sleep(0.01)


class Sipp:
    """One SIPp on core 1, playing one scenario."""

    count = 0

    def __init__(self, rig, scenario, local, remote=None, rate=None, calls=None, hold=None, limit=100000, extra=()):
        Sipp.count += 1
        self.rig = rig
        self.name = f"{scenario}{Sipp.count}"
        self.stats_path = rig.dir / f"{self.name}.csv"
        self.legs_path = rig.dir / f"{self.name}.legs"
        shutil.copy(HERE / "scenarios" / f"{scenario}.xml", rig.dir / f"{self.name}.xml")
        command = [rig.sipp, "-sf", f"{self.name}.xml", "-i", local, "-mi", local, "-p", SIP_PORT, "-mp", MEDIA_PORT]
        command += ["-nostdin", "-buff_size", 4000000, "-trace_stat", "-stf", self.stats_path, "-fd", 1, "-l", limit]
        if scenario in ("caller", "agent"):
            # A media port for each call: SIPp's own numbering gives one port to two calls of the same second.
            ports = rig.dir / "ports.csv"
            ports.write_text("SEQUENTIAL\n" + "".join(f"{port}\n" for port in range(20000, 60000, 2)))
            command += ["-inf", ports]
        if "media" in scenario:
            command += ["-trace_logs", "-log_file", self.legs_path]
        if remote:
            command += [f"{remote}:{SIP_PORT}", "-s", "100", "-r", rate, "-m", calls, "-trace_rtt", "-rtt_freq", 100]
        if hold is not None:
            command += ["-d", int(hold * 1000)]
        self.output = open(rig.dir / f"{self.name}.out", "w")
        self.process = rig.start(1, [*command, *extra], self.output)
        await_socket(self.process, local, rig.dir / f"{self.name}.out")
        self.started = time.monotonic()

    def cpu(self):
        return sum(cpu(self.process.pid)[0])

    def wait(self, seconds):
        """Waits for the end; false when it had to be stopped instead."""
        try:
            # SIPp answers 1 when calls failed, and is dead of a fault of its own below 0.
            ended = self.process.wait(seconds) >= 0
            if not ended:
                say(f"{self.name} died of signal {-self.process.returncode}")
        except subprocess.TimeoutExpired:
            ended = False
        self.stop()
        return ended

    def stop(self):
        if self.process in self.rig.running:
            self.rig.finish(self.process)
            self.output.close()

    def seconds(self):
        """One row of statistics for each second that passed."""
        if not self.stats_path.exists():
            return []
        with open(self.stats_path, newline="") as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        return [row for row in rows if row.get("CurrentCall") not in (None, "")]

    def so_far(self, column):
        rows = self.seconds()
        return int(rows[-1][column]) if rows else 0

    def setup_times(self):
        """Milliseconds from INVITE to 200 of each call, sorted."""
        found = []
        for path in self.rig.dir.glob(f"{self.name}_*_rtt.csv"):
            for line in path.read_text().splitlines()[1:]:
                fields = line.split(";")
                if len(fields) >= 3 and fields[2].strip() == "1":
                    found.append(float(fields[1]))
        return sorted(found)

    def legs(self):
        """(local ip, local port, remote ip, remote port) of each answered call's sound."""
        if not self.legs_path.exists():
            return []
        lines = [line.split() for line in self.legs_path.read_text().splitlines()]
        # The scenarios' [auto_media_port+100], as SIPp reckons it from the number of the call.
        return [(ip, str(MEDIA_PORT + 100 + 4 * (int(call) - 1) % 10000), *far) for ip, call, *far in lines if len(far) == 2]


def play(rig, legs, seconds, warm_up=2):
    """Starts the RTP program over `legs`; `heard` reads its answer."""
    path = rig.dir / f"legs{random.random()}"
    path.write_text("".join(" ".join(leg) + "\n" for leg in legs))
    output = open(rig.dir / f"{path.name}.out", "w")
    process = rig.start(1, [rig.rtp, path, seconds, warm_up], output)
    process.answer = rig.dir / f"{path.name}.out"
    return process


def heard(rig, process, seconds):
    """The RTP program's answer, once it is done."""
    process.wait(seconds)
    rig.running.remove(process)
    text = process.answer.read_text()
    if "=" not in text:
        raise RuntimeError(f"the RTP program failed: {text}")
    return {key: float(value) for key, value in (pair.split("=") for pair in text.split())}
