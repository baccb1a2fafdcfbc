// Signing in, and going on to where somebody wanted to be.

import { ask } from "./api.js";
import { byId, mark, say } from "./dom.js";

/** Where to go: a page of this daemon, whatever the address says. */
function next() {
    const wanted = new URLSearchParams(location.search).get("next") || "/";
    const there = new URL(wanted, location.origin);
    return there.origin === location.origin && there.pathname !== "/sign-in" ? there.pathname + there.search : "/";
}

function refuse(words, field) {
    say(byId("fault-words"), words);
    byId("fault").hidden = false;
    document.title = "Error: Sign in – Hearken";
    ["name", "password"].forEach((id) => {
        mark(byId(id), "aria-invalid", field === id ? "true" : null);
        mark(byId(id), "aria-describedby", field === id ? "fault-words" : null);
    });
    byId(field || "fault").focus();
}

function why(problem) {
    if (problem.status === 401) return "The name or the password is wrong.";
    if (problem.status !== 429) return problem.message;
    const seconds = Number(problem.retryAfter);
    const wait = seconds ? ` Try again in ${seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`}.` : "";
    return `There were too many tries.${wait}`;
}

/** What became of a sign-in by the provider, by the word in the address. */
const FAULTS = {
    again: "Signing in took too long, or was begun in another window. Try again.",
    away: "Your organisation's sign-in does not answer. Try again later, or sign in with a name and a password.",
    busy: "Many people are signing in. Try again in a moment.",
    denied: "Your organisation did not sign you in.",
    unknown: "Your organisation knows you, but nobody has given you access to Hearken. Ask whoever looks after it.",
    wrong: "Your organisation's sign-in could not be checked. Tell whoever looks after Hearken.",
};

/** Offers the provider, where there is one. */
async function offer() {
    const { name } = await ask("GET", "oidc");
    if (!name) return;
    const link = byId("provider");
    say(link, `Sign in with ${name}`);
    link.href = `/api/v1/oidc/begin?next=${encodeURIComponent(next())}`;
    byId("elsewhere").hidden = false;
}

const fault = new URLSearchParams(location.search).get("fault");
if (fault && Object.hasOwn(FAULTS, fault)) refuse(FAULTS[fault]);
// Without an answer there is still the form.
offer().catch(() => {});

byId("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [name, password] = [byId("name").value.trim(), byId("password").value];
    if (!name) return refuse("Enter your name.", "name");
    if (!password) return refuse("Enter your password.", "password");
    try {
        await ask("POST", "session", { name, password });
        location.assign(next());
    } catch (problem) {
        byId("password").value = "";
        refuse(why(problem), problem.status === 401 ? "password" : null);
    }
});
