// What all pages have: who is signed in, the way to the other pages, the state of the connection.

import { ask, isScreen, signIn } from "./api.js";
import { announce, byId, el, empty, say } from "./dom.js";
import { follow } from "./live.js";
import { clock } from "./words.js";

const HIDE_AFTER = 10000;

const PAGES = [
    ["/", "Wallboard", () => true],
    ["/agent", "My calls", (me) => me.agent || may(me, "supervisor")],
    ["/reports", "Reports", () => !isScreen],
    ["/rules", "Rules", (me) => may(me, "ops")],
];

/** Whether somebody may do what is for `role`. */
export function may(me, role) {
    return me.roles.indexOf(role) >= 0;
}

/** Who is signed in; goes to the sign-in page when nobody is. Waits for a daemon that is not there. */
export async function whoAmI() {
    for (;;) {
        try {
            const me = await ask("GET", "me");
            reachable();
            head(me);
            return me;
        } catch (problem) {
            if (problem.status === 401) {
                signIn();
                return new Promise(() => {});
            }
            unreachable(null);
            await new Promise((done) => setTimeout(done, 1500));
        }
    }
}

function head(me) {
    const links = PAGES.filter(([, , shown]) => shown(me)).map(([path, words]) =>
        el("li", {}, el("a", { href: path, "aria-current": path === location.pathname ? "page" : null }, words)),
    );
    empty(byId("pages")).append(...links);
    const out = isScreen ? "" : el("button", { type: "button", class: "plain", onclick: leave }, "Sign out");
    empty(byId("who")).append(el("span", {}, me.name), out);
}

async function leave() {
    try {
        await ask("DELETE", "session");
    } finally {
        location.assign("/sign-in");
    }
}

function unreachable(last) {
    document.body.classList.add("stale");
    const words = last ? `No connection since ${clock(last)}` : "No connection";
    const note = last ? "What is shown below is old." : "Nothing is known.";
    say(byId("lost-words"), words);
    say(byId("lost-note"), `${note} Trying again.`);
    byId("lost").hidden = false;
    if (byId("live")) say(byId("live"), "Not live");
}

function reachable() {
    if (byId("lost").hidden) return;
    byId("lost").hidden = true;
    byId("lost").classList.remove("alone");
    byId("main").hidden = false;
    document.body.classList.remove("stale");
    announce("Connected again.");
}

/**
 * Follows the board and shows whether it is live. `show` gets each board; `tick` runs with each and then each
 * second, with the seconds that it is old, but only while it is live. Nothing old stays to be taken for live.
 */
export function live({ show, tick }) {
    let board = null;
    let came = 0;
    let hiding = null;
    follow({
        board(next, at) {
            board = next;
            came = at;
            clearTimeout(hiding);
            reachable();
            say(byId("live"), "Live");
            show(next);
            tick(next, 0);
        },
        lost(last) {
            board = null;
            unreachable(last);
            clearTimeout(hiding);
            hiding = setTimeout(() => {
                say(byId("lost-note"), "What was here is too old to be shown. Trying again.");
                byId("main").hidden = true;
                byId("lost").classList.add("alone");
            }, HIDE_AFTER);
        },
        refused: signIn,
    });
    setInterval(() => {
        if (board) tick(board, (performance.now() - came) / 1000);
    }, 1000);
}

// A page that the browser had put aside is as old as when it was left.
addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
});
