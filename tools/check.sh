#!/bin/sh
# The quick lane, under three minutes: format and lint, types, layers, unit tests. All of them run even if one fails, so that
# one look tells everything. Run it as "npm run check".
set -eu
cd "$(dirname "$0")/.."
sh tools/setup.sh --npm-only
PATH=$PWD/node_modules/.bin:$PATH
export PATH

failed=
step() {
  name=$1
  shift
  printf '== %s\n' "$name"
  "$@" || failed="$failed $name,"
}

colors=off
[ ! -t 1 ] || colors=force
step 'format and lint' biome ci --colors=$colors --max-diagnostics=50 .
step 'types' tsc --noEmit
step 'layers' depcruise --config .dependency-cruiser.mjs src sim test bench
step 'unit tests' node --test "src/**/*.test.ts" "sim/**/*.test.ts" "bench/**/*.test.ts"
[ -z "$failed" ] || {
  printf 'failed:%s\n' "${failed%,}" >&2
  exit 1
}
