// Putting a text into force: what differs is shown first, and somebody says what it is for. And what was in force before.

import { ask, named } from "./api.js";
import { byId, el, empty, keep, say, tell } from "./dom.js";
import { difference } from "./diff.js";
import { count, day, hourAndMinute } from "./words.js";

const TAGS = { "+": "ins", "-": "del", " ": "span" };

/** When, by whom and what for. */
function whose({ at, by, note }) {
    const who = { start: "found in the file at a start", SIGHUP: "from the file, by SIGHUP" }[by] || `by ${by}`;
    return `${day(at)} ${hourAndMinute(at)}, ${who}${note ? `: ${note}` : ""}`;
}

function list(words) {
    return words.length ? el("ul", {}, ...words.map((one) => el("li", {}, one))) : null;
}

/**
 * `page` has `text()`, `set(text)`, `plan()` (in force), `load()` (asks for that anew) and `check()`. Gives `show`, which
 * lists what was in force before.
 */
export function applying(page) {
    let chosen = null; // the version whose text was taken into the editor: {version, text}
    let reviewed = null; // what may be put into force, just as it was shown: {text, of, again}

    function close() {
        reviewed = null;
        byId("review").hidden = true;
        byId("apply").focus();
    }

    /** What would be done, before anybody can do it. */
    async function review() {
        tell("");
        reviewed = null;
        const [text, plan] = [page.text(), page.plan()];
        const verdict = await page.diff(text).catch((problem) => tell(`Not known: ${problem.message}`, true));
        if (!verdict || page.text() !== text) return;
        if (!verdict.ok) return tell("It has faults, so it cannot be put into force.", true);
        const differs = difference(plan.text, text).map((line) =>
            line ? el(TAGS[line[0]], {}, `${line[0]} ${line[1]}\n`) : el("span", { class: "note" }, "  ...\n"),
        );
        empty(byId("differs")).append(...differs);
        const gone = verdict.touches.map(({ line, waiting }) => `▲ ${line} would be gone, and ${count(waiting, "caller waits", "callers wait")} in it: this will be refused, unless [removed.${line}] says what becomes of them`);
        const late = verdict.changes.filter((words) => words.endsWith("(after a restart)"));
        empty(byId("waits")).append(...[list(gone), late.length ? el("p", {}, "Only a restart of the daemon takes over:") : null, list(late)].filter(Boolean));
        const again = chosen && chosen.text === text ? chosen.version : null;
        say(byId("review-title"), again ? `Put version ${again} into force again?` : "Put this into force?");
        reviewed = { text, of: plan.version, again };
        byId("review").hidden = false;
        byId("review-title").focus();
    }

    /** Puts into force what was shown, once. */
    async function apply() {
        if (!reviewed) return;
        const { text, of, again } = reviewed;
        reviewed = null;
        const headers = { "if-match": `"${of}"` };
        const note = byId("note").value.trim();
        let done = null;
        try {
            done = again
                ? await ask("POST", "plan/roll-back", { version: again, note }, headers)
                : await ask("PUT", "plan", { text, note }, headers);
        } catch (problem) {
            close();
            return refused(problem);
        }
        byId("note").value = "";
        chosen = null;
        close();
        tell(`Version ${done.version} is in force.${done.at_restart.length ? ` A restart is needed for ${done.at_restart.join(", ")}.` : ""}`);
        follow(page.text() !== text);
    }

    /** Shows what is in force now; the text on the page stays if it is to be `kept`. */
    async function follow(kept) {
        try {
            await page.load(kept);
        } catch (problem) {
            say(byId("version"), `not known: ${problem.message}`);
        }
        await show();
    }

    async function refused(problem) {
        const { stranded, diagnostics } = problem.body;
        if (problem.status === 412) {
            await follow(true);
            return tell(`Not put into force: ${problem.message}. Your text is still here: look at what differs now.`, true);
        }
        if (diagnostics) page.check();
        const lines = (stranded || []).map(({ line, waiting }) => ` ${count(waiting, "caller waits", "callers wait")} in ${line}.`);
        tell(`Not put into force: ${problem.message}.${lines.join("")}`, true);
    }

    async function take(version) {
        try {
            const { text } = await ask("GET", `plan/versions/${named(String(version))}`);
            chosen = { version, text };
            page.set(text);
            byId("text").focus();
            tell(`The text of version ${version} is in the editor. It is not in force.`);
        } catch (problem) {
            tell(problem.message, true);
        }
    }

    async function show() {
        try {
            const { versions } = await ask("GET", "plan/versions");
            const inForce = page.plan().version;
            keep(
                byId("versions"),
                versions,
                (one) => `${one.version} ${one.version === inForce}`,
                (one) =>
                    el(
                        "li",
                        {},
                        el("b", {}, `Version ${one.version}`),
                        one.version === inForce ? el("span", { class: "tag" }, "in force") : null,
                        el("span", { class: "note" }, whose(one)),
                        one.version === inForce
                            ? null
                            : el("button", { type: "button", class: "small second", "data-version": one.version, onclick: () => take(one.version) }, `Take version ${one.version} into the editor`),
                    ),
            );
        } catch (problem) {
            say(byId("versions-told"), problem.message);
        }
    }

    byId("apply").addEventListener("click", review);
    byId("not-now").addEventListener("click", close);
    byId("review").addEventListener("keydown", (event) => {
        if (event.key === "Escape") close();
    });
    byId("confirm").addEventListener("submit", (event) => {
        event.preventDefault();
        apply();
    });
    return show;
}
