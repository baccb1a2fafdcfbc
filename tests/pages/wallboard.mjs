// What the wallboard promises to a room.

import assert from "node:assert/strict";
import { leave, says, sound, tabTo, visit } from "./browser.mjs";

const text = (page, selector) => page.locator(selector).first().textContent();
const row = (name) => `#lines tr[data-key="${name}"]`;

export const tests = {
    async "a new caller is on the wallboard at once, and gone when it hangs up"(hub, browser, report) {
        const page = await visit(browser, hub, "wall", "/", "wall");
        await says(page, "#live", "Live");
        assert.equal(await text(page, `${row("elm-tree")} [data-part=waiting]`), "0");
        const gone = Number(await text(page, `${row("elm-tree")} [data-part=abandoned]`));
        const began = Date.now();
        const seen = says(page, `${row("elm-tree")} [data-part=waiting]`, "1");
        const call = await hub.surgeryCall();
        await seen;
        report(`a new caller was on the wallboard ${Date.now() - began} ms after its INVITE`);
        await says(page, `${row("elm-tree")} [data-part=longest]`, /^0:0[1-9]$/);
        hub.phones.surgery.hangUp(call);
        await says(page, `${row("elm-tree")} [data-part=waiting]`, "0");
        await says(page, `${row("elm-tree")} [data-part=abandoned]`, String(gone + 1));
        await leave(page);
    },

    async "an emergency caller cannot be overlooked, in words, in shape and to a screen reader"(hub, browser) {
        const page = await visit(browser, hub, "wall", "/", "wall");
        await says(page, "#emergency-words", "No emergency caller waits");
        const call = await hub.emergencyCall();
        await says(page, "#emergency-words", "1 emergency caller waits");
        await says(page, "#spoken", "1 emergency caller waits");
        assert.match(await page.title(), /^\(1 × 999\)/);
        assert.ok(await page.locator("#emergency.waits .sign").isVisible());
        await says(page, "#agents .ringing", "dr-evans");
        await sound(page);
        await hub.phones.evans.answer();
        await says(page, "#agents .talking", "dr-evans");
        await says(page, "#emergency-words", "No emergency caller waits");
        hub.phones.emergency.hangUp(call);
        await says(page, "#agents .free", "dr-evans");
        await leave(page);
    },

    async "what matters can be read from five metres, without scrolling"(hub, browser) {
        const page = await visit(browser, hub, "wall", "/", "wall");
        await says(page, "#live", "Live");
        const height = (selector) => page.locator(selector).first().evaluate((node) => parseFloat(getComputedStyle(node).fontSize));
        // 32 px of a 55 inch screen are 20 mm: 14 minutes of arc at 5 m, and letters are legible at 10.
        for (const selector of ["#emergency-words", `${row("elm-tree")} [data-part=waiting]`, `${row("elm-tree")} [data-part=longest]`, "#states b", "#lines th span"]) {
            assert.ok((await height(selector)) >= 32, `${selector} is ${await height(selector)} px`);
        }
        for (const selector of ["#emergency", ".lines", ".agents", ".trunks", ".trend"]) {
            const box = await page.locator(selector).boundingBox();
            assert.ok(box.y + box.height <= 1080, `${selector} ends at ${box.y + box.height}`);
        }
        await leave(page);
    },

    async "the day's picture says in words and in a table what it shows, by keyboard too"(hub, browser) {
        const page = await visit(browser, hub, "wall", "/", "phone");
        const call = await hub.surgeryCall();
        hub.phones.surgery.hangUp(call);
        await page.locator("#trend svg[aria-label*=' abandoned. Busiest from ']").waitFor();
        await says(page, `${row("elm-tree")} [data-part=waiting]`, "0");
        await tabTo(page, ".trend summary");
        await page.keyboard.press("Enter");
        const calls = await page.locator("#trend-rows td:nth-child(2)").allTextContents();
        assert.ok(Number(calls[0]) >= 1, "the day begins with its first call");
        await sound(page);
        await leave(page);
    },

    async "nothing old looks live on a screen while the daemon is away, and it goes on by itself after a restart"(hub, browser, report) {
        const page = await visit(browser, hub, null, `/#token=${hub.token}`, "wall", (page) => page.clock.install());
        await says(page, "#live", "Live");
        const call = await hub.surgeryCall();
        await says(page, `${row("elm-tree")} [data-part=waiting]`, "1");
        await hub.kill();
        await says(page, "#lost-words", /^No connection since \d\d:\d\d:\d\d$/);
        assert.equal(await text(page, "#live"), "Not live");
        await sound(page);
        await page.clock.fastForward(11000);
        await page.locator("#main").waitFor({ state: "hidden" });
        const began = Date.now();
        await hub.start();
        hub.cookies = {}; // sessions ended with the daemon
        await page.locator("#lost").waitFor({ state: "hidden" });
        report(`the wallboard was live again ${Date.now() - began} ms after the daemon's new start`);
        await says(page, `${row("elm-tree")} [data-part=waiting]`, "1");
        await says(page, "#live", /^Live$/);
        hub.phones.surgery.hangUp(call);
        await says(page, `${row("elm-tree")} [data-part=waiting]`, "0");
        await leave(page);
    },

    async "a viewer is shown no calls and nothing to do with them"(hub, browser) {
        const page = await visit(browser, hub, "wall", "/", "wall");
        await says(page, "#live", "Live");
        assert.ok(await page.locator("#calls").isHidden());
        await leave(page);
    },

    async "a supervisor moves a call by mouse, and it waits in the other line"(hub, browser) {
        const page = await visit(browser, hub, "olga", "/", "wall");
        const call = await hub.surgeryCall();
        const item = page.locator("#calls-list li").filter({ hasText: "on elm-tree" });
        await item.locator("[data-part=open]").click();
        await sound(page);
        await item.getByLabel("Line").selectOption("riverside");
        await item.getByRole("button", { name: "Move" }).click();
        await says(page, "#calls-told", /^Moved: call \d+, from/);
        await says(page, "#calls-list", "on riverside");
        hub.phones.surgery.hangUp(call);
        await page.locator("#calls-none").waitFor();
        await leave(page);
    },

    async "a supervisor makes a waiting caller an emergency and ends another call with a reason, by keyboard on a telephone"(hub, browser) {
        const page = await visit(browser, hub, "olga", "/", "phone");
        const first = await hub.surgeryCall("+442079460011");
        await hub.surgeryCall("+442079460012");
        await page.locator("#calls-list li").nth(1).waitFor();
        await tabTo(page, "#calls-list li:nth-child(1) [data-part=open]");
        await page.keyboard.press("Enter");
        await tabTo(page, "#calls-list li:nth-child(1) [data-deed=emergency] button");
        await page.keyboard.press("Enter");
        await says(page, "#calls-told", /^Made an emergency/);
        await says(page, "#emergency-words", "1 emergency caller waits");
        await sound(page);
        hub.phones.surgery.hangUp(first);
        await says(page, "#emergency-words", "No emergency caller waits");
        await says(page, "#calls-title", "1 call up");
        await tabTo(page, "#calls-list li:nth-child(1) [data-part=open]");
        await page.keyboard.press("Enter");
        await tabTo(page, "#calls-list li:nth-child(1) [data-deed=hang-up] input");
        await page.keyboard.type("the caller asked for it");
        await page.keyboard.press("Enter");
        await page.locator("#calls-none").waitFor();
        await leave(page);
    },
};
