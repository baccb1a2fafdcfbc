// The rules: the file in force, and any other: what is wrong with it, what it would change, what it would decide, and
// how it is put into force.

import { ask } from "./api.js";
import { applying } from "./apply.js";
import { byId, el, empty, keep, options, say, tell } from "./dom.js";
import { whoAmI } from "./frame.js";
import { past } from "./past.js";
import { count, day, hourAndMinute, lastMonday } from "./words.js";

const PAUSE = 400; // after the last key before the file is checked

let plan = null; // what is in force
let asked = 0; // the newest question of each kind is the only one that counts
let found = []; // diagnostics of the text as it was checked

function text() {
    return byId("text").value;
}

function gutter() {
    const worst = new Map();
    found.forEach((fault) => {
        if (worst.get(fault.line) !== "error") worst.set(fault.line, fault.severity);
    });
    const parts = [];
    const lines = text().split("\n").length;
    for (let line = 1; line <= lines; line += 1) {
        const severity = worst.get(line);
        if (severity === "error") parts.push(el("b", {}, `✕ ${line}`), "\n");
        else if (severity) parts.push(el("i", {}, `▲ ${line}`), "\n");
        else parts.push(`${line}\n`);
    }
    empty(byId("gutter")).append(...parts);
    byId("gutter").scrollTop = byId("text").scrollTop;
}

/** Puts the cursor where a fault is. */
function goTo(fault) {
    const area = byId("text");
    const lines = area.value.split("\n");
    const start = lines.slice(0, fault.line - 1).reduce((sum, line) => sum + line.length + 1, 0);
    area.focus();
    area.setSelectionRange(start + fault.column - 1, start + (fault.end_column || fault.column) - 1);
    area.scrollTop = (area.scrollHeight / lines.length) * Math.max(0, fault.line - 8);
}

function showFaults() {
    keep(
        byId("faults"),
        found,
        (fault) => `${fault.line} ${fault.column} ${fault.message}`,
        (fault) =>
            el(
                "li",
                { class: fault.severity },
                fault.line ? el("button", { type: "button", class: "plain", onclick: () => goTo(fault) }, `${fault.severity === "error" ? "✕" : "▲"} line ${fault.line}`) : null,
                " ",
                fault.message,
                fault.suggestion ? el("p", { class: "note" }, `did you mean ${fault.suggestion}?`) : null,
                fault.help ? el("p", { class: "note" }, fault.help) : null,
            ),
    );
    gutter();
}

async function check() {
    const mine = (asked += 1);
    const body = { text: text() };
    try {
        const verdict = await ask("POST", "plan/check", body);
        if (mine !== asked) return;
        found = verdict.diagnostics;
        const errors = found.filter((fault) => fault.severity === "error").length;
        const warnings = found.length - errors;
        const tests = verdict.tests ? `, ${count(verdict.tests, "test")} of its own passed` : "";
        say(byId("verdict"), verdict.ok ? `✓ good${tests}${warnings ? `, ${count(warnings, "warning")}` : ""}` : `✕ ${count(errors, "fault")}: it could not be put into force`);
        showFaults();
        const changed = body.text !== plan.text;
        byId("apply").disabled = !(changed && verdict.ok);
        byId("same").hidden = changed && verdict.ok;
        say(byId("same"), changed ? "Not known while it has faults." : "Nothing: this is the file in force.");
        const changes = changed && verdict.ok ? await diff(body.text) : { changes: [], touches: [] };
        if (mine === asked) showChanges(changes);
    } catch (problem) {
        if (mine === asked) say(byId("verdict"), `Not checked: ${problem.message}`);
    }
}

function showChanges({ changes, touches }) {
    const touched = touches.map(({ line, waiting }) => `▲ ${line} would be gone, where ${count(waiting, "caller waits", "callers wait")} now`);
    keep(
        byId("changes"),
        changes.concat(touched),
        (words) => words,
        (words) => el("li", {}, words),
    );
}

function diff(draft) {
    return ask("POST", "plan/diff", { text: draft });
}

/** Another text is on the page: nothing is known of it yet. */
function forget() {
    byId("apply").disabled = true;
    byId("review").hidden = true;
}

/** Puts a text into the editor. */
function set(draft) {
    byId("text").value = draft;
    forget();
    options(byId("trunk"), trunks().map((name) => [name, name]));
    found = [];
    gutter();
    check();
}

/** Asks what is in force; the text on the page stays if it is to be `kept`. */
async function load(kept) {
    plan = await ask("GET", "plan");
    say(byId("version"), `version ${plan.version}, in force since ${day(plan.since)} ${hourAndMinute(plan.since)}`);
    set(kept ? text() : plan.text);
}

/** The trunks that the text names; which of them are real the daemon says. */
function trunks() {
    const names = [];
    const header = /^\s*\[trunk\.("?)([^\]"]+)\1\]/gm;
    for (let found = header.exec(text()); found; found = header.exec(text())) names.push(found[2]);
    return names;
}

/** The text as a file. */
function save() {
    const link = el("a", { href: URL.createObjectURL(new Blob([text()], { type: "application/toml" })), download: "hearken.toml" });
    link.click();
    URL.revokeObjectURL(link.href);
}

/** "elm-tree.waiting=9, x=y" as the daemon takes it. */
function given() {
    const pairs = byId("given").value.split(",").map((pair) => pair.split("=").map((word) => word.trim()));
    return pairs.filter(([name]) => name).reduce((all, [name, value]) => Object.assign(all, { [name]: value }), {});
}

async function explain() {
    const place = empty(byId("explained"));
    try {
        const found = await ask("POST", "plan/explain", { text: text(), question: { trunk: byId("trunk").value, at: byId("at").value, given: given() } });
        place.append(
            el("h3", {}, `A call on ${found.line}, ${found.at} in ${found.zone}`),
            el("p", {}, found.effects.length ? found.effects.join(" ") : "It stays in its line; no rule counts."),
            el(
                "ul",
                {},
                ...found.rules.map((rule) => el("li", {}, el("b", {}, `${rule.counts.length ? "✓" : "✕"} ${rule.name}`), rule.counts.length ? ` ${rule.why}` : ` does not count: ${rule.why}`)),
            ),
        );
    } catch (problem) {
        place.append(el("p", { class: "told bad" }, problem.message));
    }
}

function wire() {
    let waiting = null;
    byId("text").addEventListener("input", () => {
        clearTimeout(waiting);
        forget();
        waiting = setTimeout(check, PAUSE);
        gutter();
    });
    byId("text").addEventListener("scroll", () => (byId("gutter").scrollTop = byId("text").scrollTop));
    byId("explain").addEventListener("submit", (event) => {
        event.preventDefault();
        explain();
    });
    byId("save").addEventListener("click", save);
    byId("discard").addEventListener("click", () => set(plan.text));
    past(text);
    byId("at").value = `${lastMonday()}T08:15`;
}

async function begin() {
    await whoAmI();
    wire();
    const show = applying({ text, set, load, check, diff, plan: () => plan });
    try {
        await load();
        await show();
    } catch (problem) {
        tell(problem.message, true);
    }
}

begin();
