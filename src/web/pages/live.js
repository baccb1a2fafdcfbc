// The daemon's board as it changes. What is no longer live is said to be so, at once.

const SILENCE = 12000; // two heartbeats and a little
const AGAIN = 1000;

/**
 * Follows the board, and goes on trying for as long as the page is open. `board` is called with each new one
 * and the moment that it came (of `performance.now`), `lost` once when the connection is lost, with the
 * time of the last board or null, and `refused` when the session has ended.
 */
export function follow({ board, lost, refused }) {
    let source = null;
    let heard = performance.now(); // when a board last told of a new moment
    let last = null; // the time of day when that was, here
    let at = null;
    let live = false;
    let first = true;

    function open() {
        heard = performance.now();
        source = new EventSource("/api/v1/stream");
        source.addEventListener("board", (event) => take(JSON.parse(event.data)));
        source.onerror = fail;
    }

    function take(next) {
        // A daemon that repeats itself is not alive.
        if (next.at === at) return;
        at = next.at;
        heard = performance.now();
        last = Date.now();
        live = true;
        first = false;
        board(next, heard);
    }

    function fail() {
        source.close();
        source.onerror = null;
        if (live || first) lost(last);
        live = false;
        first = false;
        setTimeout(again, AGAIN * (1 + Math.random() / 2));
    }

    async function again() {
        try {
            const answer = await fetch("/api/v1/me", { credentials: "same-origin" });
            if (answer.status === 401) return refused();
        } catch (error) {
            // Not there yet: the next try finds out.
        }
        return open();
    }

    setInterval(() => {
        if (source.readyState !== 2 && performance.now() - heard > SILENCE) fail();
    }, 1000);
    open();
}
