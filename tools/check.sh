#!/bin/sh
# The quick lane, under three minutes: format and lint, types, layers, unit tests. Stops at the first that fails.
# Run it as "npm run check".
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh --npm-only
PATH=$PWD/node_modules/.bin:$PATH
export PATH

step() {
  printf '== %s\n' "$1"
  shift
  "$@"
}

colors=off
[ ! -t 1 ] || colors=force
step 'format and lint' biome ci --colors=$colors --max-diagnostics=50 .
step types tsc --noEmit
step layers depcruise --config .dependency-cruiser.mjs src
step 'unit tests' node --test --test-reporter=dot "src/**/*.test.ts"
