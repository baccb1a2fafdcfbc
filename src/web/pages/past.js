// What a day of the ledger would have been under the text on the page, beside the file in force.

import { ask } from "./api.js";
import { byId, el, empty, say } from "./dom.js";
import { day, lastMonday, lasting } from "./words.js";

const GROUPS = { routine: "Routine calls", emergency: "Emergency calls" };

function value(unit, number) {
    if (number === null) return "–";
    if (unit === "seconds") return lasting(number);
    return unit === "share" ? `${Math.round(number * 100)} %` : String(Math.round(number));
}

function table(of, rows) {
    const row = ({ words, unit, in_force: inForce, draft, sure }) =>
        el(
            "tr",
            {},
            el("th", { scope: "row" }, words),
            el("td", { class: "number" }, value(unit, inForce)),
            el("td", { class: "number" }, value(unit, draft)),
            el("td", {}, inForce === draft ? "the same" : sure ? "differs" : "chance"),
        );
    const heading = (words, number) => el("th", { scope: "col", class: number ? "number" : null }, words);
    return el(
        "table",
        {},
        el("caption", {}, GROUPS[of]),
        el("thead", {}, el("tr", {}, heading("Calls"), heading("In force", true), heading("This text", true), heading("Difference"))),
        el("tbody", {}, ...rows.map(row)),
    );
}

/** Lets the day be asked for; `text` gives the text on the page. */
export function past(text) {
    byId("day").value = lastMonday();
    byId("day").max = day(new Date());
    byId("past").addEventListener("submit", async (event) => {
        event.preventDefault();
        const date = byId("day").value;
        const button = byId("past").querySelector("button");
        button.disabled = true;
        empty(byId("lived"));
        say(byId("living"), "The day is being lived again. This takes some seconds.");
        try {
            const { compared, seeds } = await ask("POST", "plan/simulate", { text: text(), load: `ledger:${date}` });
            const groups = Object.keys(GROUPS).filter((of) => compared.some((row) => row.of === of));
            byId("lived").append(...groups.map((of) => table(of, compared.filter((row) => row.of === of))));
            say(byId("living"), `The day of ${date}, simulated ${seeds.length} times with each. Waits are in minutes and seconds, of answered calls. “Chance” is what so few days cannot tell from luck.`);
        } catch (problem) {
            say(byId("living"), `Not known: ${problem.message}`);
        }
        button.disabled = false;
    });
}
