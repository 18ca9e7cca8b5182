#!/bin/sh
# All tests: the quick lane (tools/check.sh), then test/, which runs real processes and a real guest. Both run even if the first
# fails. Run it as "npm test"; "npm test -- test/e2e/pair.test.ts" runs the files that are named, and nothing else.
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh --tests
PATH=$PWD/node_modules/.bin:$PATH
export PATH

if [ $# -gt 0 ]; then exec node --test "$@"; fi
status=0
sh tools/check.sh || status=1
printf '== integration tests\n'
node --test "test/**/*.test.ts" || status=1
# The machine as a whole once more on each of the other engines.
for engine in translator mixed; do
  printf '== conformance of the engine %s\n' "$engine"
  UNDERSTUDY_ENGINE=$engine node --test "test/conformance/**/*.test.ts" || status=1
done
exit $status
