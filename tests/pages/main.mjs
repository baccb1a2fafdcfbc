// The pages in a real browser, against the real daemon with real calls. The last line says how many passed.
//
//     node tests/pages/main.mjs [part of a test's name]

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { open } from "./browser.mjs";
import { Hub } from "./hub.mjs";
import { tests as agent } from "./agent.mjs";
import { tests as call } from "./call.mjs";
import { tests as reports } from "./reports.mjs";
import { tests as rules } from "./rules.mjs";
import { tests as signIn } from "./sign_in.mjs";
import { tests as wallboard } from "./wallboard.mjs";

const all = Object.entries({ ...signIn, ...agent, ...wallboard, ...call, ...rules, ...reports });
const wanted = all.filter(([name]) => name.includes(process.argv[2] || ""));
const pictures = join(process.env.CARGO_TARGET_DIR || "target", "pages", "failed");

/** Longest that one test may take. */
const LIMIT = 30000;

function timeLimit() {
    return new Promise((_, failed) => setTimeout(() => failed(new Error(`not over after ${LIMIT} ms`)), LIMIT).unref());
}

let hub = await Hub.open();
const browser = await open();
const began = Date.now();
let failed = 0;
for (const [name, test] of wanted) {
    const start = Date.now();
    try {
        await Promise.race([test(hub, browser, (figure) => console.log(`     ${figure}`)), timeLimit()]);
        console.log(`ok   ${name} (${Date.now() - start} ms)`);
    } catch (error) {
        failed += 1;
        console.log(`FAIL ${name}\n${error.stack}\n${hub.said}`);
        mkdirSync(pictures, { recursive: true });
        for (const context of browser.contexts()) {
            for (const page of context.pages()) {
                await page.screenshot({ path: join(pictures, `${failed}.png`) });
                console.log(`${page.url()} ${page.complaints}\nseen in ${pictures}/${failed}.png`);
            }
            await context.close();
        }
        // The next test finds everything as it should be.
        await hub.close();
        hub = await Hub.open();
    }
}
await browser.close();
await hub.close();
console.log(`Summary [${(Date.now() - began) / 1000}s] ${wanted.length} tests run: ${wanted.length - failed} passed, ${failed} failed`);
process.exitCode = failed || !wanted.length ? 1 : 0;
