"""The Debian package: built, installed, upgraded with a call up, removed and purged.

In a copy of this system that is thrown away (an overlay of its root, with processes and network of its own), where
`systemctl` is the script beside this file. Needs root.
"""

import os
import queue
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import urllib.request

sys.path.insert(0, os.path.dirname(__file__))
from build import build
from phone import Phone, media_port, to_tag, until

APART = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private"]


def main():
    program = os.environ.get("CARGO_TARGET_DIR", "target") + "/debug/hearken"
    check_exposure()
    if subprocess.run([*APART, "true"], capture_output=True).returncode:
        print("!!! NOT TESTED: the package is not installed, as no copy of the system can be made here")
        return
    with tempfile.TemporaryDirectory() as scratch:
        for version in ["0.1.0-1", "0.1.1-1"]:
            build(program, version, scratch)
        # The shell is the first process of the copy: it buries those that nobody waits for.
        within = f'python3 -B "{__file__}" within "{scratch}"; exit $?'
        sys.exit(subprocess.run([*APART, "sh", "-c", within]).returncode)


def check_exposure():
    """How much of the system the unit leaves open to the daemon, as systemd counts it."""
    analyse = ["systemd-analyze", "security", "--offline=true", "--no-pager", "config/hearken.service"]
    said = subprocess.run(analyse, check=True, capture_output=True, text=True).stdout
    exposure = float(re.search(r"Overall exposure level.*: ([0-9.]+)", said).group(1))
    assert exposure < 2.0, said
    print(f"exposure of the unit: {exposure}")


class System:
    """The copy of this system."""

    def __init__(self, scratch):
        self.root = f"{scratch}/root"
        for directory in ["layer", "root"]:
            os.mkdir(f"{scratch}/{directory}")
        run("mount", "-t", "tmpfs", "none", f"{scratch}/layer")
        for directory in ["upper", "work"]:
            os.mkdir(f"{scratch}/layer/{directory}")
        layers = f"lowerdir=/,upperdir={scratch}/layer/upper,workdir={scratch}/layer/work"
        run("mount", "-t", "overlay", "overlay", "-o", layers, self.root)
        run("mount", "-t", "proc", "proc", f"{self.root}/proc")
        run("mount", "--bind", "/dev", f"{self.root}/dev")
        run("ip", "link", "set", "lo", "up")
        shutil.copy(f"{os.path.dirname(__file__)}/systemctl", self.at("/usr/bin/systemctl"))
        os.makedirs(self.at("/run/systemd/system"), exist_ok=True)
        for package in os.listdir(scratch):
            if package.endswith(".deb"):
                shutil.copy(f"{scratch}/{package}", self.at("/run"))
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(self.at("/run/notify"))
        os.chmod(self.at("/run/notify"), 0o777)
        # Read at once: little waits in such a socket, and the daemon waits for nobody.
        self.told = queue.SimpleQueue()
        threading.Thread(target=self.listen, daemon=True).start()

    def at(self, path):
        return self.root + path

    def run(self, *command):
        done = subprocess.run(["chroot", self.root, *command], capture_output=True, text=True)
        said = done.stdout + done.stderr
        if done.returncode:
            raise AssertionError(f"{command}: {said}\n{self.log()}")
        return said

    def log(self):
        try:
            with open(self.at("/run/hearken.log")) as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def listen(self):
        while True:
            self.told.put(self.manager.recv(100).decode())

    def tells(self, word):
        """The daemon tells its manager this, sooner or later."""
        while self.told.get(timeout=30) != word:
            pass

    def asked_of_systemctl(self):
        with open(self.at("/run/systemctl.log")) as log:
            asked = log.read().splitlines()
        os.remove(self.at("/run/systemctl.log"))
        return asked

    def pid(self):
        with open(self.at("/run/hearken.pid")) as file:
            return int(file.read())

    def runs_what_is_installed(self):
        running = os.stat(f"{self.root}/proc/{self.pid()}/exe")
        installed = os.stat(self.at("/usr/bin/hearken"))
        return (running.st_dev, running.st_ino) == (installed.st_dev, installed.st_ino)

    def mode(self, path):
        status = os.stat(self.at(path))
        return oct(status.st_mode & 0o7777)


def run(*command):
    subprocess.run(command, check=True)


def within(scratch):
    system = System(scratch)

    system.run("dpkg", "-i", "/run/hearken_0.1.0-1.deb")
    assert system.asked_of_systemctl() == ["daemon-reload", "enable hearken.service", "start hearken.service"]
    system.tells("READY=1")
    system.tells("WATCHDOG=1")
    user = system.run("id", "-u", "hearken").strip()
    assert str(os.stat(f"{system.root}/proc/{system.pid()}").st_uid) == user != "0"
    assert system.mode("/var/lib/hearken") == "0o700"
    assert system.mode("/etc/hearken/hearken.toml") == "0o640"
    assert system.mode("/var/lib/hearken/hearken.db") == "0o600"
    system.run("hearken", "check", "--config", "/etc/hearken/hearken.toml")
    said = system.run("systemd-analyze", "verify", "hearken.service")
    assert "hearken" not in said, said
    assert urllib.request.urlopen("http://127.0.0.1:8080/healthz").status == 200
    print("installed: runs as its user, is ready, and answers")

    with open(system.at("/etc/hearken/hearken.toml"), "a") as file:
        file.write("# of this site\n")
    caller, agents = Phone("127.0.0.2", 5060), [Phone(f"127.0.0.{21 + n}", 5080) for n in range(4)]
    caller.request("OPTIONS", 1)
    caller.receive("SIP/2.0 200")
    caller.request("INVITE", 2)
    answer = caller.receive("SIP/2.0 200")
    caller.request("ACK", 2, to_tag(answer))
    agent, invite = rung(agents)
    agent.respond(invite, "200 OK", agent.sdp())
    agent.receive("ACK ")
    hear_each_other(caller, agent, answer, invite, 0x21)
    before = system.pid()
    system.run("dpkg", "-i", "/run/hearken_0.1.1-1.deb")
    asked = system.asked_of_systemctl()
    assert asked[0] == "daemon-reload" and "start" not in str(asked) and "stop" not in str(asked), asked
    system.tells("READY=1")
    assert system.pid() == before and system.runs_what_is_installed(), system.log()
    hear_each_other(caller, agent, answer, invite, 0x31)
    with open(system.at("/etc/hearken/hearken.toml")) as file:
        assert file.read().endswith("# of this site\n"), "an upgrade leaves the configuration alone"
    caller.request("BYE", 3, to_tag(answer))
    caller.receive("SIP/2.0 200")
    agent.respond(agent.receive("BYE "), "200 OK")
    print("upgraded: the call that was up goes on under the new program")

    ledger = system.at("/var/lib/hearken/hearken.db")

    def outcomes():
        return sqlite3.connect(ledger).execute("SELECT outcome FROM calls").fetchall()

    until("the call in the ledger", outcomes)

    def removed():
        system.run("dpkg", "-r", "hearken")
        system.tells("STOPPING=1")
        asked = system.asked_of_systemctl()
        assert asked == ["stop hearken.service", "daemon-reload"], asked

    removed()
    system.run("dpkg", "-i", "/run/hearken_0.1.1-1.deb")
    system.tells("READY=1")
    assert system.asked_of_systemctl()[-1] == "start hearken.service"
    print("removed and installed again: runs again")

    removed()
    assert not os.path.exists(system.at("/usr/bin/hearken"))
    assert outcomes() == [("answered",)] and os.path.exists(system.at("/etc/hearken/hearken.toml"))
    print("removed: drained; the ledger and the configuration are still there")

    system.run("dpkg", "-P", "hearken")
    wanted = "/etc/systemd/system/multi-user.target.wants/hearken.service"
    for path in ["/var/lib/hearken", "/etc/hearken", "/usr/share/doc/hearken", wanted]:
        assert not os.path.lexists(system.at(path)), path
    gone = subprocess.run(["chroot", system.root, "id", "hearken"], capture_output=True)
    assert gone.returncode, "the user is gone"
    print("purged: nothing is left\n\n     Summary 5 tests run: 5 passed, 0 skipped")


def rung(agents):
    """The agent whose phone rings, and the INVITE."""

    def ringing():
        for agent in agents:
            agent.sip.setblocking(False)
            try:
                text = agent.sip.recv(65536).decode()
            except BlockingIOError:
                continue
            finally:
                agent.sip.settimeout(30)
            if text.startswith("INVITE "):
                return agent, text
            agent.respond(text, "200 OK")

    return until("a phone that rings", ringing)


def hear_each_other(caller, agent, answer, invite, byte):
    caller.says_to(media_port(answer), byte, agent)
    agent.says_to(media_port(invite), byte + 1, caller)


if __name__ == "__main__":
    if sys.argv[1:2] == ["within"]:
        within(sys.argv[2])
    else:
        main()
