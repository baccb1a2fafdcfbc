// The day as a picture: calls by half hour, and below them the longest wait.

import { el, empty, svg } from "./dom.js";
import { count, hourAndMinute, lasting } from "./words.js";

const [LEFT, RIGHT] = [70, 28];
const CALLS = { top: 40, height: 130 };
const WAITS = { top: 212, height: 48 };
const BOTTOM = WAITS.top + WAITS.height;
const LEAST_SLOTS = 12;

/** A round number that is no less than `most`, to end an axis with. */
function ceiling(most) {
    const power = Math.pow(10, Math.floor(Math.log10(Math.max(most, 1))));
    return [1, 2, 3, 4, 6, 8, 10].map((step) => step * power).find((round) => round >= most) || 10 * power;
}

/** The same for seconds: whole minutes where that is possible. */
function ceilingOfTime(most) {
    return [10, 30, 60, 120, 300, 600, 1200, 1800, 3600].find((round) => round >= most) || ceiling(most / 3600) * 3600;
}

function axis(box, wide, words) {
    const line = (y) => svg("line", { x1: LEFT, x2: wide - RIGHT, y1: y, y2: y, class: "grid" });
    return [
        line(box.top),
        line(box.top + box.height),
        svg("text", { x: LEFT - 8, y: box.top + 7, class: "end" }, words),
        svg("text", { x: LEFT - 8, y: box.top + box.height + 5, class: "end" }, "0"),
    ];
}

function bar(type, x, width, box, from, to) {
    const scale = (part) => box.top + box.height * (1 - part);
    return svg("rect", { class: type, x, width, y: scale(to), height: Math.max(0, scale(from) - scale(to)) });
}

/** What somebody hears who cannot see the picture. */
function told(trend) {
    const sum = (what) => trend.reduce((total, slot) => total + slot[what], 0);
    const busiest = trend.reduce((best, slot) => (slot.calls > best.calls ? slot : best), trend[0]);
    const longest = trend.reduce((best, slot) => ((slot.longest_wait_s || 0) > (best.longest_wait_s || 0) ? slot : best), trend[0]);
    return (
        `${count(sum("calls"), "call")} today, ${sum("answered")} answered, ${sum("abandoned")} abandoned. ` +
        `Busiest from ${hourAndMinute(busiest.from)} with ${count(busiest.calls, "call")}. ` +
        `Longest wait ${lasting(longest.longest_wait_s)}, from ${hourAndMinute(longest.from)}.`
    );
}

function legend(wide) {
    const key = (at, type, words) => [
        svg("rect", { class: type, x: (at * wide) / 3, y: 3, width: 18, height: 18 }),
        svg("text", { x: (at * wide) / 3 + 24, y: 20 }, words),
    ];
    return [...key(0, "answered", "answered"), ...key(1, "abandoned", "abandoned"), ...key(2, "other", wide < 600 ? "other" : "other or still up")];
}

/** The picture, `wide` units from side to side; its height and its type are the same at any width. */
function picture(trend, wide) {
    const slots = Math.max(trend.length, LEAST_SLOTS);
    const step = (wide - LEFT - RIGHT) / slots;
    const most = ceiling(Math.max(...trend.map((slot) => slot.calls), 4));
    const longest = ceilingOfTime(Math.max(...trend.map((slot) => slot.longest_wait_s || 0)));
    const every = Math.ceil((slots * 90) / wide);
    const parts = [...legend(wide), ...axis(CALLS, wide, most), ...axis(WAITS, wide, lasting(longest))];
    parts.push(svg("text", { x: LEFT, y: WAITS.top - 10 }, "longest wait"));
    trend.forEach((slot, at) => {
        const [x, width] = [LEFT + at * step + step * 0.1, step * 0.8];
        const [answered, gone] = [slot.answered / most, (slot.answered + slot.abandoned) / most];
        parts.push(bar("answered", x, width, CALLS, 0, answered));
        parts.push(bar("abandoned", x, width, CALLS, answered, gone));
        parts.push(bar("other", x, width, CALLS, gone, Math.max(gone, slot.calls / most)));
        parts.push(bar("wait", x, width, WAITS, 0, (slot.longest_wait_s || 0) / longest));
        if (at % every === 0) parts.push(svg("text", { x: x + width / 2, y: BOTTOM + 24, class: "middle" }, hourAndMinute(slot.from)));
    });
    const hatch = svg(
        "pattern",
        { id: "hatch", width: 8, height: 8, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("rect", { width: 8, height: 8, class: "ground" }),
        svg("rect", { width: 4, height: 8, class: "stripe" }),
    );
    return svg(
        "svg",
        { viewBox: `0 0 ${wide} ${BOTTOM + 32}`, role: "img", "aria-label": told(trend), class: "picture" },
        svg("defs", {}, hatch),
        ...parts,
    );
}

let drawn = "";

/** Draws the day from its first call into `place`, and its figures into the rows of a table. */
export function draw(place, rows, day) {
    const first = day.findIndex((slot) => slot.calls > 0);
    const trend = first < 0 ? day.slice(-1) : day.slice(first);
    const wide = place.clientWidth < 600 ? 420 : 1000;
    const now = JSON.stringify([wide, trend]);
    if (now === drawn) return;
    drawn = now;
    empty(place).append(trend.length ? picture(trend, wide) : "");
    const number = (words) => el("td", { class: "number" }, String(words));
    empty(rows).append(
        ...trend.map((slot) =>
            el(
                "tr",
                {},
                el("th", { scope: "row" }, hourAndMinute(slot.from)),
                number(slot.calls),
                number(slot.answered),
                number(slot.abandoned),
                number(lasting(slot.longest_wait_s)),
            ),
        ),
    );
}
