// The daemon's board as it changes. What is no longer live is said to be so, at once.

import { identity } from "./api.js";

const SILENCE = 12000; // two heartbeats and a little
const AGAIN = 1000;

/** What server-sent events of one chunk tell: the newest board, if there is one. */
function newest(events) {
    const boards = events.filter((event) => /^event: ?board$/m.test(event));
    if (!boards.length) return null;
    const lines = boards[boards.length - 1].split("\n").filter((line) => line.startsWith("data:"));
    return JSON.parse(lines.map((line) => line.slice(5)).join("\n"));
}

/**
 * Follows the board, and goes on trying for as long as the page is open. `board` is called with each new one
 * and the moment that it came (of `performance.now`), `lost` once when the connection is lost, with the
 * time of the last board or null, and `refused` when nobody is signed in any more.
 */
export function follow({ board, lost, refused }) {
    let run = 0; // the connection that counts
    let reader = null;
    let heard = 0; // when a board last told of a new moment
    let last = null; // the time of day when that was, here
    let at = null;
    let told = false; // that the connection is lost

    async function listen() {
        const mine = run;
        heard = performance.now();
        try {
            const answer = await fetch("/api/v1/stream", identity({ accept: "text/event-stream" }));
            if (mine !== run) return;
            if (answer.status === 401) {
                refused();
                return;
            }
            if (answer.ok) await read(answer.body.getReader(), mine);
        } catch (error) {
            // As good as an end: the next try finds out.
        }
        if (mine === run) fail();
    }

    async function read(from, mine) {
        reader = from;
        const decoder = new TextDecoder();
        let rest = "";
        for (;;) {
            const { done, value } = await reader.read();
            if (done || mine !== run) return;
            const events = (rest + decoder.decode(value, { stream: true })).split("\n\n");
            rest = events.pop();
            const next = newest(events);
            // A daemon that repeats itself is not alive.
            if (next && next.at !== at) take(next);
        }
    }

    function take(next) {
        at = next.at;
        heard = performance.now();
        last = Date.now();
        told = false;
        board(next, heard);
    }

    function fail() {
        run += 1;
        heard = Infinity;
        if (reader) reader.cancel().catch(() => {});
        if (!told) lost(last);
        told = true;
        setTimeout(listen, AGAIN * (1 + Math.random() / 2));
    }

    setInterval(() => {
        if (performance.now() - heard > SILENCE) fail();
    }, 1000);
    // A page that is being left has lost nothing.
    addEventListener("pagehide", () => {
        run += 1;
        heard = Infinity;
    });
    listen();
}
