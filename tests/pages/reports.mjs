// What the page of the reports says of calls that are over, and that it is what the command says.

import assert from "node:assert/strict";
import { leave, says, sound, tabTo, visit } from "./browser.mjs";
import { today } from "./hub.mjs";

const text = (page, selector) => page.locator(selector).first().textContent();
/** The figure of all calls in a column, without the way to its calls. */
const all = async (page, label) => (await text(page, `#waits tr.all td[data-label="${label}"] span`)).replace("which? ", "");

/** How many calls the ledger has once those of the tests before are in it, which gathers for 200 ms. */
async function settled(hub, day) {
    for (let last = -1; ; ) {
        const { calls } = hub.report("--from", day, "--json").total;
        if (calls === last) return calls;
        last = calls;
        await new Promise((done) => setTimeout(done, 500));
    }
}

/** A call that is given up and, if it is to be, one that is answered, in the ledger; gives the day, and what the command says. */
async function calls(hub, isAnswered) {
    const day = today();
    const before = await settled(hub, day);
    if (isAnswered) {
        const answered = await hub.surgeryCall();
        await hub.phones.asha.answer();
        await hub.endTalk(answered);
    }
    hub.phones.surgery.hangUp(await hub.surgeryCall("+442079460002"));
    for (;;) {
        const { total } = hub.report("--from", day, "--json");
        if (total.calls === before + (isAnswered ? 2 : 1)) return [day, total];
        await new Promise((done) => setTimeout(done, 50));
    }
}

/** As the command writes a wait: tenths of a second, rounded half up. */
function minutes(seconds) {
    const tenths = Math.round(seconds * 10);
    return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

export const tests = {
    async "the figures of the page are those of the command, each with its calls, by mouse"(hub, browser) {
        const [day, total] = await calls(hub, true);
        const page = await visit(browser, hub, "olga", `/reports?from=${day}&to=${day}`, "wall");
        await says(page, "#waits tr.all", "All");
        assert.deepEqual(
            [await all(page, "Calls"), await all(page, "Answered"), await all(page, "Gave up")],
            [total.calls, total.answered, total.abandoned].map(String),
        );
        const waits = ["Mean wait", "Median", "90th", "95th", "99th", "Longest"];
        const { mean_s, median_s, p90_s, p95_s, p99_s, longest_s } = total.waits;
        assert.deepEqual(await Promise.all(waits.map((label) => all(page, label))), [mean_s, median_s, p90_s, p95_s, p99_s, longest_s].map(minutes));
        const rows = hub.report("--from", day, "--format", "cbt", "--json").rows;
        const missed = rows.filter((row) => row.Indicator === "CBT004").reduce((sum, row) => sum + row.Value, 0);
        const cbt004 = page.locator("#cbt tr").filter({ hasText: "CBT004" });
        assert.equal(await cbt004.locator("td span").first().textContent(), `which? ${missed}`);
        await page.locator("#picture").evaluate((picture) => picture.decode());
        assert.match(await page.locator("#picture").getAttribute("alt"), /most from \d\d:[03]0 with/);
        await sound(page);

        // Asked twice, they are there once.
        await cbt004.getByRole("button").evaluate((button) => [1, 2].forEach(() => button.click()));
        await says(page, "#trace-told", new RegExp(`^${missed} calls? makes? up CBT004`));
        assert.equal(await page.locator("#calls tr").count(), missed);
        assert.ok(await page.locator("#trace-title").evaluate((node) => node === document.activeElement));
        await sound(page);
        await page.getByRole("button", { name: "Back to the figure" }).click();
        assert.ok(await cbt004.getByRole("button").evaluate((node) => node === document.activeElement), "the focus comes back");
        for (const [name, kind, first] of [
            ["Waits as CSV", "text/csv", "line,calls,"],
            ["Every call as CSV", "text/csv", "run,call,"],
            ["GP figures as JSON", "application/json", "{"],
        ]) {
            const href = await page.getByRole("link", { name }).getAttribute("href");
            const answer = await page.context().request.get(hub.base + href);
            assert.ok(answer.headers()["content-type"].startsWith(kind) && (await answer.text()).startsWith(first), name);
        }
        await leave(page);
    },

    async "a practice's month is chosen by keyboard on a telephone, and whoever may see no single call is offered none"(hub, browser) {
        const [day] = await calls(hub, false);
        const page = await visit(browser, hub, "wall", "/reports", "phone");
        await says(page, "#waits tr.all", "All");
        await tabTo(page, "#practice");
        await page.keyboard.type("Elm");
        await tabTo(page, "#choice [type=submit]");
        await page.keyboard.press("Enter");
        await says(page, "#of", /^Elm Tree Surgery \(Y00001\), /);
        const month = hub.report("--from", `${day.slice(0, 7)}-01`, "--practice", "Y00001", "--json").total;
        assert.equal(Number(await all(page, "Calls")), month.calls);
        assert.match(page.url(), /practice=Y00001/);
        assert.equal(await page.getByRole("button", { name: "Which calls" }).count(), 0);
        assert.equal(await page.getByRole("link", { name: "Every call as CSV" }).count(), 0);
        await sound(page);
        await page.reload();
        await says(page, "#of", /^Elm Tree Surgery/);
        await leave(page);
    },

    async "what cannot be reported is said in words"(hub, browser) {
        const page = await visit(browser, hub, "wall", "/reports?from=2026-11-18&to=2026-11-16", "wall");
        await says(page, "#told.bad", "the period ends before it begins");
        assert.ok(await page.locator("#report").isHidden());
        await page.getByLabel("Month").selectOption({ index: 1 });
        await page.getByRole("button", { name: "Show" }).click();
        await says(page, "#waits tr.all", "All");
        await sound(page);
        await leave(page);
    },

    async "a report is printed without what only a screen has, and nothing is cut off"(hub, browser) {
        await calls(hub, false);
        const page = await visit(browser, hub, "olga", "/reports", "wall");
        await says(page, "#waits tr.all", "All");
        await page.emulateMedia({ media: "print" });
        // A4 across without its margins, at 96 to the inch.
        await page.setViewportSize({ width: 1032, height: 703 });
        for (const gone of [".top", "#choice", "#waits-get", "#waits tr.all button"]) assert.ok(!(await page.locator(gone).first().isVisible()), gone);
        for (const there of ["#of", "#waits", "#day", "#cbt", "#gp", "#iuc", "#ambsys", "#picture"]) assert.ok(await page.locator(there).isVisible(), there);
        const cut = await page.evaluate(() => Array.from(document.querySelectorAll("table, .picture"), (node) => node.getBoundingClientRect().right - innerWidth).filter((over) => over > 0));
        assert.deepEqual(cut, []);
        await leave(page);
    },
};
