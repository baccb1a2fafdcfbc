#!/bin/sh
# Makes the prompts beside this script: two spoken greetings, the music for those who wait, the ring tone, and the
# clips of words.txt, of which announcements are put together. Needs espeak-ng and python3 (standard library only).
# The same versions make the same bytes.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

espeak-ng -v en-gb -s 150 -w "$work/welcome.wav" \
    "You are through to the surgery line. Please stay on the line; your call will be answered in turn."
espeak-ng -v en-gb -s 165 -w "$work/emergency.wav" "Emergency. Connecting you now."

python3 make.py speech "$work/welcome.wav" welcome.wav 0.1 0.1
python3 make.py speech "$work/emergency.wav" emergency.wav 0.1 0.1
python3 make.py music waiting.wav
python3 make.py ring ring-tone.wav
python3 make.py pause pause.wav 0.3

# Each line: the file's name, and what it says. Words without a full stop are followed by others: spoken as
# before a comma, so that the voice does not fall, and without a pause.
while read -r name words; do
    case $words in
        *.) comma='' after=0.2 ;;
        *) comma=, after=0.03 ;;
    esac
    espeak-ng -v en-gb -s 155 -w "$work/$name.wav" "$words$comma"
    python3 make.py speech "$work/$name.wav" "$name.wav" 0.03 "$after"
done <words.txt
