#!/bin/sh
# Builds the npm packages from packages, src and wasm/checkout.wasm: a folder and a tarball of each. It publishes nothing.
#
#   web/packages.sh [folder]  writes there, or into bin/npm
set -eu
out=$(realpath -m "${1:-$(dirname "$0")/../bin/npm}")
cd "$(dirname "$0")"
[ -x node_modules/.bin/tsc ] || npm ci --no-audit --no-fund

rm -rf "$out"
for name in client core; do
	mkdir -p "$out/$name"
	cp "packages/$name/package.json" "packages/$name/README.md" ../LICENSE "$out/$name"
done
cp ../wasm/checkout.wasm "$out/core"
(cd build && go run . -packages .. "$out")

types=$(mktemp -d)
trap 'rm -rf "$types"' EXIT
node_modules/.bin/tsc -p packages --outDir "$types"
cp "$types/core/core.d.ts" "$out/core/index.d.ts"
for declared in index client embed; do
	sed 's/\.ts"/.js"/' "$types/client/$declared.d.ts" >"$out/client/$declared.d.ts"
done
for name in client core; do
	(cd "$out/$name" && npm pack --silent --pack-destination ..)
done
