// Making and changing what is on the page. Text goes in as text, never as markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
    Object.keys(attributes || {}).forEach((name) => {
        const value = attributes[name];
        if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
        else if (value === true) node.setAttribute(name, "");
        else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
    });
    children.forEach((child) => {
        if (child !== null && child !== undefined && child !== false) node.append(child);
    });
    return node;
}

/** An element with its attributes (`onclick` and the like are listeners) and children (nodes or text). */
export function el(tag, attributes, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

/** The same for a part of a picture. */
export function svg(tag, attributes, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

export function byId(id) {
    return document.getElementById(id);
}

/** The part of `node` that was made with `data-part`. */
export function part(node, name) {
    return node.querySelector(`[data-part="${name}"]`);
}

/** Sets the text where it differs, so that nothing flickers and screen readers are not told again. */
export function say(node, text) {
    const words = String(text);
    if (node.textContent !== words) node.textContent = words;
}

/** Says what became of what somebody did on this page. */
export function tell(words, bad) {
    byId("told").classList.toggle("bad", Boolean(bad));
    say(byId("told"), words);
}

/** Sets or takes away an attribute where it differs. */
export function mark(node, name, value) {
    if (value === null || value === false) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function empty(node) {
    while (node.firstChild) node.removeChild(node.firstChild);
    return node;
}

/**
 * Makes the children of `parent` those of `items`, one each, in order. What was there already is kept and
 * updated, so that the focus and half-written text stay where they are.
 */
export function keep(parent, items, keyOf, make, update) {
    const held = new Map(Array.from(parent.children, (node) => [node.dataset.key, node]));
    const wanted = new Set(items.map((item) => String(keyOf(item))));
    held.forEach((node, key) => {
        if (!wanted.has(key)) node.remove();
    });
    const focused = document.activeElement;
    items.forEach((item, at) => {
        const key = String(keyOf(item));
        let node = held.get(key);
        if (!node) {
            node = make(item);
            node.dataset.key = key;
        }
        if (parent.children[at] !== node) parent.insertBefore(node, parent.children[at] || null);
        if (update) update(node, item);
    });
    if (focused !== document.activeElement && parent.contains(focused)) focused.focus();
}

/** The options of a list to choose from; the choice stands while it is still offered. */
export function options(select, choices) {
    keep(
        select,
        choices,
        ([value]) => value,
        ([value]) => el("option", { value }),
        (node, [, words, disabled]) => {
            say(node, words);
            node.disabled = Boolean(disabled);
        },
    );
}

/** Says something to screen readers and nobody else. */
export function announce(text) {
    say(byId("spoken"), text);
}
