"""The figures of reports, counted again from the ledger's SQLite by another hand, for comparison.

    count.py LEDGER FROM TO TERMS

FROM and TO in milliseconds since 1970, TO excluded; TERMS is JSON: callbacks ("requested" or "answered"), advice and
referral (codes of dispositions), pathways, teams (by agent), line_teams (by line), fifths (by practice), redials_within and
abandoned_after in seconds. Prints JSON: cbt (rows), ambsys, iuc, gp (items), tables (by line, practice, team, trunk, hour,
fifth), again and referrals. Times in milliseconds.

Written from the definitions alone: each figure is a search of its own through all calls. Nothing is shared with Hearken.
"""

import calendar
import collections
import datetime
import json
import math
import re
import sqlite3
import sys

UTC = datetime.timezone.utc


def last_sunday(year, month):
    last = calendar.monthrange(year, month)[1]
    day = datetime.date(year, month, last)
    return last - (day.weekday() + 1) % 7


def london(ms):
    """The clock on a London wall; summer time lasts between the last Sundays of March and October, 01:00 UTC."""
    at = datetime.datetime.fromtimestamp(ms // 1000, UTC).replace(tzinfo=None)
    begins = datetime.datetime(at.year, 3, last_sunday(at.year, 3), 1)
    ends = datetime.datetime(at.year, 10, last_sunday(at.year, 10), 1)
    return at + datetime.timedelta(hours=1) if begins <= at < ends else at


def time_category(ms):
    clock = london(ms).strftime("%H:%M")
    for first, last in [("00:00", "05:59"), ("06:00", "07:59"), ("08:00", "09:59"), ("10:00", "11:59"),
                        ("12:00", "13:59"), ("14:00", "15:59"), ("16:00", "17:59"), ("18:00", "18:29"),
                        ("18:30", "23:59")]:
        if first <= clock <= last:
            return f"{first}-{last}"
    raise ValueError(clock)


def length(ms):
    minutes = ms / 60000
    if minutes <= 1:
        return "Up to 1 minute"
    if minutes <= 2:
        return "1 to 2 minutes"
    return "2 to 5 minutes" if minutes <= 5 else "Over 5 minutes"


def centile(values, p):
    """Nearest rank."""
    return sorted(values)[math.ceil(p / 100 * len(values)) - 1] if values else None


def spread(values):
    mean = sum(values) / len(values) if values else None
    return {"mean": mean, "median": centile(values, 50), "90": centile(values, 90), "95": centile(values, 95),
            "99": centile(values, 99), "longest": max(values, default=None)}


def rows(db, sql):
    db.row_factory = sqlite3.Row
    return [dict(row) for row in db.execute(sql)]


def main():
    ledger, begin, end, terms = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), json.loads(sys.argv[4])
    db = sqlite3.connect(ledger)
    everything = rows(db, "SELECT * FROM calls ORDER BY arrived_ms, id")
    promises = rows(db, "SELECT * FROM promises")
    cases = rows(db, "SELECT * FROM cases")
    calls = [c for c in everything if begin <= c["arrived_ms"] < end]
    own = [c for c in calls if c["promise"] is None and c["about"] is None]
    routine = [c for c in own if c["band"] != 0]
    emergency = [c for c in own if c["band"] == 0]
    for c in everything:
        c["talked_ms"] = c["lasted_ms"] - c["waited_ms"]

    # Cloud-based telephony.
    def callback_of(call):
        for p in promises:
            if (p["run"], p["call"]) == (call["run"], call["call"]):
                for c in everything:
                    if c["promise"] == p["id"] and c["outcome"] == "answered":
                        return c
        return None

    def wait_and_talk(call):
        """Of a routine call that counts as answered."""
        if call["outcome"] == "answered":
            return call["waited_ms"], call["talked_ms"]
        if call["outcome"] == "promised" and terms["callbacks"] == "answered":
            back = callback_of(call)
            if back:
                return back["arrived_ms"] + back["waited_ms"] - call["arrived_ms"], back["talked_ms"]
        return None

    taken = [(c, *wait_and_talk(c)) for c in routine if wait_and_talk(c)]
    missed = [c for c in routine if c["outcome"] in ("abandoned", "lost", "released")]
    requested = [c for c in routine if c["outcome"] == "promised" and not wait_and_talk(c)]
    made = [c for c in calls if c["promise"] is not None and c["band"] != 0 and c["outcome"] in ("answered", "unreached")]
    cbt = collections.Counter()

    def count(code, call, wait="", duration=""):
        practice = call["practice"] or ""
        practice = practice if re.fullmatch("[A-Z][A-Z0-9]{5}", practice) else "Unassigned"
        day = london(call["arrived_ms"]).date().isoformat()
        cbt[day, practice, code, time_category(call["arrived_ms"]), wait, duration] += 1

    for c in routine:
        count("CBT001", c)
    for c in routine:
        if c["outcome"] == "refused":
            count("CBT002", c)
    for c, wait, talk in taken:
        count("CBT003", c, wait=length(wait))
        count("CBT007", c, duration=length(talk))
    for c in missed:
        count("CBT004", c, wait=length(c["waited_ms"]))
    for c in requested:
        count("CBT005", c)
    for c in made:
        count("CBT006", c)

    # Ambulance.
    answered = [c for c in emergency if c["outcome"] == "answered"]
    waits = spread([c["waited_ms"] for c in answered])
    treated = {"advice": 0, "referral": 0}
    for c in answered:
        ends = [k for k in cases if (k["run"], k["call"]) == (c["run"], c["call"])]
        if ends:
            code, handed = ends[0]["disposition"], ends[0]["handed_to"] is not None
        else:
            code, handed = c["disposition"], c["agent"] in terms["pathways"]
        if handed or code in terms["referral"]:
            treated["referral"] += 1
        elif code in terms["advice"]:
            treated["advice"] += 1
    ambsys = {
        "A1": len(answered), "A2": sum(c["waited_ms"] for c in answered), "A3": waits["mean"], "A4": waits["median"],
        "A114": waits["90"], "A5": waits["95"], "A6": waits["99"],
        "over-120s": sum(c["waited_ms"] > 120000 for c in answered),
        "A17": treated["advice"] + treated["referral"], "A18": treated["advice"], "A19": treated["referral"],
    }

    # Urgent care.
    gave_up = [c["waited_ms"] for c in routine if c["outcome"] == "abandoned"]
    late = sum(wait >= 1000 * terms["abandoned_after"] for wait in gave_up)
    waits = spread([c["waited_ms"] for c in routine if c["outcome"] == "answered"])
    iuc = {
        "A01": len(routine), "A03": sum(c["outcome"] == "answered" for c in routine), "B02": late,
        "abandoned-early": len(gave_up) - late, "abandoned-share": 100 * late / len(routine) if routine else None,
        **{f"answer-{of}": waits[of] for of in ("mean", "median", "90", "95", "99")},
    }

    # The GP contract.
    gp = {"volume": len(routine), "taken": len(taken), "missed": len(missed), "given-up": len(gave_up),
          "callbacks-requested": sum(c["outcome"] == "promised" for c in routine), "callbacks-made": len(made)}
    for name, values in [("time-to-answer", [wait for _, wait, _ in taken]), ("call-length", [talk for *_, talk in taken]),
                         ("wait-before-abandonment", gave_up)]:
        for of, value in spread(values).items():
            gp[name if of == "mean" else f"{name}-{of}"] = value

    # Tables.
    def table(name_of):
        groups = collections.defaultdict(list)
        for c in own:
            groups[name_of(c)].append(c)
        result = {}
        for name, members in groups.items():
            outcomes = collections.Counter(c["outcome"] for c in members)
            result[name] = {"calls": len(members), **outcomes,
                            "waits": spread([c["waited_ms"] for c in members if c["outcome"] == "answered"]),
                            "longest_abandoned": max((c["waited_ms"] for c in members if c["outcome"] == "abandoned"),
                                                     default=None)}
        return result

    def team(call):
        if call["outcome"] != "answered":
            return "unanswered"
        teams = terms["teams"].get(call["agent"], [])
        own = [t for t in teams if t in terms["line_teams"][call["line"]]]
        return (own + teams + ["no team"])[0]

    tables = {
        "line": table(lambda c: c["line"]),
        "practice": table(lambda c: c["practice"] or "Unassigned"),
        "team": table(team),
        "trunk": table(lambda c: c["trunk"]),
        "hour": table(lambda c: london(c["arrived_ms"]).strftime("%H:00")),
        "fifth": table(lambda c: str(terms["fifths"].get(c["practice"], "unknown"))),
    }

    # Callers who ring again: the call before is the last own one of the same number in the order of arrival.
    redials = repeats = 0
    callers = [c for c in everything if c["promise"] is None and c["about"] is None and c["cli"] is not None]
    for at, call in enumerate(callers):
        before = [c for c in callers[:at] if c["cli"] == call["cli"]]
        if not before or call not in own or call["arrived_ms"] - before[-1]["arrived_ms"] > 24 * 3600 * 1000:
            continue
        repeats += 1
        since = call["arrived_ms"] - (before[-1]["arrived_ms"] + before[-1]["lasted_ms"])
        redials += before[-1]["outcome"] == "abandoned" and 0 <= since <= 1000 * terms["redials_within"]
    again = {"calls": len(own), "unnumbered": sum(c["cli"] is None for c in own), "redials": redials, "repeats": repeats}

    # Referrals, by pathway.
    referrals = {}
    for r in rows(db, "SELECT * FROM referrals"):
        if begin <= r["opened_ms"] < end:
            of = referrals.setdefault(r["pathway"], collections.Counter({
                key: 0 for key in ("made", "acknowledged", "declined", "unacknowledged", "withdrawn", "open")}))
            of.update(["made", r["outcome"] or "open"])

    print(json.dumps({"cbt": sorted([*key, value] for key, value in cbt.items()), "ambsys": ambsys, "iuc": iuc, "gp": gp,
                      "tables": tables, "again": again, "referrals": referrals}))


main()
