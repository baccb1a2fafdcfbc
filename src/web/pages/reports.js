// Reports: whose and of which days, every figure with its definition, and the calls behind it.

import { ask } from "./api.js";
import { announce, byId, el, empty, options, say, tell } from "./dom.js";
import { may, whoAmI } from "./frame.js";
import { count, lasting, two } from "./words.js";

const MONTHS = 14; // that can be chosen by name
const MOST_SHOWN = 200; // calls of a trace: people read them
const TRIES = 4; // while the daemon makes reports for others

// Each report, and what its files are called.
const NAMES = { waits: "Waits", day: "Half hours", cbt: "CBT counts", gp: "GP figures", iuc: "IUC figures", ambsys: "AmbSYS figures" };
const KINDS = Object.keys(NAMES);
const SHEETS = ["gp", "iuc", "ambsys"];
// What each indicator counts, as docs/reports.md has it.
const CBT = [
    ["CBT001", "All calls", "every routine call that came"],
    ["CBT002", "Ended before a line", "turned away at the door, or sent elsewhere from there"],
    ["CBT003", "Answered", "by a person; by how long the caller waited"],
    ["CBT004", "Missed", "left the line without an answer: gave up, lost, or led out; by how long the caller waited"],
    ["CBT005", "Callback requested", "left the line for a promised callback"],
    ["CBT006", "Callback made", "calls to patients who were promised one, each attempt"],
    ["CBT007", "Answered", "the same calls as CBT003; by how long they talked"],
];
const LENGTHS = ["Up to 1 minute", "1 to 2 minutes", "2 to 5 minutes", "Over 5 minutes"];
const OUTCOMES = [
    ["calls", "Calls"],
    ["answered", "Answered"],
    ["abandoned", "Gave up"],
    ["refused", "Turned away"],
    ["lost", "Lost"],
    ["released", "Led out"],
    ["promised", "Callback"],
];
const WAITS = [
    ["mean_s", "Mean wait"],
    ["median_s", "Median"],
    ["p90_s", "90th"],
    ["p95_s", "95th"],
    ["p99_s", "99th"],
    ["longest_s", "Longest"],
];
// What stands below the waits: its heading, and words for its counts.
const BELOW = [
    ["callbacks", "Callbacks promised to these callers", { promised: "promised", reached: "reached", own_calls: "rang again and were answered", failed: "not reached or not in time", open: "open", late: "late, of all" }],
    ["cases", "Cases of these callers", { opened: "cases", closed: "closed by a clinician", handed_over: "handed over to a pathway", unacknowledged: "referred, not acknowledged", open: "open", late: "late, of all" }],
    ["referrals", "Referrals, by pathway", { made: "made", acknowledged: "acknowledged", declined: "declined", unacknowledged: "not acknowledged in time", withdrawn: "withdrawn", open: "open" }],
];

let me = null;
let offer = null;
let shown = null; // the newest choice, the only one that is shown: what the daemon is asked
let traced = null; // the newest wish for the calls of a figure, the only one that is shown: by which button

/** Minutes, seconds and tenths, rounded half up, as `hearken report` writes them. */
function minutes(seconds) {
    if (seconds === null || seconds === undefined) return "–";
    const tenths = Math.floor(seconds * 10 + 0.5 + 1e-6);
    return `${lasting(Math.floor(tenths / 10))}.${tenths % 10}`;
}

/** The days of a month: "2026-11" has 2026-11-01 and 2026-11-30. */
function days(month) {
    const [year, of] = month.split("-").map(Number);
    return [`${month}-01`, `${month}-${two(new Date(Date.UTC(year, of, 0)).getUTCDate())}`];
}

function inWords(day, format) {
    return new Date(`${day}T12:00:00Z`).toLocaleDateString("en-GB", Object.assign({ timeZone: "UTC" }, format));
}

function months() {
    let [year, of] = offer.today.split("-").map(Number);
    const choices = [];
    while (choices.length < MONTHS) {
        const month = `${year}-${two(of)}`;
        choices.push([month, inWords(`${month}-01`, { month: "long", year: "numeric" })]);
        [year, of] = of === 1 ? [year - 1, 12] : [year, of - 1];
    }
    return [...choices, ["", "Other days"]];
}

/** What the form says, as the daemon is asked. */
function choice() {
    const query = new URLSearchParams({ from: byId("from").value, to: byId("to").value });
    if (byId("practice").value) query.set("practice", byId("practice").value);
    return query;
}

function address(kind, query, more) {
    const whole = new URLSearchParams(query);
    Object.keys(more || {}).forEach((key) => whole.set(key, more[key]));
    return `reports/${kind}?${whole}`;
}

/** Asks for a report, again while the daemon is busy with others. */
async function report(kind, query, more) {
    for (let tries = 1; ; tries += 1) {
        try {
            return await ask("GET", address(kind, query, more));
        } catch (problem) {
            if (problem.status !== 503 || tries === TRIES) throw problem;
            await new Promise((done) => setTimeout(done, 1000 * Math.min(Number(problem.retryAfter) || 1, 5)));
        }
    }
}

const number = (label, words) => el("td", { class: "number", "data-label": label }, el("span", {}, String(words)));

/** A figure's count, and for supervisors the way to its calls. */
function figure(label, code, words) {
    const there = may(me, "supervisor") && words > 0;
    const button = there && el("button", { type: "button", class: "plain", onclick: (event) => trace(code, event.target), "aria-label": `Which calls are the ${words} of ${code}?` }, "which?");
    return el("td", { class: "number", "data-label": label }, el("span", {}, button || "", button ? " " : "", String(words)));
}

function download(place, kind, query, more, formats) {
    const links = formats.map(([format, words]) => {
        const href = `/api/v1/${address(kind, query, Object.assign({ format }, more))}`;
        return el("a", { href, download: `${kind}-${query.get("from")}.${format}` }, words);
    });
    empty(byId(place)).append(...links);
}

const both = (name) => [
    ["csv", `${name} as CSV`],
    ["json", `${name} as JSON`],
];

function waitsRow(name, of, isAll) {
    const waits = of.waits || {};
    const counts = OUTCOMES.map(([key, label]) => (isAll ? figure(label, key, of[key]) : number(label, of[key])));
    return el(
        "tr",
        { class: isAll ? "all" : null },
        el("th", { scope: "row" }, name),
        ...counts,
        ...WAITS.map(([key, label]) => number(label, minutes(waits[key]))),
        number("Longest who gave up", minutes(of.longest_abandoned_s)),
    );
}

/** A small table of counts by group. */
function groups(title, words, found) {
    const keys = Object.keys(words);
    const head = keys.map((key) => el("th", { scope: "col" }, words[key]));
    const rows = Object.keys(found).map((name) => el("tr", {}, el("th", { scope: "row" }, name), ...keys.map((key) => number(words[key], found[name][key]))));
    return [el("h3", {}, title), el("table", { class: "fold" }, el("thead", {}, el("tr", {}, el("td", {}), ...head)), el("tbody", {}, ...rows))];
}

function showWaits(found) {
    const rows = Object.keys(found.groups).map((name) => waitsRow(name, found.groups[name], false));
    empty(byId("waits")).append(...rows, waitsRow("All", found.total, true));
    const { calls, unnumbered, redials, repeats } = found.again;
    const nobody = unnumbered ? ` Of ${count(unnumbered, "call")} no number is stored: nobody can tell.` : "";
    say(byId("again"), `Of ${count(calls - unnumbered, "call")} whose number is stored, ${repeats} came within 24 hours of another by the same number, ${redials} of them soon after giving up.${nobody}`);
    const parts = BELOW.filter(([key]) => Object.keys(found[key]).length).map(([key, title, words]) => groups(title, words, found[key]));
    empty(byId("below")).append(...[].concat(...parts));
}

function showDay(found, query) {
    const busy = found.half_hours.filter((of) => of.calls > 0);
    const busiest = busy.reduce((best, of) => (best && best.calls >= of.calls ? best : of), null);
    const most = busiest ? `, most from ${busiest.from} with ${count(busiest.calls, "call")}` : "";
    const picture = byId("picture");
    picture.alt = `Calls in each half hour and the waits of those answered${most}. The table below has the figures.`;
    picture.src = `/api/v1/${address("day", query, { format: "svg" })}`;
    empty(byId("day")).append(
        ...busy.map((of) =>
            el("tr", {}, el("th", { scope: "row" }, of.from), number("Calls", of.calls), number("Answered", of.answered), number("Gave up", of.abandoned), number("Median wait", minutes(of.median_s)), number("95th centile", minutes(of.p95_s))),
        ),
    );
}

function showCbt(found) {
    const sum = (code, length) => found.rows.filter((row) => row.Indicator === code && (!length || row.Wait_Time === length || row.Duration === length)).reduce((all, row) => all + row.Value, 0);
    empty(byId("cbt")).append(
        ...CBT.map(([code, name, meaning]) => {
            const hasLengths = ["CBT003", "CBT004", "CBT007"].includes(code);
            const all = sum(code);
            const lengths = LENGTHS.map((length) => number(length, hasLengths ? sum(code, length) : ""));
            return el("tr", {}, el("th", { scope: "row", class: "item" }, el("b", {}, code), name, el("small", {}, meaning)), figure("Calls", code, all), ...lengths);
        }),
    );
}

function showItems(kind, found) {
    const value = (item) => {
        if (item.calls !== undefined) return figure("Value", item.item, item.calls);
        if (item.time_s !== undefined) return number("Value", minutes(item.time_s));
        return number("Value", item.percent === undefined ? "–" : `${item.percent.toFixed(2)} %`);
    };
    const items = found.groups[found.groups.length - 1].items;
    empty(byId(kind)).append(...items.map((item) => el("tr", {}, el("th", { scope: "row", class: "item" }, item.meaning, el("small", {}, item.item)), value(item))));
}

/** The calls behind a figure of the report that is shown. */
async function trace(code, button) {
    const [query, mine] = [shown, { button }];
    traced = mine;
    byId("trace").hidden = false;
    say(byId("trace-title"), `The calls behind ${code}`);
    say(byId("trace-told"), "Reading.");
    empty(byId("calls"));
    empty(byId("trace-get"));
    byId("trace-title").focus();
    try {
        const found = await report("calls", query, { trace: code, format: "json" });
        if (mine !== traced) return;
        const more = found.count > MOST_SHOWN ? ` The first ${MOST_SHOWN} are here; the CSV has all.` : "";
        say(byId("trace-told"), `${count(found.count, "call makes", "calls make")} up ${code}.${more}`);
        byId("calls").append(...found.calls.slice(0, MOST_SHOWN).map(callRow));
        download("trace-get", "calls", query, { trace: code }, [["csv", "All of them as CSV"]]);
    } catch (problem) {
        if (mine === traced) say(byId("trace-told"), problem.message);
    }
}

function callRow(call) {
    const cell = (label, words) => el("td", { "data-label": label }, el("span", {}, words === null ? "–" : String(words)));
    const arrived = new Date(call.arrived).toLocaleString("en-GB", { timeZone: offer.zone });
    return el(
        "tr",
        {},
        el("th", { scope: "row" }, arrived),
        cell("Practice", call.practice),
        cell("Line", call.line),
        cell("Outcome", call.outcome),
        cell("Agent", call.agent),
        number("Waited", minutes(call.waited_ms / 1000)),
        number("Lasted", minutes(call.lasted_ms / 1000)),
        cell("Call", call.call),
    );
}

/** Every report of a choice, one after the other: the daemon makes one at a time. None once another choice is made. */
async function reports(query, by) {
    const found = {};
    for (const kind of KINDS) {
        found[kind] = await report(kind, query, kind === "waits" ? { by } : {});
        if (query !== shown) return null;
    }
    return found;
}

async function show() {
    const query = choice();
    shown = query;
    traced = null;
    const by = byId("by").value;
    const [whose, grouped] = ["practice", "by"].map((id) => byId(id).selectedOptions[0].textContent);
    history.replaceState(null, "", `?${query}&by=${by}`);
    byId("report").hidden = true;
    byId("trace").hidden = true;
    tell("Reading the ledger.");
    try {
        const found = await reports(query, by);
        if (!found) return;
        const [first, last] = [query.get("from"), query.get("to")].map((day) => inWords(day, { weekday: "long", day: "numeric", month: "long", year: "numeric" }));
        say(byId("of"), `${whose}, ${first === last ? first : `${first} to ${last}`}. Days are those of ${offer.zone}.`);
        say(byId("waits-by"), grouped);
        showWaits(found.waits);
        showDay(found.day, query);
        showCbt(found.cbt);
        SHEETS.forEach((kind) => showItems(kind, found[kind]));
        KINDS.forEach((kind) => download(`${kind}-get`, kind, query, kind === "waits" ? { by } : {}, both(NAMES[kind])));
        if (may(me, "supervisor")) download("calls-get", "calls", query, {}, [["csv", "Every call as CSV"], ["parquet", "Every call as Parquet"]]);
        tell("");
        byId("report").hidden = false;
        announce(`The report is there: ${count(found.waits.total.calls, "call")}.`);
    } catch (problem) {
        if (query === shown) tell(problem.message, true);
    }
}

function wire() {
    byId("choice").addEventListener("submit", (event) => {
        event.preventDefault();
        show();
    });
    byId("month").addEventListener("change", () => {
        if (byId("month").value) [byId("from").value, byId("to").value] = days(byId("month").value);
    });
    ["from", "to"].forEach((id) => byId(id).addEventListener("change", nameMonth));
    byId("print").addEventListener("click", () => print());
    byId("back").addEventListener("click", () => {
        byId("trace").hidden = true;
        if (traced) traced.button.focus();
        traced = null;
    });
}

/** Chooses the month that the days are the first and the last of; none for other days. */
function nameMonth() {
    const month = byId("from").value.slice(0, 7);
    byId("month").value = month && `${days(month)}` === `${[byId("from").value, byId("to").value]}` ? month : "";
    if (byId("month").selectedIndex < 0) byId("month").value = "";
}

/** What the address says, or else the month that it is. */
function choose() {
    const said = new URLSearchParams(location.search);
    const [first, last] = days(offer.today.slice(0, 7));
    byId("from").value = said.get("from") || first;
    byId("to").value = said.get("to") || last;
    byId("practice").value = said.get("practice") || "";
    byId("by").value = said.get("by") || "line";
    nameMonth();
}

async function begin() {
    me = await whoAmI();
    try {
        offer = await ask("GET", "reports");
    } catch (problem) {
        tell(problem.message, true);
        return;
    }
    const practices = offer.practices.map(({ name, code }) => [code, name === code ? name : `${name} (${code})`]);
    byId("practice").append(...practices.map(([value, words]) => el("option", { value }, words)));
    options(byId("month"), months());
    wire();
    choose();
    show();
}

begin();
