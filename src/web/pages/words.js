// Times and states as people read them.

export function two(number) {
    return String(number).padStart(2, "0");
}

/** Seconds as 0:07, 12:45 or 1:02:07; a dash when there are none. */
export function lasting(seconds) {
    if (seconds === null || seconds === undefined) return "–";
    const whole = Math.max(0, Math.floor(seconds));
    const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** A range of minutes that holds the estimate; no finer, since it is not known any better. */
export function estimate(range) {
    if (!range) return "not known";
    const [low, high] = [Math.floor(range.p50_s / 60), Math.ceil(range.p90_s / 60)];
    if (high <= 1) return "under 1 min";
    return low === 0 ? `under ${high} min` : `${low}–${high} min`;
}

/** A share in whole per cent, never rounded up to all. */
export function share(part, whole) {
    return whole ? `${Math.floor((100 * part) / whole)} %` : "–";
}

/** The time of day, here. */
export function clock(time) {
    return `${hourAndMinute(time)}:${two(new Date(time).getSeconds())}`;
}

export function hourAndMinute(time) {
    const date = new Date(time);
    return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function day(time) {
    const date = new Date(time);
    return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The day of the last Monday that is over. */
export function lastMonday() {
    const monday = new Date();
    monday.setDate(monday.getDate() - ((monday.getDay() + 6) % 7 || 7));
    return day(monday);
}

/** "1 caller", "2 callers". */
export function count(number, one, many) {
    return `${number} ${number === 1 ? one : many || `${one}s`}`;
}

/** The room that a pathway has. */
export function room(pathway) {
    if (!pathway.offered) return "not offered now";
    if (pathway.capacity !== null) return `${Math.max(0, pathway.capacity - pathway.taken)} of ${pathway.capacity} free`;
    return pathway.reported === null ? "open" : `${count(pathway.reported, "place")} reported`;
}

// Each state has a shape too: nothing is told by colour alone.
const STATES = {
    free: ["Free", "○"],
    ringing: ["Ringing", "◔"],
    talking: ["Talking", "●"],
    "wrap-up": ["Wrap-up", "◑"],
    resting: ["After a miss", "◌"],
    unreachable: ["No phone", "✕"],
    paused: ["Paused", "Ⅱ"],
    "logged-out": ["Logged out", "–"],
};

/** The states in the order in which a room asks for them. */
export const ORDER = Object.keys(STATES);

/** An agent's state: its name, and a shape to know it by. */
export function state(name) {
    return STATES[name] || [name.charAt(0).toUpperCase() + name.slice(1), "◇"];
}
