// What an agent does on the own page.

import assert from "node:assert/strict";
import { leave, says, sound, tabTo, visit } from "./browser.mjs";

export const tests = {
    async "an agent takes a break and comes back, by keyboard on a telephone"(hub, browser) {
        const page = await visit(browser, hub, "asha", "/agent", "phone");
        await says(page, "#live", "Live");
        await sound(page);
        await tabTo(page, "#reason");
        await page.keyboard.type("lunch");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await says(page, "#state-words", "Paused: lunch");
        await tabTo(page, "[data-deed=resume]");
        await page.keyboard.press("Space");
        await says(page, "#state-words", "Free");
        await leave(page);
    },

    async "an agent logs out and in by mouse"(hub, browser) {
        const page = await visit(browser, hub, "asha", "/agent", "wall");
        await page.getByRole("button", { name: "Log out" }).click();
        await says(page, "#state-words", "Logged out");
        await page.getByRole("button", { name: "Log in" }).click();
        await says(page, "#state-words", "Free");
        await leave(page);
    },

    async "an agent sees whose call rings, how it waits, and says how it ended before the wrap-up is over"(hub, browser) {
        const page = await visit(browser, hub, "asha", "/agent", "wall");
        await says(page, "#live", "Live");
        const call = await hub.surgeryCall();
        await says(page, "#state-words", "Ringing");
        await says(page, "#call-practice", /Elm Tree|Y00001/);
        await says(page, "#call-line", "elm-tree");
        await says(page, "#spoken", /^Ringing: /);
        await hub.phones.asha.answer();
        await says(page, "#state-words", "Talking");
        await says(page, "#call-waited", /^0:\d\d$/);
        await sound(page);
        hub.phones.surgery.hangUp(call);
        await says(page, "#state-words", "Wrap-up");
        await says(page, "#state-time", /^0:[345]\d left$/);
        await page.getByLabel("How it ended").selectOption("21");
        await page.getByRole("button", { name: "Record" }).click();
        await says(page, "#told", "Recorded.");
        await says(page, "#state-words", "Free");
        await leave(page);
    },

    async "an agent sends a patient to a pathway that has room, by keyboard"(hub, browser) {
        const page = await visit(browser, hub, "asha", "/agent", "phone");
        await says(page, "#pathways", "2 of 2 free");
        const call = await hub.surgeryCall();
        await hub.phones.asha.answer();
        await page.locator("#transfer").waitFor();
        await tabTo(page, "#to");
        await page.keyboard.type("pharmacy");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await says(page, "#told", "being transferred");
        await hub.phones.pharmacy.answer();
        await says(page, "#pathways", "1 of 2 free");
        await says(page, "#state-words", "Wrap-up");
        await page.getByRole("button", { name: "End wrap-up" }).click();
        await says(page, "#state-words", "Free");
        hub.phones.surgery.hangUp(call);
        await says(page, "#pathways", "2 of 2 free");
        await leave(page);
    },

    async "a red flag asks first, and then makes the caller an emergency"(hub, browser) {
        const page = await visit(browser, hub, "asha", "/agent", "wall");
        const call = await hub.surgeryCall();
        await hub.phones.asha.answer();
        const flag = page.getByRole("button", { name: "Red flag" });
        await flag.click();
        await sound(page);
        await page.keyboard.press("Escape");
        assert.ok(await flag.evaluate((node) => node === document.activeElement), "the focus comes back");
        assert.ok(await page.locator("#call-emergency").isHidden());
        await flag.click();
        await page.getByRole("button", { name: "Yes, it is an emergency" }).click();
        await says(page, "#told", "an emergency now");
        hub.phones.surgery.hangUp(call);
        await says(page, "#state-words", /Wrap-up|Free/);
        const end = page.getByRole("button", { name: "End wrap-up" });
        if (await end.isVisible()) await end.click();
        await says(page, "#state-words", "Free");
        await leave(page);
    },

    async "a clinician takes a case that another agent left, gives it back, takes it again and closes it, by keyboard"(hub, browser) {
        const asha = await visit(browser, hub, "asha", "/agent", "wall");
        const call = await hub.surgeryCall("+447700900777");
        await hub.phones.asha.answer();
        await asha.getByLabel("Transfer to").selectOption("doctors");
        await asha.getByRole("button", { name: "Transfer" }).click();
        await says(asha, "#state-words", "Wrap-up");
        await asha.getByRole("button", { name: "End wrap-up" }).click();
        await says(asha, "#state-words", "Free");
        assert.ok((await asha.locator("#cases-list li").count()) === 0, "it is for clinicians");
        await leave(asha);
        const page = await visit(browser, hub, "dr-evans", "/agent", "phone");
        await says(page, "#cases-list", "Case of doctors");
        await says(page, "#cases-list [data-part=by]", /^by \d\d:\d\d$/);
        await sound(page);
        await tabTo(page, "#cases-list button");
        await page.keyboard.press("Enter");
        await says(page, "#told", "The case is yours.");
        await page.locator("#cases-none").waitFor();
        await sound(page);
        await page.getByRole("button", { name: "Give back" }).click();
        await says(page, "#told", "on its stack again");
        await page.getByRole("button", { name: "Take the most urgent" }).click();
        await says(page, "#told", "The case is yours.");
        await tabTo(page, "#owed select");
        await page.keyboard.type("21");
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await says(page, "#told", "The case is closed.");
        await page.locator("#owed-none").waitFor();
        hub.phones.surgery.hangUp(call);
        await leave(page);
    },

    async "no command of another agent is on the page, and none is obeyed"(hub, browser) {
        const page = await visit(browser, hub, "asha", "/agent", "wall");
        await says(page, "#title", "Calls of asha");
        assert.ok(await page.locator("#whose").isHidden());
        const status = await page.evaluate(() =>
            fetch("/api/v1/agents/dr-evans/log-out", { method: "POST", headers: { "x-hearken": "1", "content-type": "application/json" }, body: "{}" }).then((answer) => answer.status),
        );
        assert.equal(status, 403);
        page.complaints = [];
        await leave(page);
    },
};
