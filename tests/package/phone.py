"""A SIP phone of one call, with as much of SIP as a call takes."""

import socket
import time


def until(what, ask, within=30):
    """Asks until there is an answer."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {within} s")


class Phone:
    HUB = ("127.0.0.1", 5060)

    def __init__(self, host, port):
        self.host = host
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind((host, port))
        self.port = self.sip.getsockname()[1]
        self.sip.settimeout(30)
        self.sound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sound.bind((host, 0))
        self.sound.settimeout(0.02)
        self.packets = 0

    def sdp(self):
        port = self.sound.getsockname()[1]
        return (
            f"v=0\r\no=- 1 1 IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
        )

    def send(self, start, headers, body=""):
        kind = ["Content-Type: application/sdp"] if body else []
        head = "\r\n".join([start, *headers, *kind, f"Content-Length: {len(body)}"])
        self.sip.sendto(f"{head}\r\n\r\n{body}".encode(), self.HUB)

    def request(self, method, number, to_tag=""):
        to = f"To: <sip:02079460101@127.0.0.1>{to_tag}"
        self.send(
            f"{method} sip:02079460101@127.0.0.1 SIP/2.0",
            [
                f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{method}{number}",
                f"From: <sip:+447700900123@{self.host}>;tag=caller",
                to,
                f"Call-ID: one@{self.host}",
                f"CSeq: {number} {method}",
                f"Contact: <sip:caller@{self.host}:{self.port}>",
                "Max-Forwards: 70",
            ],
            self.sdp() if method == "INVITE" else "",
        )

    def receive(self, start):
        """The next message that begins so; OPTIONS is answered in passing."""
        while True:
            text = self.sip.recv(65536).decode()
            if text.startswith("OPTIONS ") and not start.startswith("OPTIONS"):
                self.respond(text, "200 OK")
            elif text.startswith(start):
                return text

    def respond(self, request, status, body=""):
        lines = request.split("\r\n\r\n")[0].split("\r\n")[1:]
        names = ("via", "from", "call-id", "cseq")
        headers = [line for line in lines if line.split(":")[0].lower() in names]
        to = next(line for line in lines if line.lower().startswith("to:"))
        headers.append(to if ";tag=" in to else f"{to};tag=agent")
        headers.append(f"Contact: <sip:phone@{self.host}:{self.port}>")
        self.send(f"SIP/2.0 {status}", headers, body)

    def says_to(self, port, byte, other):
        """Sends packets of this byte until the other hears one."""

        def heard():
            self.packets += 1
            head = bytes([0x80, 8]) + self.packets.to_bytes(2, "big") + (160 * self.packets).to_bytes(4, "big")
            self.sound.sendto(head + b"\7\7\7\7" + bytes([byte]) * 160, ("127.0.0.1", port))
            return other.hears(byte)

        until(f"{self.host} is heard", heard)

    def hears(self, byte):
        try:
            while True:
                if self.sound.recv(2048)[12:] == bytes([byte]) * 160:
                    return True
        except TimeoutError:
            return False


def media_port(message):
    line = next(line for line in message.split("\r\n") if line.startswith("m=audio"))
    return int(line.split(" ")[1])


def to_tag(message):
    line = next(line for line in message.split("\r\n") if line.lower().startswith("to:"))
    return ";tag=" + line.split(";tag=")[1]
