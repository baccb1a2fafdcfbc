// The wallboard: what the room must know, and nothing that is not live.

import { announce, byId, el, keep, mark, part, say } from "./dom.js";
import { live, may, whoAmI } from "./frame.js";
import { watch } from "./calls.js";
import { draw } from "./trend.js";
import { clock, count, estimate, hourAndMinute, lasting, ORDER, room, share, state } from "./words.js";

const FEW = 6; // as many lines or agents have room to be large

let urgent = 0; // emergency callers who waited when last told

function emergency({ lines, emergencies }, old) {
    const own = lines.filter((line) => line.emergency);
    byId("emergency").hidden = own.length === 0 && emergencies.waiting === 0;
    const sum = (what) => own.reduce((total, line) => total + what(line), 0);
    // In whatever line: who was flagged waits in a routine one.
    const { waiting, longest_wait_s: longest } = emergencies;
    byId("emergency").classList.toggle("waits", waiting > 0);
    const words = waiting ? count(waiting, "emergency caller waits", "emergency callers wait") : "No emergency caller waits";
    say(byId("emergency-words"), words);
    say(byId("emergency-longest"), lasting(longest === null ? null : longest + old));
    const [answered, good] = [sum((line) => line.today.answered), sum((line) => line.today.answered_in_target)];
    say(byId("emergency-target"), answered ? `${good} of ${answered}` : "–");
    say(byId("emergency-abandoned"), sum((line) => line.today.abandoned));
    if (waiting !== urgent && (waiting > urgent || waiting === 0)) announce(words);
    urgent = waiting;
    const title = waiting ? `(${waiting} × 999) Wallboard – Hearken` : "Wallboard – Hearken";
    if (document.title !== title) document.title = title;
}

function cell(name, label, type) {
    return el("td", { role: "cell", class: type, "data-label": label }, el("span", { "data-part": name }), el("small", { "data-part": `${name}-note` }));
}

function lineRow() {
    return el(
        "tr",
        { role: "row" },
        el("th", { role: "rowheader", scope: "row" }, el("span", { "data-part": "name" }), el("small", { "data-part": "tag", class: "tag" })),
        cell("waiting", "Waiting", "number big"),
        cell("longest", "Longest wait", "number big"),
        cell("estimate", "Estimate", "number"),
        cell("target", "In time", "number"),
        cell("abandoned", "Abandoned", "number"),
    );
}

function showLine(row, line, old) {
    const { today } = line;
    say(part(row, "name"), line.name);
    const tag = line.emergency ? "▲ emergency" : line.open ? "" : "closed";
    say(part(row, "tag"), tag);
    part(row, "tag").hidden = !tag;
    row.classList.toggle("urgent", line.emergency && line.waiting > 0);
    row.classList.toggle("quiet", line.waiting === 0);
    say(part(row, "waiting"), line.waiting);
    const wait = line.longest_wait_s === null ? null : line.longest_wait_s + old;
    say(part(row, "longest"), lasting(wait));
    const late = wait !== null && wait > line.target_s;
    row.classList.toggle("late", late);
    say(part(row, "longest-note"), late ? `▲ over ${lasting(line.target_s)}` : "");
    say(part(row, "estimate"), estimate(line.estimate));
    say(part(row, "target"), share(today.answered_in_target, today.answered));
    say(part(row, "target-note"), today.answered ? `${today.answered_in_target} of ${today.answered} in ${lasting(line.target_s)}` : "none answered yet");
    say(part(row, "abandoned"), today.abandoned);
    say(part(row, "abandoned-note"), `of ${count(today.calls, "call")}`);
}

/** What a row is shown for: all but the one emergency line, which has the top of the screen to itself. */
function rows(lines) {
    const routine = lines.filter((line) => !line.emergency);
    return lines.length - routine.length === 1 ? routine : lines;
}

function lines(all, old) {
    mark(byId("lines"), "data-room", all.length <= FEW ? "large" : all.length <= 2 * FEW ? "middle" : "small");
    keep(byId("lines"), all, (line) => line.name, lineRow, (row, line) => showLine(row, line, old));
}

function age(board, since, old) {
    return (Date.parse(board.at) - Date.parse(since)) / 1000 + old;
}

function agents(board, old) {
    const found = Array.from(new Set(board.agents.map((agent) => agent.state)));
    const place = (name) => (ORDER.indexOf(name) < 0 ? ORDER.length - 1.5 : ORDER.indexOf(name));
    const names = Array.from(new Set(["free", "talking", ...found])).sort((a, b) => place(a) - place(b));
    keep(
        byId("states"),
        names,
        (name) => name,
        (name) => el("li", { class: name }, el("b", { "data-part": "number" }), " ", el("span", {}, state(name)[0])),
        (item, name) => say(part(item, "number"), board.agents.filter((agent) => agent.state === name).length),
    );
    const present = board.agents
        .filter((agent) => agent.state !== "logged-out")
        .sort((a, b) => place(a.state) - place(b.state) || Date.parse(a.since) - Date.parse(b.since));
    mark(byId("agents"), "data-room", present.length <= FEW ? "large" : "small");
    keep(byId("agents"), present, (agent) => agent.name, person, (item, agent) => showPerson(item, agent, board, old));
}

function person() {
    return el(
        "li",
        {},
        el("span", { class: "shape", "data-part": "shape", "aria-hidden": "true" }),
        el("span", { class: "name", "data-part": "name" }),
        el("span", { class: "state", "data-part": "state" }),
        el("span", { class: "time", "data-part": "time" }),
    );
}

function showPerson(item, agent, board, old) {
    const [words, shape] = state(agent.state);
    mark(item, "class", agent.state);
    say(part(item, "shape"), shape);
    say(part(item, "name"), agent.name);
    say(part(item, "state"), agent.reason ? `${words}: ${agent.reason}` : words);
    say(part(item, "time"), lasting(age(board, agent.since, old)));
}

const HEALTH = { up: ["✓", "up"], down: ["✕", "DOWN"], unknown: ["?", "of unknown health"] };

function trunks(all) {
    const of = (health) => all.filter((trunk) => trunk.health === health).length;
    const sums = ["up", "down", "unknown"].filter(of).map((health) => `${of(health)} ${HEALTH[health][1]}`);
    say(byId("trunks-sum"), sums.join(", "));
    const rank = (trunk) => ["down", "unknown", "up"].indexOf(trunk.health);
    const told = all.length > 2 * FEW ? all.filter((trunk) => trunk.health !== "up") : all;
    const sorted = told.slice().sort((a, b) => rank(a) - rank(b));
    keep(
        byId("trunks"),
        sorted,
        (trunk) => trunk.name,
        () => el("li", {}, el("b", { "data-part": "health" }), " ", el("span", { "data-part": "name" }), " ", el("small", { "data-part": "note" })),
        (item, trunk) => {
            const [shape, words] = HEALTH[trunk.health];
            mark(item, "class", trunk.health);
            say(part(item, "health"), trunk.health === "unknown" ? shape : `${shape} ${words}`);
            say(part(item, "name"), trunk.emergency ? `${trunk.name} (999)` : trunk.name);
            say(part(item, "note"), trunk.health === "down" ? `since ${hourAndMinute(trunk.since)}` : count(trunk.calls, "call"));
        },
    );
}

function owed(board) {
    const { callbacks } = board;
    const tiles = [["Callbacks", callbacks.open, callbacks.late ? `▲ ${callbacks.late} late` : `${callbacks.due} due`, callbacks.late > 0]];
    board.stacks.forEach((stack) => {
        const soonest = stack.soonest_breach ? `next by ${hourAndMinute(stack.soonest_breach)}` : "";
        tiles.push([`Cases of ${stack.name}`, stack.open, stack.breached ? `▲ ${stack.breached} past their time` : soonest, stack.breached > 0]);
    });
    board.pathways.forEach((pathway) => {
        tiles.push([pathway.name, "", room(pathway), false]);
    });
    keep(
        byId("owed"),
        tiles,
        ([name]) => name,
        () => el("div", {}, el("dt", { "data-part": "name" }), el("dd", {}, el("b", { "data-part": "number" }), " ", el("small", { "data-part": "note" }))),
        (tile, [name, number, note, late]) => {
            tile.classList.toggle("late", late);
            say(part(tile, "name"), name);
            say(part(tile, "number"), number);
            say(part(tile, "note"), note);
        },
    );
}

function notice(board) {
    const told = board.draining ? "The daemon is stopping: no new routine calls are taken." : "";
    say(byId("notice"), told);
    byId("notice").hidden = !told;
}

function tick(board, old) {
    emergency(board, old);
    lines(rows(board.lines), old);
    agents(board, old);
}

async function begin() {
    setInterval(() => say(byId("clock"), clock(Date.now())), 250);
    const me = await whoAmI();
    const calls = may(me, "supervisor") || may(me, "engineer") ? watch(me) : null;
    live({
        show(board) {
            trunks(board.trunks);
            owed(board);
            notice(board);
            draw(byId("trend"), byId("trend-rows"), board.trend);
            if (calls) calls.show(board);
        },
        tick(board, old) {
            tick(board, old);
            if (calls) calls.tick();
        },
    });
}

begin();
