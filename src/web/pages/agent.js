// The agent's own page: the state, the call, and what is owed to patients.

import { ask, named, oneAtATime } from "./api.js";
import { announce, byId, el, keep, mark, options, part, say, tell } from "./dom.js";
import { live, may, whoAmI } from "./frame.js";
import { hourAndMinute, lasting, room, state } from "./words.js";

// What may be done in which state; what else the daemon refuses, it says.
const DEEDS = {
    "log-in": ["logged-out"],
    resume: ["paused", "resting"],
    "wrap-up": ["wrap-up"],
    extend: ["wrap-up"],
    pause: ["free", "ringing", "talking", "wrap-up", "resting", "unreachable"],
    "log-out": ["free", "paused", "wrap-up", "resting", "unreachable", "talking"],
};
const WRAP_UP = { "wrap-up": ["wrap-up", { end: true }], extend: ["wrap-up", { extend: true }] };
const DONE = {
    "log-in": "You are logged in.",
    "log-out": "You are logged out, or will be when the call is over.",
    pause: "You are paused, or will be when the call is over.",
    resume: "You are ready for calls.",
    "wrap-up": "The wrap-up is over.",
    extend: "The wrap-up is longer.",
    transfer: "The caller is being transferred.",
    emergency: "The caller is an emergency now.",
    disposition: "Recorded.",
};

const TREATED = {
    take: "The case is yours.",
    "give-back": "The case is on its stack again.",
    close: "The case is closed.",
    refer: "The pathway is asked; the case is yours until it answers.",
};

// Nothing is chosen for anybody.
const CHOOSE = ["", "Choose"];

let name = null; // whose page this is
let own = false; // whether that is who is signed in
let made = 0;
let desk = null;
let board = null;
let old = 0; // seconds since the board came
let shown = ""; // what was announced of the call

async function act(deed, body) {
    const [path, order] = WRAP_UP[deed] || [deed, body || {}];
    try {
        await ask("POST", `agents/${named(name)}/${path}`, order);
        tell(DONE[deed]);
    } catch (problem) {
        tell(`Not done: ${problem.message}`, true);
    }
    load();
}

/** Does something with a case, as the agent who is signed in. */
async function treat(id, deed, body) {
    try {
        await ask("POST", `cases/${named(id)}/${deed}`, body || {});
        tell(TREATED[deed]);
    } catch (problem) {
        tell(`Not done: ${problem.message}`, true);
    }
    load();
}

/** Asks for the desk. */
const load = oneAtATime(async () => {
    if (!name) return;
    try {
        desk = await ask("GET", `agents/${named(name)}`);
        showDesk();
    } catch (problem) {
        if (problem.status) tell(problem.message, true);
    }
});

/** My own row of the board, which is always the newest. */
function mine() {
    return board && board.agents.find((agent) => agent.name === name);
}

function showState() {
    const agent = mine();
    if (!agent) return;
    const [words, shape] = state(agent.state);
    say(byId("state-words"), `${shape} ${words}${agent.reason ? `: ${agent.reason}` : ""}`);
    mark(byId("state"), "class", `card state ${agent.state}`);
    const now = Date.parse(board.at) / 1000 + old;
    const left = agent.wrap_up_ends ? Date.parse(agent.wrap_up_ends) / 1000 - now : null;
    say(byId("state-time"), left === null ? lasting(now - Date.parse(agent.since) / 1000) : `${lasting(left)} left`);
    say(byId("state-note"), agent.state === "unreachable" ? "Your phone does not answer: no calls come to it." : "");
    document.querySelectorAll("[data-deed]").forEach((button) => {
        button.hidden = DEEDS[button.dataset.deed].indexOf(agent.state) < 0;
    });
    byId("pause").hidden = DEEDS.pause.indexOf(agent.state) < 0;
}

function showCall() {
    const { call } = desk;
    const agent = mine() || desk.agent;
    byId("call-there").hidden = !call;
    byId("call-none").hidden = Boolean(call);
    byId("disposition").hidden = desk.dispositions.length === 0 || !(agent.state === "wrap-up" || agent.state === "talking");
    if (!call) {
        shown = "";
        return sure(false);
    }
    say(byId("call-title"), call.state === "ringing" ? "Your phone rings for" : "The call");
    byId("call-emergency").hidden = !call.emergency;
    byId("call").classList.toggle("urgent", call.emergency);
    say(byId("call-practice"), call.practice || call.trunk);
    say(byId("call-line"), call.line);
    say(byId("call-redial"), call.redial ? "yes" : "no");
    const talks = agent.state === "talking";
    byId("red-flag").hidden = call.emergency || !talks;
    byId("transfer").hidden = !talks;
    if (!talks || call.emergency) sure(false);
    const now = `${call.id} ${agent.state}`;
    if (now !== shown) announce(`${call.emergency ? "Emergency. " : ""}${state(agent.state)[0]}: ${call.practice || call.trunk}, waited ${lasting(call.waited_s)}.`);
    shown = now;
}

function showWait() {
    if (!desk || !desk.call) return;
    const waits = desk.call.state === "waiting" || desk.call.state === "ringing";
    say(byId("call-waited"), lasting(waits && board ? (Date.parse(board.at) - Date.parse(desk.call.arrived)) / 1000 + old : desk.call.waited_s));
}

function showPathways(pathways) {
    byId("pathways-none").hidden = pathways.length > 0;
    keep(
        byId("pathways"),
        pathways,
        (pathway) => pathway.name,
        () => el("li", {}, el("b", { "data-part": "name" }), el("span", { "data-part": "room" })),
        (item, pathway) => {
            say(part(item, "name"), pathway.name);
            say(part(item, "room"), room(pathway));
        },
    );
    const people = board.agents.filter((agent) => agent.name !== name && agent.state === "free");
    options(byId("to"), [
        CHOOSE,
        ...pathways.map((pathway) => [pathway.name, `${pathway.name} (pathway, ${room(pathway)})`, !pathway.offered]),
        ...board.lines.map((line) => [line.name, `${line.name} (line, ${line.waiting} waiting)`]),
        ...board.stacks.map((stack) => [stack.name, `${stack.name} (a clinician rings back)`]),
        ...people.map((agent) => [agent.name, `${agent.name} (agent, free)`]),
    ]);
}

function showOwed() {
    const due = desk.callbacks_due.map((callback) => ({ key: `callback ${callback.id}`, words: `Call back for ${callback.line}`, by: callback.breach || callback.due }));
    const cases = desk.cases.map((one) => ({ key: `case ${one.id}`, words: caseWords(one), by: one.breach, held: one }));
    const all = due.concat(cases);
    byId("owed-none").hidden = all.length > 0;
    keep(
        byId("owed"),
        all,
        (one) => one.key,
        (one) => el("li", {}, el("b", { "data-part": "words" }), el("span", { "data-part": "by" }), one.held && own && caseDeeds(one.held.id)),
        (item, one) => {
            dueBy(item, one.words, one.by);
            if (!one.held || !own) return;
            const { pathway } = one.held;
            options(part(item, "code"), [CHOOSE, ...desk.dispositions.map((known) => [known.code, `${known.code}: ${known.words}`])]);
            options(part(item, "to"), [CHOOSE, ...board.pathways.map((known) => [known.name, `${known.name} (${room(known)})`, !known.offered])]);
            part(item, "refer").hidden = part(item, "give-back").hidden = Boolean(pathway);
            say(part(item, "note"), pathway ? `${pathway} has not answered yet` : "");
        },
    );
}

function caseWords(one) {
    return `${one.emergency ? "▲ EMERGENCY " : ""}Case of ${one.stack}, from ${one.practice || one.line}`;
}

/** What it is, and by when it must be done. */
function dueBy(item, words, by) {
    const late = by && board && Date.parse(by) < Date.parse(board.at);
    say(part(item, "words"), words);
    say(part(item, "by"), by ? `${late ? "▲ late, " : ""}by ${hourAndMinute(by)}` : "");
    part(item, "by").classList.toggle("late", Boolean(late));
}

/** What may be done with a case that one has. */
function caseDeeds(id) {
    const form = (deed, words, button, field, key) => {
        const select = el("select", { id: `case-${(made += 1)}`, required: true, "data-part": field });
        return el(
            "form",
            {
                "data-part": deed,
                onsubmit(event) {
                    event.preventDefault();
                    treat(id, deed, { [key]: select.value });
                },
            },
            el("label", { for: select.id }, words),
            select,
            el("button", { type: "submit", class: "small" }, button),
        );
    };
    return el(
        "div",
        { class: "case-deeds" },
        form("close", "How it ended", "Close the case", "code", "code"),
        form("refer", "Pathway", "Refer", "to", "pathway"),
        el("button", { type: "button", class: "small second", "data-part": "give-back", onclick: () => treat(id, "give-back") }, "Give back"),
        el("span", { class: "note", "data-part": "note" }),
    );
}

function showCases() {
    const waiting = desk.cases_waiting;
    byId("cases").hidden = !own || board.stacks.length === 0;
    byId("cases-none").hidden = waiting.length > 0;
    byId("next-case").hidden = waiting.length === 0;
    keep(
        byId("cases-list"),
        waiting,
        (one) => one.id,
        (one) =>
            el(
                "li",
                {},
                el("b", { "data-part": "words" }),
                el("span", { "data-part": "by" }),
                el("button", { type: "button", class: "small", "data-part": "take", onclick: () => treat(one.id, "take") }, "Take"),
            ),
        (item, one) => {
            dueBy(item, caseWords(one), one.breach);
            mark(part(item, "take"), "aria-label", `Take ${caseWords(one)}, due by ${hourAndMinute(one.breach)}`);
        },
    );
}

function showDesk() {
    if (!board) return;
    showCall();
    showPathways(board.pathways);
    showOwed();
    showCases();
    options(byId("code"), [CHOOSE, ...desk.dispositions.map((one) => [one.code, `${one.code}: ${one.words}`])]);
    showWait();
}

/** Asks before it is done; the focus goes where the next decision is. */
function sure(asking) {
    if (byId("flag-sure").hidden !== asking) return;
    byId("flag-sure").hidden = !asking;
    byId("flag").hidden = asking;
    if (asking) byId("flag-no").focus();
}

/** What is chosen; the next choice begins anew. */
function chosen(id) {
    const { value } = byId(id);
    byId(id).value = "";
    return value;
}

function wire() {
    document.querySelectorAll("[data-deed]").forEach((button) => {
        button.addEventListener("click", () => act(button.dataset.deed));
    });
    const onSubmit = (id, done) =>
        byId(id).addEventListener("submit", (event) => {
            event.preventDefault();
            done();
        });
    onSubmit("pause", () => act("pause", { reason: byId("reason").value }));
    onSubmit("transfer", () => act("transfer", { to: chosen("to") }));
    onSubmit("disposition", () => act("disposition", { code: chosen("code") }));
    byId("next-case").addEventListener("click", () => treat("next", "take"));
    byId("flag").addEventListener("click", () => sure(true));
    byId("flag-no").addEventListener("click", () => {
        sure(false);
        byId("flag").focus();
    });
    byId("flag-yes").addEventListener("click", () => {
        sure(false);
        act("emergency");
    });
    byId("flag-sure").addEventListener("keydown", (event) => {
        if (event.key === "Escape") byId("flag-no").click();
    });
}

/** Supervisors choose whose page they see. */
function chooser(agents) {
    byId("whose").hidden = false;
    options(byId("whom"), agents.map((agent) => [agent.name, agent.name]));
    if (byId("whom").value === name) return;
    if (name === null) name = byId("whom").value;
}

async function begin() {
    const me = await whoAmI();
    name = me.agent;
    own = Boolean(me.agent) && may(me, "agent");
    const chooses = may(me, "supervisor");
    if (!name && !chooses) return tell("You are signed in, but not as an agent.", true);
    if (name) say(byId("title"), `Calls of ${name}`);
    wire();
    byId("whom").addEventListener("change", () => {
        name = byId("whom").value;
        desk = null;
        say(byId("title"), `Calls of ${name}`);
        load();
    });
    live({
        show(next) {
            board = next;
            old = 0;
            if (chooses && !me.agent) chooser(next.agents);
            load();
        },
        tick(next, age) {
            old = age;
            showState();
            showWait();
        },
    });
}

begin();
