// A SIP phone over UDP, as much of one as these tests need: callers' and agents'.

import { createSocket } from "node:dgram";

let made = 0;

const sdp = (address) =>
    ["v=0", `o=- 1 1 IN IP4 ${address}`, "s=-", `c=IN IP4 ${address}`, "t=0 0", "m=audio 40000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", ""].join("\r\n");

const header = (message, name) => {
    const found = new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(message);
    return found && found[1].trim();
};

/** One phone at its own address. It answers calls that come when told to, and is always there. */
export class Phone {
    static async open(address, port = 0) {
        const phone = new Phone();
        phone.address = address;
        phone.socket = createSocket("udp4");
        phone.socket.on("message", (bytes, from) => phone.take(bytes.toString("latin1"), from));
        await new Promise((done, failed) => phone.socket.once("error", failed).bind(port, address, done));
        phone.port = phone.socket.address().port;
        phone.calls = new Map(); // by Call-ID
        phone.hears = [];
        return phone;
    }

    get uri() {
        return `sip:phone@${this.address}:${this.port}`;
    }

    close() {
        this.socket.close();
    }

    send(to, first, headers, body = "") {
        const kind = body ? ["Content-Type: application/sdp"] : [];
        const lines = [first, ...headers, ...kind, `Content-Length: ${body.length}`, "", body];
        this.socket.send(lines.join("\r\n"), to.port, to.address);
    }

    /** Rings the daemon; gives the call once it is answered. */
    async call(hub, number = "+442079460001") {
        const id = `call-${(made += 1)}-${this.port}@${this.address}`;
        const call = { id, hub, cseq: 1, from: `<sip:${number}@${this.address}>;tag=a${made}`, to: `<sip:200@${hub.address}>` };
        call.answered = new Promise((done) => (call.answer = done));
        this.calls.set(id, call);
        const cli = [`P-Asserted-Identity: <sip:${number}@${this.address}>`];
        const ask = () => this.request(call, "INVITE", 1, sdp(this.address), cli);
        ask();
        const again = setInterval(ask, 500);
        await call.answered;
        clearInterval(again);
        return call;
    }

    request(call, method, cseq, body, more = []) {
        const branch = `z9hG4bK${method}${cseq}${call.id.replace(/\W/g, "")}`;
        this.send(
            call.hub,
            `${method} ${call.target || `sip:200@${call.hub.address}:${call.hub.port}`} SIP/2.0`,
            [
                `Via: SIP/2.0/UDP ${this.address}:${this.port};branch=${branch}`,
                "Max-Forwards: 70",
                `From: ${call.from}`,
                `To: ${call.to}`,
                `Call-ID: ${call.id}`,
                `CSeq: ${cseq} ${method}`,
                `Contact: <${this.uri}>`,
                ...more,
            ],
            body,
        );
    }

    /** Ends a call that is up. */
    hangUp(call) {
        this.calls.delete(call.id);
        this.request(call, "BYE", (call.cseq += 1));
    }

    /** Answers the call that rings, or the next one that does. */
    async answer() {
        const call = await this.ringing();
        call.state = "up";
        this.respond(call.invite, call.hub, "200 OK", call.tag, sdp(this.address));
        return call;
    }

    async ringing() {
        for (;;) {
            const call = Array.from(this.calls.values()).find((call) => call.state === "ringing");
            if (call) return call;
            await new Promise((done) => this.hears.push(done));
        }
    }

    respond(request, to, status, tag, body) {
        const via = request.match(/^Via:.*$/gim) || [];
        const target = header(request, "To");
        this.send(
            to,
            `SIP/2.0 ${status}`,
            [
                ...via,
                `From: ${header(request, "From")}`,
                `To: ${/;tag=/.test(target) ? target : `${target};tag=${tag}`}`,
                `Call-ID: ${header(request, "Call-ID")}`,
                `CSeq: ${header(request, "CSeq")}`,
                `Contact: <${this.uri}>`,
            ],
            body,
        );
    }

    take(message, from) {
        const id = header(message, "Call-ID");
        const call = this.calls.get(id);
        if (message.startsWith("SIP/2.0 ")) return this.answered(call, message);
        const method = message.split(" ", 1)[0];
        if (method === "ACK") return undefined;
        if (method === "INVITE" && !/;tag=/.test(header(message, "To"))) return this.rung(call, id, message, from);
        if (method === "CANCEL" && call) {
            this.respond(message, from, "200 OK", call.tag);
            this.respond(call.invite, from, "487 Request Terminated", call.tag);
            return this.calls.delete(id);
        }
        if (method === "BYE") this.calls.delete(id);
        return this.respond(message, from, "200 OK", "x", method === "INVITE" ? sdp(this.address) : "");
    }

    rung(call, id, message, from) {
        if (!call) {
            const contact = /<([^>]+)>/.exec(header(message, "Contact"))[1];
            call = { id, hub: from, cseq: 1, state: "ringing", invite: message, tag: `b${(made += 1)}`, target: contact };
            call.from = `${header(message, "To")};tag=${call.tag}`;
            call.to = header(message, "From");
            this.calls.set(id, call);
        }
        if (call.state === "ringing") this.respond(message, from, "180 Ringing", call.tag);
        this.hears.splice(0).forEach((done) => done());
    }

    answered(call, message) {
        if (!call || !/^\d+ INVITE/.test(header(message, "CSeq")) || !message.startsWith("SIP/2.0 200")) return;
        call.to = header(message, "To");
        call.target = /<([^>]+)>/.exec(header(message, "Contact"))[1];
        this.request(call, "ACK", 1);
        call.answer(call);
    }
}
