// Signing in and out.

import assert from "node:assert/strict";
import { leave, says, sound, tabTo, visit } from "./browser.mjs";
import { PASSWORD } from "./hub.mjs";

export const tests = {
    async "whoever is not signed in is asked to, and comes to where they wanted to be"(hub, browser) {
        const page = await visit(browser, hub, null, "/agent", "phone");
        await page.waitForURL("**/sign-in?next=*");
        await sound(page);
        await tabTo(page, "#name");
        await page.keyboard.type("asha");
        await page.keyboard.press("Tab");
        await page.keyboard.type(PASSWORD);
        await page.keyboard.press("Enter");
        await page.waitForURL("**/agent");
        await says(page, "#title", "Calls of asha");
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.waitForURL("**/sign-in");
        const status = await page.evaluate(() => fetch("/api/v1/me").then((answer) => answer.status));
        assert.equal(status, 401);
        await leave(page);
    },

    async "a wrong password is refused in words, and what is missing is named"(hub, browser) {
        const page = await visit(browser, hub, null, "/sign-in", "wall");
        await page.getByRole("button", { name: "Sign in" }).click();
        await says(page, "#fault", "Enter your name.");
        await page.getByLabel("Name").fill("asha");
        await page.getByLabel("Password").fill("not it");
        await page.getByRole("button", { name: "Sign in" }).click();
        await says(page, "#fault", "The name or the password is wrong.");
        assert.ok(await page.getByLabel("Password").evaluate((node) => node === document.activeElement && node.value === ""));
        await sound(page);
        await leave(page);
    },

    async "whoever has a provider signs in there, by keyboard and over TLS, and comes to where they wanted to be"(hub, browser) {
        const page = await visit(browser, hub, null, "/sign-in?next=%2Freports", "phone");
        const link = page.getByRole("link", { name: "Sign in with Elm Trust" });
        await link.waitFor();
        await sound(page);
        await tabTo(page, "#provider");
        await page.keyboard.press("Enter");
        await page.waitForURL(`${hub.provider.issuer}/**`);
        await page.locator("[name=login]").fill("kim@trust.example");
        await page.locator("[name=password]").fill("x");
        await page.keyboard.press("Enter");
        await page.getByRole("button", { name: "Continue" }).click();
        await page.waitForURL(`${hub.base}/reports`);
        assert.deepEqual(await page.evaluate(() => fetch("/api/v1/me").then((answer) => answer.json())), { name: "kim", roles: ["viewer"], agent: null });
        await says(page, "h1", "Reports");
        await leave(page);
    },

    async "whom the provider knows and the users file does not is told so"(hub, browser) {
        const page = await visit(browser, hub, null, "/sign-in", "wall");
        await page.getByRole("link", { name: "Sign in with Elm Trust" }).click();
        await page.waitForURL(`${hub.provider.issuer}/**`);
        await page.locator("[name=login]").fill("mallory@trust.example");
        await page.locator("[name=password]").fill("x");
        await page.keyboard.press("Enter");
        await page.getByRole("button", { name: "Continue" }).click();
        await page.waitForURL("**/sign-in?fault=unknown");
        await says(page, "#fault", "nobody has given you access to Hearken");
        await sound(page);
        assert.ok(await page.locator("#fault").evaluate((node) => node === document.activeElement));
        await leave(page);
    },

    async "no address leads away from the daemon after signing in"(hub, browser) {
        for (const next of ["//example.com/", "javascript:alert(1)"]) {
            const page = await visit(browser, hub, "wall", `/sign-in?next=${encodeURIComponent(next)}`, "wall");
            await page.getByLabel("Name").fill("wall");
            await page.getByLabel("Password").fill(PASSWORD);
            await page.getByRole("button", { name: "Sign in" }).click();
            await says(page, "h1", "Wallboard");
            assert.ok(page.url().startsWith(hub.base), page.url());
            await leave(page);
        }
    },
};
