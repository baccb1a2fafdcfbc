// Talking with the daemon: JSON in and out, problems as exceptions.

/** What the daemon refused, and why, in its own words. */
class Problem extends Error {
    constructor(status, body, retryAfter) {
        super((body && (body.detail || body.title)) || `The daemon answered ${status}.`);
        this.status = status;
        this.body = body || {};
        this.retryAfter = retryAfter;
    }
}

// A screen on a wall has a token in its address, behind #token=, which no server is sent: nobody need sign it in.
const token = (/^#token=(\w+)$/.exec(location.hash) || [])[1];

/** Whether this is such a screen. */
export const isScreen = Boolean(token);

/** Settings of a request with these headers, as whoever is signed in or as the screen. */
export function identity(headers) {
    if (!token) return { credentials: "same-origin", headers };
    return { credentials: "omit", headers: Object.assign({ authorization: `Bearer ${token}` }, headers) };
}

/** Goes to the sign-in page, and comes back from there. */
export function signIn() {
    const back = location.pathname + location.search;
    location.assign(`/sign-in?next=${encodeURIComponent(back)}`);
}

/** A name that is used once, so that a command sent twice is done once. */
function once() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Asks the daemon; gives what it answers (null for an empty answer), or throws a [`Problem`]. */
export async function ask(method, path, body, headers) {
    const settings = Object.assign(identity(Object.assign({ accept: "application/json" }, headers)), { method });
    if (method !== "GET") {
        settings.headers["x-hearken"] = "1";
        settings.headers["idempotency-key"] = once();
    }
    if (body !== undefined) {
        settings.headers["content-type"] = "application/json";
        settings.body = JSON.stringify(body);
    }
    let answer;
    try {
        answer = await fetch(`/api/v1/${path}`, settings);
    } catch (error) {
        throw new Problem(0, { detail: "No connection to the daemon. Nothing is known to have been done." });
    }
    const text = await answer.text();
    let json = null;
    try {
        json = text ? JSON.parse(text) : null;
    } catch (error) {
        if (answer.ok) throw new Problem(answer.status, { detail: "The daemon's answer could not be read." });
    }
    if (answer.ok) return json;
    throw new Problem(answer.status, json, answer.headers.get("retry-after"));
}

/** What may be called at any time, and does `look` once at a time: once more, if it was called meanwhile. */
export function oneAtATime(look) {
    let looking = false;
    let wanted = false;
    return async () => {
        wanted = true;
        if (looking) return;
        looking = true;
        try {
            while (wanted) {
                wanted = false;
                await look();
            }
        } finally {
            looking = false;
        }
    };
}

/** A part of a path, whatever is in the name. */
export function named(name) {
    return encodeURIComponent(name);
}
