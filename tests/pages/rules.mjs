// What the page of the rules says of a file, and how one is put into force.

import assert from "node:assert/strict";
import { leave, says, sound, tabTo, visit } from "./browser.mjs";
import { today } from "./hub.mjs";

/** Changes the text on the page, and waits until it has been checked. */
async function change(page, from, to) {
    await page.locator("#text").evaluate((area, [from, to]) => {
        area.value = area.value.replace(from, to);
        area.dispatchEvent(new Event("input"));
    }, [from, to]);
    await page.locator("#apply:not([disabled])").waitFor();
}

/** Which phone a call of the surgery rings, before the caller hangs up. */
async function rung(hub) {
    const call = await hub.surgeryCall();
    const { asha, evans } = hub.phones;
    const first = await Promise.race([asha.ringing().then(() => "asha"), evans.ringing().then(() => "evans")]);
    hub.phones.surgery.hangUp(call);
    while ([asha, evans].some((phone) => Array.from(phone.calls.values()).some((one) => one.state === "ringing"))) {
        await new Promise((done) => setTimeout(done, 20));
    }
    return first;
}

export const tests = {
    async "a fault is shown at its line as one types, and what is meant, by keyboard"(hub, browser) {
        const page = await visit(browser, hub, "olga", "/rules", "phone");
        await says(page, "#verdict", /^✓ good/);
        await says(page, "#same", "Nothing");
        await sound(page);
        await tabTo(page, "#text");
        await page.keyboard.press("Control+End");
        await page.keyboard.type('[line.new]\nteams = ["clinicans"]\n');
        await says(page, "#verdict", /^✕ 1 fault/);
        await says(page, "#faults", "did you mean clinicians?");
        const line = /line (\d+)/.exec(await page.locator("#faults .error").textContent())[1];
        await says(page, "#gutter b", `✕ ${line}`);
        await sound(page);
        await tabTo(page, "#faults .error button");
        await page.keyboard.press("Enter");
        const chosen = await page.locator("#text").evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
        assert.equal(chosen, '"clinicans"');
        await page.keyboard.type('"clinicians"');
        await says(page, "#verdict", /^✓ good/);
        await says(page, "#changes", "new");
        await leave(page);
    },

    async "what would happen to a call is explained from the file as it is on the page, by mouse"(hub, browser) {
        const page = await visit(browser, hub, "olga", "/rules", "wall");
        await says(page, "#verdict", /^✓ good/);
        await page.locator("#text").evaluate((area) => {
            area.value += '[[overflow]]\nname = "help"\nfrom = "elm-tree"\nwhen-all = { waiting-over = 8 }\nadd-teams = ["clinicians"]\n';
            area.dispatchEvent(new Event("input"));
        });
        await page.getByLabel("Trunk").selectOption("elm-tree");
        await page.getByLabel("Given").fill("elm-tree.waiting=9");
        await page.getByRole("button", { name: "Explain" }).click();
        await says(page, "#explained", "✓ help counts: 9 callers wait, over 8");
        await sound(page);
        await leave(page);
    },

    async "a page whose first question finds no daemon says so, and goes on when it is there"(hub, browser) {
        let refused = 0;
        const page = await visit(browser, hub, "olga", "/rules", "wall", (page) =>
            page.route("**/api/v1/me", (route) => ((refused += 1) === 1 ? route.abort() : route.continue())),
        );
        await says(page, "#lost-words", "No connection");
        await says(page, "#verdict", /^✓ good/);
        assert.ok(await page.locator("#lost").isHidden());
        await leave(page);
    },

    async "a draft with a fault cannot be put into force; a good one is, routes calls, and is rolled back, by keyboard"(hub, browser) {
        const page = await visit(browser, hub, "olga", "/rules", "phone");
        await says(page, "#verdict", /^✓ good/);
        const before = Number(/version (\d+)/.exec(await page.locator("#version").textContent())[1]);
        assert.equal(await rung(hub), "asha");
        await page.locator("#text").focus();
        await page.keyboard.press("Control+End");
        await page.keyboard.type("[line");
        await says(page, "#verdict", /^✕/);
        assert.ok(await page.locator("#apply").isDisabled());
        for (let letter = 0; letter < 5; letter += 1) await page.keyboard.press("Backspace");
        await change(page, 'practice = "elm-tree"\nline = "elm-tree"', 'practice = "elm-tree"\nline = "riverside"');
        await tabTo(page, "#apply");
        await page.keyboard.press("Enter");
        await says(page, "#differs del", '- line = "elm-tree"');
        await says(page, "#differs ins", '+ line = "riverside"');
        await sound(page);
        await tabTo(page, "#note");
        await page.keyboard.type("Elm Tree is closed for a burst pipe");
        await page.keyboard.press("Enter");
        await says(page, "#told", `Version ${before + 1} is in force.`);
        await says(page, "#versions li", `Version ${before + 1}in force`);
        await says(page, "#versions li", "by olga: Elm Tree is closed for a burst pipe");
        assert.equal(await rung(hub), "evans");
        await sound(page);

        await tabTo(page, `#versions [data-version="${before}"]`);
        await page.keyboard.press("Enter");
        await says(page, "#told", "It is not in force.");
        await page.locator("#apply:not([disabled])").waitFor();
        await tabTo(page, "#apply");
        await page.keyboard.press("Enter");
        await says(page, "#review-title", `Put version ${before} into force again?`);
        await tabTo(page, "#note");
        await page.keyboard.type("The pipe is mended");
        await page.keyboard.press("Enter");
        await says(page, "#told", `Version ${before + 2} is in force.`);
        assert.equal(await rung(hub), "asha");
        await leave(page);
    },

    async "only what was shown is put into force, and once"(hub, browser) {
        let answer;
        const held = new Promise((done) => (answer = done));
        const put = [];
        const page = await visit(browser, hub, "olga", "/rules", "wall", async (page) => {
            await page.route("**/api/v1/plan/diff", (route) => held.then(() => route.continue()));
            await page.route("**/api/v1/plan", (route) => (route.request().method() === "PUT" ? put.push(route) : route.continue()));
        });
        await says(page, "#verdict", /^✓ good/);
        await change(page, 'wrap-up = "60s"', 'wrap-up = "50s"');
        const asked = page.waitForResponse("**/api/v1/plan/diff");
        await page.getByRole("button", { name: "Put into force…" }).click();
        await change(page, 'wrap-up = "50s"', 'wrap-up = "40s"');
        answer();
        await asked;
        await says(page, "#changes", "40s");
        assert.ok(await page.locator("#review").isHidden());
        await page.getByRole("button", { name: "Put into force…" }).click();
        await says(page, "#differs ins", '+ wrap-up = "40s"');
        await page.getByLabel("What for?").fill("a shorter wrap-up");
        await page.locator("#confirm").evaluate((form) => {
            form.requestSubmit();
            form.requestSubmit();
        });
        while (put.length === 0) await new Promise((done) => setTimeout(done, 20));
        await put[0].abort();
        await says(page, "#told", /^Not put into force: /);
        assert.equal(put.length, 1);
        assert.match(put[0].request().postDataJSON().text, /wrap-up = "40s"/);
        await leave(page);
    },

    async "what somebody else put into force meanwhile is not undone unseen, and no text is lost"(hub, browser) {
        const page = await visit(browser, hub, "olga", "/rules", "wall");
        await says(page, "#verdict", /^✓ good/);
        await change(page, 'wrap-up = "60s"', 'wrap-up = "50s"');
        await page.getByRole("button", { name: "Put into force…" }).click();
        await says(page, "#differs ins", '+ wrap-up = "50s"');
        const api = `${hub.base}/api/v1/plan`;
        const { version, text } = await (await page.request.get(api)).json();
        const put = (data, of) => page.request.put(api, { data, headers: { "x-hearken": "1", "if-match": `"${of}"` } });
        const other = await put({ text: `# by somebody else\n${text}`, note: "meanwhile" }, version);
        assert.equal(other.status(), 200, await other.text());
        await page.getByLabel("What for?").fill("a shorter wrap-up");
        await page.getByRole("button", { name: "Put into force now" }).click();
        await says(page, "#told", `Not put into force: another configuration came into force meanwhile: version ${version + 1}, by olga.`);
        assert.match(await page.locator("#text").inputValue(), /wrap-up = "50s"/);
        await page.getByRole("button", { name: "Put into force…" }).click();
        await says(page, "#differs del", "- # by somebody else");
        await page.getByRole("button", { name: "Not now" }).click();
        assert.ok(await page.locator("#review").isHidden());
        assert.equal((await put({ text, note: "as it was" }, version + 1)).status(), 200);
        await leave(page);
    },

    async "a day of the ledger is lived again under the text on the page"(hub, browser) {
        const page = await visit(browser, hub, "olga", "/rules", "wall");
        await says(page, "#verdict", /^✓ good/);
        const call = await hub.surgeryCall();
        await hub.phones.asha.answer();
        await hub.endTalk(call);
        await page.getByLabel("Day of the ledger").fill(today());
        const lived = async () => {
            await page.getByRole("button", { name: "Compare" }).click();
            await page.locator("#past button:not([disabled])").waitFor();
            return page.locator("#lived table").count();
        };
        while (!(await lived())) await says(page, "#living", "no calls");
        await says(page, "#lived caption", "Routine calls");
        await says(page, "#lived thead", "This text");
        await sound(page);
        await leave(page);
    },
};
