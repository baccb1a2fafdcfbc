// What differs between two texts, line by line.

const NEAR = 2; // lines that are shown around what differs
const MOST = 4000000; // longer texts that differ everywhere are not compared line by line

/** The lines of both in order, as [sign, line]: "-" was there, "+" is there now, " " is in both. */
function lines(before, after) {
    let from = 0;
    while (from < before.length && from < after.length && before[from] === after[from]) from += 1;
    let until = 0;
    while (until < before.length - from && until < after.length - from && before[before.length - 1 - until] === after[after.length - 1 - until]) until += 1;
    const [gone, come] = [before.slice(from, before.length - until), after.slice(from, after.length - until)];
    const same = (list) => list.map((line) => [" ", line]);
    return same(before.slice(0, from)).concat(middle(gone, come), same(before.slice(before.length - until)));
}

/** The longest lines that both have in the same order stay; all others are gone, or new. */
function middle(gone, come) {
    const wide = come.length + 1;
    if (gone.length * wide > MOST) return gone.map((line) => ["-", line]).concat(come.map((line) => ["+", line]));
    const length = new Uint32Array((gone.length + 1) * wide);
    for (let a = gone.length - 1; a >= 0; a -= 1) {
        for (let b = come.length - 1; b >= 0; b -= 1) {
            const at = a * wide + b;
            length[at] = gone[a] === come[b] ? length[at + wide + 1] + 1 : Math.max(length[at + wide], length[at + 1]);
        }
    }
    const found = [];
    let [a, b] = [0, 0];
    while (a < gone.length || b < come.length) {
        if (a < gone.length && b < come.length && gone[a] === come[b]) {
            found.push([" ", gone[a]]);
            [a, b] = [a + 1, b + 1];
        } else if (a < gone.length && (b === come.length || length[(a + 1) * wide + b] >= length[a * wide + b + 1])) {
            found.push(["-", gone[a]]);
            a += 1;
        } else {
            found.push(["+", come[b]]);
            b += 1;
        }
    }
    return found;
}

/** What differs, with the lines around it; null stands for lines that are the same and left out. */
export function difference(before, after) {
    const all = lines(before.split("\n"), after.split("\n"));
    const near = new Set();
    all.forEach(([sign], at) => {
        if (sign === " ") return;
        for (let line = at - NEAR; line <= at + NEAR; line += 1) near.add(line);
    });
    const shown = [];
    all.forEach((line, at) => {
        if (near.has(at)) shown.push(line);
        else if (shown.length && shown[shown.length - 1] !== null) shown.push(null);
    });
    if (shown[shown.length - 1] === null) shown.pop();
    return shown;
}
