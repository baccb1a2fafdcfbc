#!/usr/bin/env bash
# Measures the release binary beside Kamailio on this machine and prints Markdown tables.
#
#   benches/peers/run.sh [s1] [peak] [memory] [music] [relay] [notice]      (none named: all of them)
#
# Needs Linux, Debian's sip-tester (SIPp), kamailio and tshark, a C compiler, python3, two cores, and root or
# the right to capture on the loopback interface for `notice`. All traffic stays on the loopback interface,
# at addresses of 127.0.0.0/8 that nobody else uses; every run is bounded in time and leaves nothing behind.
#
#   HEARKEN=target/release/hearken   the binary
#   ROUNDS=3                         rounds of each pair in s1, of each rate past the peak, of each music and relay
#   CALLS=3000                       calls in a round of s1
#   RATES="200"                      only these rates in s1; only these, Hearken alone, in peak
#   SECONDS_OF_PEAK=10               how long each rate of peak lasts
#   WAITING=80                       callers who wait during notice
#   CORES=0                          the server's cores in notice, as taskset names them
#   NICE=0                           niceness of all that is run; below 0 (root only) keeps a busy machine's other
#                                    work out of the figures
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export HEARKEN=${HEARKEN:-$root/target/release/hearken}

missing=
need() { command -v "$1" >/dev/null || missing="$missing\n  $1 (Debian package $2)"; }
need sipp sip-tester
need kamailio kamailio
need tshark tshark
need cc gcc
need python3 python3
need taskset util-linux
if [ -n "$missing" ]; then
    printf "missing:$missing\n" >&2
    exit 2
fi
HEARKEN=$(realpath -m "$HEARKEN")
if [ ! -x "$HEARKEN" ]; then
    echo "no binary at $HEARKEN: build it with cargo build --release, or name one with HEARKEN=" >&2
    exit 2
fi
if [ "$(nproc)" -lt 2 ]; then
    echo "two cores are needed: one for the server, one for the load" >&2
    exit 2
fi
exec python3 -B "$here/measure.py" "$@"
