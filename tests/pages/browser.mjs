// A browser that is looked through: pages by size, signed in, and held against the accessibility rules.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { PASSWORD } from "./hub.mjs";

// npm puts them beside the build, not into the source tree.
const require = createRequire(resolve(process.env.CARGO_TARGET_DIR || "target", "pages", "package.json"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const SIZES = { wall: { width: 1920, height: 1080 }, phone: { width: 390, height: 844 } };
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export async function open() {
    return chromium.launch({
        executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
        args: [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
        ],
    });
}

/** A page at one size, signed in as somebody (or nobody), with what is to be done `before` it is loaded. */
export async function visit(browser, hub, name, path, size, before = () => {}) {
    // The certificate of the provider, whose pages are none of ours, is not held against it.
    const context = await browser.newContext({ viewport: SIZES[size], timezoneId: "Europe/London", ignoreHTTPSErrors: true });
    context.setDefaultTimeout(10000);
    const page = await context.newPage();
    page.complaints = [];
    page.on("pageerror", (error) => page.complaints.push(error.message));
    page.on("console", (message) => {
        // That the daemon cannot be reached is said by the browser too.
        if (message.type() === "error" && !/Failed to load resource|ERR_CONNECTION|ERR_INCOMPLETE/.test(message.text())) page.complaints.push(message.text());
    });
    if (process.env.PAGES) await page.route(/\/assets\//, unbuilt);
    if (name) await signIn(context, hub, name);
    await before(page);
    await page.goto(hub.base + path);
    return page;
}

/** With PAGES=src/web/pages scripts and styles come from there: they can be tried before they are built in. */
async function unbuilt(route) {
    const file = join(process.env.PAGES, basename(new URL(route.request().url()).pathname));
    const response = await route.fetch();
    await route.fulfill(existsSync(file) ? { response, body: readFileSync(file, "utf8") } : { response });
}

/** Once for each user: to try a password takes the daemon its time. */
async function signIn(context, hub, name) {
    hub.cookies = hub.cookies || {};
    if (!hub.cookies[name]) {
        const answer = await context.request.post(`${hub.base}/api/v1/session`, { data: { name, password: PASSWORD }, headers: { "x-hearken": "1" } });
        assert.equal(answer.status(), 200, await answer.text());
        hub.cookies[name] = await context.cookies();
    }
    await context.addCookies(hub.cookies[name]);
}

/** Goes away, and says so if the page had complained. */
export async function leave(page) {
    assert.deepEqual(page.complaints, []);
    await page.context().close();
}

/** Nothing that axe knows of is wrong, and the page is no wider than the screen. */
export async function sound(page) {
    // By the debugger, whom the page's policy for scripts does not concern.
    const debug = await page.context().newCDPSession(page);
    await debug.send("Runtime.evaluate", { expression: AXE });
    const found = await page.evaluate(
        (rules) => window.axe.run({ runOnly: rules }).then(({ violations }) => violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" ")}`)),
        RULES,
    );
    assert.deepEqual(found, []);
    const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= room, `the page is ${wide} wide on a screen of ${room}`);
}

/** Waits until an element says something. */
export async function says(page, selector, text) {
    await page.locator(selector).filter({ hasText: text }).first().waitFor();
}

/** Tabs until the focus is on the element that matches, as somebody without a mouse does. */
export async function tabTo(page, selector) {
    for (let presses = 0; presses < 60; presses += 1) {
        if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
        await page.keyboard.press("Tab");
    }
    assert.fail(`the keyboard does not reach ${selector}`);
}
