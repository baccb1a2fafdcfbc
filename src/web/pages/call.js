// One call: every message, decision and sound as a picture, and the same as a list whose steps open.

import { ask, named } from "./api.js";
import { byId, el, empty, say, svg, tell } from "./dom.js";
import { whoAmI } from "./frame.js";
import { clock, count } from "./words.js";

const [LEFT, STEP, TOP, ROW] = [300, 300, 46, 36];
const LETTER = 7.6; // how wide one is at most, on average

let asked = null; // the newest call that was asked for is the only one that is shown

/** The time of day to the millisecond. */
function moment(at) {
    return `${clock(at)}.${String(new Date(at).getMilliseconds()).padStart(3, "0")}`;
}

/** Seconds since the call began. */
function since(steps, step) {
    return `+${((Date.parse(step.at) - Date.parse(steps[0].at)) / 1000).toFixed(3)}`;
}

/** Everybody who has a part: who called, we, and the others as they come in. */
function parties(steps) {
    const names = new Set(["caller", "hearken"]);
    steps.forEach((step) => [step.from, step.to].forEach((name) => name && names.add(name)));
    return Array.from(names);
}

function short(words, most) {
    return words.length > most ? `${words.slice(0, most - 1)}…` : words;
}

function arrow(x, to, y, words) {
    const back = to < x ? 10 : -10;
    return [
        svg("line", { class: "arrow", x1: x, x2: to + back, y1: y, y2: y }),
        svg("path", { class: "tip", d: `M${to} ${y}l${back} -6v12z` }),
        svg("text", { class: "on", x: (x + to) / 2, y: y - 6 }, short(words, 36)),
    ];
}

/** What is decided or heard at one place, as a box across its rail. */
function box(type, x, y, words) {
    const said = short(words, type === "media" ? 34 : 66);
    const wide = Math.max(100, said.length * LETTER + 16);
    return [
        svg("rect", { class: type === "media" ? "box media" : "box", x: x - wide / 2, y: y - 17, width: wide, height: 25, rx: 4 }),
        svg("text", { class: "on", x, y }, said),
    ];
}

function ladder(steps) {
    const names = parties(steps);
    const at = (name) => LEFT + names.indexOf(name) * STEP;
    const [wide, high] = [LEFT + (names.length - 1) * STEP + 160, TOP + steps.length * ROW + 16];
    const rails = names.map((name) => [
        svg("text", { class: "head", x: at(name), y: 22 }, short(name, 30)),
        svg("line", { class: "rail", x1: at(name), x2: at(name), y1: 32, y2: high }),
    ]);
    const drawn = steps.map((step, index) => {
        const y = TOP + index * ROW + 18;
        const what = step.to ? arrow(at(step.from), at(step.to), y, step.summary) : box(step.kind, at(step.from), y, step.summary);
        const time = svg("text", { class: "time", x: 74, y }, since(steps, step));
        return svg("g", { "data-step": index, onclick: () => open(index) }, time, ...what);
    });
    const told = `${count(steps.length, "step")} between ${names.join(", ")}; the list below has them all.`;
    return svg("svg", { class: "ladder", role: "img", "aria-label": told, width: wide, height: high, viewBox: `0 0 ${wide} ${high}` }, ...rails.flat(), ...drawn);
}

/** Goes from the picture to the same step of the list, and opens it. */
function open(index) {
    const item = byId("steps").children[index];
    const details = item.querySelector("details");
    if (details) details.open = true;
    item.scrollIntoView({ block: "center" });
}

function row(steps, step) {
    const way = step.to ? `${step.from} → ${step.to}` : step.from;
    const what = step.detail ? el("details", {}, el("summary", {}, step.summary), el("pre", {}, step.detail)) : step.summary;
    return el(
        "li",
        { class: step.kind },
        el("span", { class: "time" }, since(steps, step)),
        el("span", { class: "clock" }, moment(step.at)),
        el("span", { class: "way" }, way),
        el("div", { class: "what" }, what),
    );
}

async function show(id) {
    asked = id;
    say(byId("title"), `Call ${id}`);
    document.title = `Call ${id} – Hearken`;
    tell("Reading the log…");
    let found = { steps: [] };
    try {
        found = await ask("GET", `calls/${named(id)}/ladder`);
        if (asked !== id) return;
        tell(found.truncated ? `This is not all of it: ${found.truncated}.` : "");
    } catch (problem) {
        if (asked !== id) return;
        tell(problem.message, true);
    }
    const { steps } = found;
    empty(byId("picture")).append(steps.length ? ladder(steps) : "");
    empty(byId("steps")).append(...steps.map((step) => row(steps, step)));
    byId("drawn").hidden = byId("listed").hidden = steps.length === 0;
}

async function begin() {
    await whoAmI();
    const id = decodeURIComponent(location.pathname.split("/").pop());
    byId("number").value = id;
    byId("ask").addEventListener("submit", (event) => {
        event.preventDefault();
        const wanted = byId("number").value;
        history.replaceState(null, "", `/call/${named(wanted)}`);
        show(wanted);
    });
    show(id);
}

begin();
