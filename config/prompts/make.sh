#!/bin/sh
# Makes the prompts beside this script: two spoken greetings and the music for those who wait.
# Needs espeak-ng and python3 (standard library only). The same versions make the same bytes.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

espeak-ng -v en-gb -s 150 -w "$work/welcome.wav" \
    "You are through to the surgery line. Please stay on the line; your call will be answered in turn."
espeak-ng -v en-gb -s 165 -w "$work/emergency.wav" "Emergency. Connecting you now."

python3 make.py speech "$work/welcome.wav" welcome.wav
python3 make.py speech "$work/emergency.wav" emergency.wav
python3 make.py music waiting.wav
