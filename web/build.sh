#!/bin/sh
# Builds web/dist from web/src and wasm/checkout.wasm. dist is committed, so that building crepe needs only Go.
#
#   web/build.sh          writes dist
#   web/build.sh --check  type-checks the sources, builds into a temporary directory, and fails if dist differs
set -eu
cd "$(dirname "$0")"

case "${1:-}" in
'') out=$PWD/dist ;;
--check)
	out=$(mktemp -d)
	trap 'rm -rf "$out"' EXIT
	[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund
	node_modules/.bin/tsc -p .
	;;
*)
	echo "usage: $0 [--check]" >&2
	exit 2
	;;
esac

(cd build && go run . .. "$out")

if [ "$out" != "$PWD/dist" ]; then
	diff -r dist "$out" || {
		echo "web/dist differs from a build of the sources: run web/build.sh" >&2
		exit 1
	}
fi
for f in "$out"/*.br; do
	name=$(basename "${f%.br}")
	printf '%-34s %6d bytes, %6d brotli\n' "$name" "$(wc -c <"${f%.br}")" "$(wc -c <"$f")"
done
