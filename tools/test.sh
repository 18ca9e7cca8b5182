#!/bin/sh
# All tests: the quick lane (tools/check.sh), then test/, which runs real processes and a real guest.
# Run it as "npm test"; "npm test -- test/e2e/pair.test.ts" runs the files that are named, and nothing else.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh --tests
PATH=$PWD/node_modules/.bin:$PATH
export PATH

if [ $# -gt 0 ]; then exec node --test "$@"; fi
sh tools/check.sh
printf '== integration tests\n'
exec node --test "test/**/*.test.ts"
