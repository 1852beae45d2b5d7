#!/bin/sh
# Stands for a command that install.sh runs, by its name: counts in CUT_COUNT, and at call number CUT_AT sends CUT_SIGNAL to
# the whole process group instead of doing anything.
read -r count <"$CUT_COUNT"
count=$((count + 1))
echo "$count" >"$CUT_COUNT"
if [ "$count" = "$CUT_AT" ]; then kill -s "$CUT_SIGNAL" 0; fi
PATH=$CUT_PATH
export PATH
exec "${0##*/}" "$@"
