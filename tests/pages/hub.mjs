// The real daemon with a hub of its own in a directory of its own, to be started, killed and started again.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { provide, SECRET } from "../e2e/provider.mjs";
import { Phone } from "./phone.mjs";

export const PASSWORD = "correct horse battery";
const PROGRAM = resolve(process.env.CARGO_TARGET_DIR || "target", "debug", "hearken");

const USERS = ["wall --role viewer", "olga --role supervisor --role ops --role engineer", "asha --role agent --agent asha", "dr-evans --role agent --agent dr-evans"];

const configuration = (sip, web, phones, issuer) => `
[sip]
listen = ["udp:127.0.0.1:${sip}"]
probe-phones-every = "0s"
[web]
listen = "127.0.0.1:${web}"
users = "users.toml"
[web.oidc]
issuer = "${issuer}"
client-id = "hearken"
client-secret-file = "oidc.secret"
redirect = "http://127.0.0.1:${web}/api/v1/oidc/return"
name = "Elm Trust"
[media]
first-port = 0
dead-media-after = "0s"
[distributor]
misses-before-pause = 0
rest-after-miss = "0s"
[ledger]
path = "calls.db"
[practice.elm-tree]
ods = "Y00001"
name = "Elm Tree Surgery"
[trunk.elm-tree]
from = ["127.0.0.2"]
practice = "elm-tree"
line = "elm-tree"
[trunk.as-999]
from = ["127.0.0.9"]
emergency = true
line = "emergency"
[agent.asha]
address = "${phones.asha.uri}"
[agent.dr-evans]
address = "${phones.evans.uri}"
[team.navigators]
agents = ["asha"]
[team.clinicians]
agents = ["dr-evans"]
[line.elm-tree]
teams = ["navigators"]
wrap-up = "60s"
[line.riverside]
teams = ["clinicians"]
[line.emergency]
teams = ["clinicians"]
wrap-up = "0s"
[pathway.pharmacy-first]
kind = "pharmacy"
address = "${phones.pharmacy.uri}"
capacity = 2
[stack.doctors]
teams = ["clinicians"]
[disposition.21]
words = "Advice given, no further help needed"
`;

/** A port that nobody has just now. */
async function freePort(address) {
    const server = createServer();
    await new Promise((done) => server.listen(0, address, done));
    const { port } = server.address();
    await new Promise((done) => server.close(done));
    return port;
}

/** The day that it is where the hub is, as "2026-11-16". */
export function today() {
    return new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/London" }).format();
}

/** A certificate for this host that nobody else has signed, and its key. */
function certificate(directory) {
    const [key, cert] = ["tls.key", "tls.pem"].map((name) => join(directory, name));
    const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    const name = ["-subj", "/CN=provider", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"];
    execFileSync("openssl", ["req", ...kind, ...name, "-keyout", key, "-out", cert], { stdio: "ignore" });
    return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** Hub, phones and users. */
export class Hub {
    static async open() {
        const hub = new Hub();
        hub.directory = mkdtempSync(join(tmpdir(), "hearken-pages-"));
        hub.phones = {
            asha: await Phone.open("127.0.0.21"),
            evans: await Phone.open("127.0.0.25"),
            pharmacy: await Phone.open("127.0.0.32"),
            surgery: await Phone.open("127.0.0.2"),
            emergency: await Phone.open("127.0.0.9"),
        };
        const [sip, web] = [await freePort("127.0.0.1"), await freePort("127.0.0.1")];
        hub.sip = { address: "127.0.0.1", port: sip };
        hub.base = `http://127.0.0.1:${web}`;
        hub.provider = await provide(`${hub.base}/api/v1/oidc/return`, { tls: certificate(hub.directory) });
        writeFileSync(join(hub.directory, "oidc.secret"), SECRET, { mode: 0o600 });
        const users = USERS.map((words) => execFileSync(PROGRAM, ["user", ...words.split(" ")], { input: PASSWORD }).toString());
        const withToken = (...words) => {
            const { stdout, stderr } = spawnSync(PROGRAM, ["user", ...words, "--token"], { encoding: "utf8" });
            users.push(stdout);
            return stderr.trim().split(" ").pop();
        };
        hub.token = withToken("screen");
        hub.supervisor = withToken("desk", "--role", "supervisor");
        users.push('[user.kim]\noidc = "kim@trust.example"\nroles = ["viewer"]\n');
        writeFileSync(join(hub.directory, "users.toml"), users.join(""), { mode: 0o600 });
        writeFileSync(join(hub.directory, "hearken.toml"), configuration(sip, web, hub.phones, hub.provider.issuer));
        await hub.start();
        return hub;
    }

    async start() {
        this.process = spawn(PROGRAM, ["run", "--config", "hearken.toml"], {
            cwd: this.directory,
            stdio: ["ignore", "pipe", "pipe"],
            // The provider's certificate is one that the host trusts.
            env: { ...process.env, TZ: "Europe/London", SSL_CERT_FILE: join(this.directory, "tls.pem") },
        });
        this.said = "";
        this.process.stderr.on("data", (bytes) => (this.said += bytes));
        this.ended = new Promise((done) => this.process.once("exit", done));
        await new Promise((ready, failed) => {
            createInterface({ input: this.process.stdout }).on("line", (line) => {
                this.said += `${line}\n`;
                if (line === "ready") ready();
            });
            this.ended.then(() => failed(new Error(`the daemon did not start:\n${this.said}`)));
        });
    }

    async kill() {
        this.process.kill("SIGKILL");
        await this.ended;
    }

    /** What `hearken report` says of the ledger, as JSON. */
    report(...options) {
        return JSON.parse(execFileSync(PROGRAM, ["report", "--config", "hearken.toml", ...options], { cwd: this.directory }));
    }

    /** A call from a patient of the surgery. */
    surgeryCall(number) {
        return this.phones.surgery.call(this.sip, number);
    }

    /** The patient hangs up on asha, whose wrap-up is ended at once: the next test finds her free. */
    async endTalk(call) {
        this.phones.surgery.hangUp(call);
        const order = {
            method: "POST",
            headers: { authorization: `Bearer ${this.supervisor}`, "content-type": "application/json" },
            body: '{ "end": true }',
        };
        for (;;) {
            const answer = await fetch(`${this.base}/api/v1/agents/asha/wrap-up`, order);
            if (answer.ok) return;
            // Until the BYE is there she talks.
            if (answer.status !== 409) throw new Error(await answer.text());
            await new Promise((done) => setTimeout(done, 50));
        }
    }

    emergencyCall() {
        return this.phones.emergency.call(this.sip, "+447700900999");
    }

    async close() {
        await this.kill();
        this.provider.close();
        Object.values(this.phones).forEach((phone) => phone.close());
        rmSync(this.directory, { recursive: true });
    }
}
