// What the page of the rules says of a file before anybody puts it into force.

import assert from "node:assert/strict";
import { leave, says, sound, tabTo, visit } from "./browser.mjs";

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
};
