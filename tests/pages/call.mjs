// One call as a ladder: a picture for those who see it, the same as a list for everybody.

import assert from "node:assert/strict";
import { leave, says, sound, tabTo, visit } from "./browser.mjs";

/** A call that is answered, and its number. */
async function talk(hub, page) {
    const call = await hub.surgeryCall("+447700900321");
    await hub.phones.asha.answer();
    const item = page.locator("#calls-list li").filter({ hasText: "talking with asha" });
    const words = await item.locator("[data-part=note]").textContent();
    return { call, number: /call (\d+):/.exec(words)[1], item };
}

export const tests = {
    async "an engineer goes from the wallboard to a call and sees who said what to whom, by keyboard"(hub, browser) {
        const page = await visit(browser, hub, "olga", "/", "wall");
        const { call, number, item } = await talk(hub, page);
        await item.getByRole("link", { name: `Ladder of call ${number}` }).focus();
        await page.keyboard.press("Enter");
        await says(page, "h1", `Call ${number}`);
        const picture = page.getByRole("img", { name: /^\d+ steps between caller, hearken, asha;/ });
        await picture.waitFor();
        const drawn = await picture.locator(".arrow").count();
        assert.equal(await page.locator("#steps .message").count(), drawn, "picture and list have the same messages");
        await says(page, "#steps .decision", "bridged to asha");
        await says(page, "#steps .media", "caller and asha hear each other");
        await sound(page);
        await tabTo(page, "#steps summary");
        await page.keyboard.press("Enter");
        await says(page, "#steps .message pre", "+447700900321");
        await sound(page);
        await hub.endTalk(call);
        await page.goto(`${hub.base}/call/1`);
        await page.locator("#number").fill(number);
        await page.keyboard.press("Enter");
        await says(page, "#steps .decision", "over: Answered");
        await leave(page);
    },

    async "a step of the picture opens the same step of the list, on a telephone too"(hub, browser) {
        const page = await visit(browser, hub, "olga", "/", "phone");
        const { call, number } = await talk(hub, page);
        await page.goto(`${hub.base}/call/${number}`);
        await page.locator("#picture [data-step='0'] .on").click();
        await says(page, "#steps li:first-child pre", "INVITE sip:");
        await sound(page);
        await hub.endTalk(call);
        await leave(page);
    },

    async "a call that never was is said to be none, and who is no engineer is sent away"(hub, browser) {
        const page = await visit(browser, hub, "olga", "/call/999999", "wall");
        await says(page, "#told", "there was no call-999999");
        assert.ok(await page.locator("#drawn").isHidden());
        await sound(page);
        await leave(page);
        const other = await visit(browser, hub, "wall", "/call/1", "wall");
        await says(other, "#told", "this needs the role `engineer`");
        await leave(other);
    },
};
