// The calls that are up: for supervisors with what may be done about each, for engineers with its ladder.

import { ask, named, oneAtATime } from "./api.js";
import { byId, el, keep, mark, options, part, say } from "./dom.js";
import { may } from "./frame.js";
import { count, lasting } from "./words.js";

const BETWEEN = 500; // no list is asked for more often
const DONE = { prioritise: "Prioritised", move: "Moved", emergency: "Made an emergency", "hang-up": "Ended" };
const CREDITS = [2, 5, 10, 30];
let made = 0;

/** A labelled field with a button, as one form. */
function deed(name, words, button, field, done, type) {
    const id = `deed-${(made += 1)}`;
    if (field) field.id = id;
    return el(
        "form",
        {
            "data-deed": name,
            onsubmit(event) {
                event.preventDefault();
                done(field ? field.value : null);
            },
        },
        field ? el("label", { for: id }, words) : el("p", {}, words),
        field,
        el("button", { type: "submit", class: type || "small" }, button),
    );
}

function panel(id, act) {
    const reason = el("input", { type: "text", required: true, maxlength: 100, autocomplete: "off" });
    return el(
        "div",
        { class: "deeds", "data-part": "deeds", hidden: true },
        deed(
            "prioritise",
            "Counts as having waited longer by",
            "Prioritise",
            el("select", {}, ...CREDITS.map((minutes) => el("option", { value: minutes * 60 }, `${minutes} minutes`))),
            (seconds) => act(id, "prioritise", { credit_s: Number(seconds) }),
        ),
        deed("move", "Line", "Move", el("select", { "data-part": "lines" }), (line) => act(id, "move", { line })),
        deed("emergency", "A red flag: this is an emergency from now on", "Make it an emergency", null, () => act(id, "emergency", {}), "small danger"),
        deed("hang-up", "Reason to hang up", "Hang up", reason, (text) => act(id, "hang-up", { reason: text }), "small danger"),
    );
}

/** Shows the calls, and keeps them as they are; `show` is told each board, `tick` each second. */
export function watch(me) {
    const [acts, reads] = [may(me, "supervisor"), may(me, "engineer")];
    let calls = [];
    let lines = [];
    let came = performance.now();
    let asked = -BETWEEN;
    let seq = null;
    let again = null;
    byId("calls").hidden = false;

    const load = oneAtATime(async () => {
        asked = performance.now();
        try {
            calls = (await ask("GET", "calls")).calls;
            came = performance.now();
            show();
        } catch (problem) {
            say(byId("calls-told"), problem.message);
        }
    });

    async function act(id, deed, body) {
        const call = calls.find((one) => one.id === id);
        try {
            await ask("POST", `calls/${named(id)}/${deed}`, body);
            say(byId("calls-told"), `${DONE[deed]}: call ${id}, from ${call.practice || call.trunk}.`);
        } catch (problem) {
            say(byId("calls-told"), `Not done: ${problem.message}`);
        }
        load();
    }

    function row(call) {
        const ladder = reads && el("a", { href: `/call/${named(call.id)}`, "aria-label": `Ladder of call ${call.id}` }, "Ladder");
        return el(
            "li",
            {},
            el("span", { class: "wait", "data-part": "wait" }),
            el("span", { class: "what", "data-part": "what" }),
            el("span", { class: "note", "data-part": "note" }),
            ladder,
            ...(acts ? doing(call) : []),
        );
    }

    /** The button that opens what may be done, and that. */
    function doing(call) {
        const deeds = panel(call.id, act);
        const button = el("button", { type: "button", class: "small", "aria-expanded": "false", "data-part": "open" }, "Act");
        const open = (wanted) => {
            deeds.hidden = !wanted;
            mark(button, "aria-expanded", String(wanted));
            if (wanted) deeds.querySelector("form:not([hidden])").querySelector("select, input, button").focus();
            else button.focus();
        };
        button.addEventListener("click", () => open(deeds.hidden));
        deeds.addEventListener("submit", () => open(false));
        deeds.addEventListener("keydown", (event) => {
            if (event.key === "Escape") open(false);
        });
        return [button, deeds];
    }

    function update(item, call) {
        const old = (performance.now() - came) / 1000;
        item.classList.toggle("urgent", call.emergency);
        say(part(item, "wait"), lasting(call.waited_s + (call.state === "talking" ? 0 : old)));
        say(part(item, "what"), `${call.emergency ? "▲ EMERGENCY, " : ""}${call.practice || call.trunk} on ${call.line}`);
        const place = call.position ? `, place ${call.position}` : "";
        const who = call.agent ? ` with ${call.agent}` : "";
        say(part(item, "note"), `call ${call.id}: ${call.state}${who}${place}${call.redial ? ", rang before" : ""}`);
        if (!acts) return;
        const waits = call.state === "waiting" || call.state === "ringing";
        const offered = { prioritise: waits && !call.emergency, move: waits && !call.emergency, emergency: !call.emergency, "hang-up": true };
        item.querySelectorAll("[data-deed]").forEach((form) => (form.hidden = !offered[form.dataset.deed]));
        mark(part(item, "open"), "aria-label", `Act on the call from ${call.practice || call.trunk} on ${call.line}`);
        options(part(item, "lines"), lines.filter((line) => line !== call.line).map((line) => [line, line]));
    }

    function show() {
        const rank = (call) => (call.emergency ? 0 : call.state === "talking" ? 2 : 1);
        const sorted = calls.slice().sort((a, b) => rank(a) - rank(b) || Date.parse(a.arrived) - Date.parse(b.arrived));
        byId("calls-none").hidden = sorted.length > 0;
        say(byId("calls-title"), `Calls: ${count(calls.length, "call")} up`);
        keep(byId("calls-list"), sorted, (call) => call.id, row, update);
    }

    return {
        show(board) {
            lines = board.lines.map((line) => line.name);
            if (board.seq === seq) return;
            seq = board.seq;
            clearTimeout(again);
            again = setTimeout(load, Math.max(0, asked + BETWEEN - performance.now()));
        },
        tick: show,
    };
}
