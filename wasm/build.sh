#!/usr/bin/env bash
# Builds checkout.wasm, the core for browsers and other hosts, and checkout-fast.wasm, the same for servers, from wasm/guest, the plugins
# for gateways and for Extism's hosts from wasm/plugins, and the sample rules from wasm/rules.
#
#   wasm/build.sh           writes the modules
#   wasm/build.sh --check   builds copies, fails if one differs from the committed module, and prints the budgets
#   wasm/build.sh --rule FOLDER FILE   writes a rule whose program is in a folder of this checkout, see rules/README.md
#   wasm/build.sh --core    runs core's own tests, compiled by the same TinyGo to WebAssembly, in wazero
#
# The bytes depend only on the sources and on the tools pinned here, not on paths.
# Everything comes from Debian 12 and from the Go module proxy: LLVM and binaryen as packages, TinyGo as a Go module, built
# once into $XDG_CACHE_HOME/crepe (a minute). TINYGO=tinygo uses another TinyGo, 0.41 or later, instead; its module
# behaves the same, but its bytes differ.
set -euo pipefail
called_in=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")"

tinygo_version=0.41.1 # as in tools/go.mod
go_version=go1.26.8   # whose standard library is compiled in
packages=(llvm-19-dev libclang-19-dev lld-19 clang-19 binaryen)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/crepe/tinygo-$tinygo_version
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

say() { echo "wasm: $*" >&2; }
die() { say "$*"; exit 1; }

install_packages() {
	local missing=() package
	for package in "${packages[@]}"; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
	done
	((${#missing[@]})) || return 0
	local root=()
	((EUID == 0)) || root=(sudo)
	say "installing ${missing[*]}"
	"${root[@]}" apt-get update -qq
	DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# use_go puts the pinned Go first on PATH. GOTOOLCHAIN is not enough, because TinyGo runs go with its own GOROOT.
use_go() {
	unset GOROOT GOOS GOARCH GOFLAGS GOWORK
	local root
	root=$(GOTOOLCHAIN=$go_version go env GOROOT)
	export PATH=$root/bin:$PATH GOTOOLCHAIN=local
}

# build_tinygo installs TinyGo and its library in $cache. The Go module lacks the git submodules, of which only the folder
# src/net is needed, and may be empty.
build_tinygo() {
	[[ -x $cache/bin/tinygo ]] && return
	say "building TinyGo $tinygo_version into $cache, which takes a minute"
	local source
	source=$(cd tools && go mod download github.com/tinygo-org/tinygo && go list -m -f '{{.Dir}}' github.com/tinygo-org/tinygo)
	rm -rf "$cache"
	mkdir -p "$cache"
	cp -r --no-preserve=mode "$source"/{src,targets,lib} "$cache"
	mkdir "$cache/src/net"
	(cd tools && CC=clang-19 CXX=clang++-19 go build -tags llvm19 -o "$temporary/tinygo" github.com/tinygo-org/tinygo)
	mkdir "$cache/bin"
	mv "$temporary/tinygo" "$cache/bin/tinygo" # last: its presence marks a complete installation
}

# guests has a line for each module: its file, what it is compiled for, the folder of its program, TinyGo's target, and the folder of its
# exports if that is another one. For size are those that a page loads or a merchant uploads, for speed those that a server runs for every
# request.
guests="checkout.wasm size guest guest/target.json
checkout-fast.wasm speed guest guest/target.json
plugins/httpwasm/plugin.wasm speed plugins/httpwasm plugins/httpwasm/target.json
plugins/extism/plugin.wasm size plugins/extism guest/target.json
rules/limits.wasm size rules/limits guest/target.json rules
rules/addresses.wasm size rules/addresses guest/target.json rules
rules/countries.wasm size rules/countries guest/target.json rules
rules/vatid.wasm size rules/vatid guest/target.json rules
rules/coupon.wasm size rules/coupon guest/target.json rules"

# keep_abi removes the exports that are not in a program, which TinyGo's runtime adds.
keep_abi() {
	local names name graph
	mapfile -t names < <(echo memory; echo _initialize; sed -n 's,^//go:wasmexport ,,p' "$3"/*.go)
	graph=$(printf ',"%s"' "${names[@]}")
	graph="{\"name\":\"abi\",\"root\":true,\"reaches\":[${graph:1}]}"
	for name in "${names[@]}"; do
		graph+=",{\"name\":\"$name\",\"export\":\"$name\"}"
	done
	echo "[$graph]" >"$temporary/abi.json"
	wasm-metadce "$1" --graph-file "$temporary/abi.json" --output "$2" >/dev/null
}

# features are those of the targets. The text format does not name them.
features=(--enable-bulk-memory --enable-sign-ext --enable-nontrapping-float-to-int --enable-mutable-globals)

# start makes a module initialise itself when it is instantiated, because not all hosts call _initialize. That stays an export, which does
# nothing, for hosts that call it.
start() {
	wasm-dis "$1" --output "$temporary/kept.wat"
	sed -i -E 's/^ \(export "_initialize" \(func (\S+)\)\)$/ (export "_initialize" (func $nothing))\n (start \1)\n (func $nothing)/' "$temporary/kept.wat"
	grep -q '^ (start ' "$temporary/kept.wat" || die "$1 does not export _initialize"
	[[ $3 != plugins/* ]] || copy_by_hand "$temporary/kept.wat"
	wasm-as "${features[@]}" "$temporary/kept.wat" --output "$2"
}

# copy_by_hand replaces memory.copy and memory.fill by the functions of copy.wat.
copy_by_hand() {
	sed -i -E -e 's/\(memory\.(copy|fill)$/(call $\1/' -e '1r copy.wat' "$1"
	! grep -q 'memory\.\(copy\|fill\)$' "$1" || die "$1 still copies memory"
}

# build FILE GOAL FOLDER TARGET [EXPORTS] builds one module.
build() {
	say "building $3 for $2"
	local level=z passes=(--flatten --rereloop -Oz -Oz --converge --reorder-locals)
	[[ $2 == size ]] || level=2 passes=(-O3)
	"${TINYGO:-$cache/bin/tinygo}" build -target "$4" -no-debug -panic=trap -opt="$level" -o "$temporary/linked.wasm" "./$3"
	keep_abi "$temporary/linked.wasm" "$temporary/kept.wasm" "${5:-$3}"
	start "$temporary/kept.wasm" "$temporary/started.wasm" "$3"
	wasm-opt "${features[@]}" "${passes[@]}" --strip-debug --strip-producers --strip-target-features "$temporary/started.wasm" --output "$1"
}

# build_copy builds a module of the functions of copy.wat, for their test.
build_copy() {
	{
		echo '(module (memory (export "memory") 1) (export "copy" (func $copy)) (export "fill" (func $fill))'
		cat copy.wat
		echo ')'
	} >"$temporary/copy.wat"
	wasm-as "$temporary/copy.wat" --output "$1"
}

build_all() {
	local file goal folder target exports
	while read -r file goal folder target exports; do
		build "$file" "$goal" "$folder" "$target" "$exports"
	done <<<"$guests"
	build_copy testdata/copy.wasm
}

same() { cmp "$1" "$2" || die "$2 differs from what the sources compile to; run make wasm"; }

check() {
	local file goal folder target exports
	while read -r file goal folder target exports; do
		build "$temporary/built.wasm" "$goal" "$folder" "$target" "$exports"
		same "$temporary/built.wasm" "$file"
	done <<<"$guests"
	build_copy "$temporary/built.wasm"
	same "$temporary/built.wasm" testdata/copy.wasm
	grep -v '^#' budgets.txt >&2 # checked by go test
}

# left_out are core's tests that cannot run as WebAssembly.
left_out=(
	email.TestNormalizeIsJavaScript vatid.TestNpmValidators # they start Node
	tax.TestRatesAgreeWithNPM tax.TestChangesAgreeWithNPM   # so do these
	country.TestGenerated tax/table.TestGenerated           # they start go
	tax/table.TestRowsMatchFiles tax/table.TestEveryRowHasASource
	tax/rulebook.TestREADME                                 # they read files outside the package's folder
	email.TestNormalizeAllocates                            # counts allocations, some of which LLVM removes
)

# test_core runs core's own tests. guest/test.json targets WASI, because tests read files and print; its allocator and its
# optimisation level are the module's.
test_core() {
	local test packages
	for test in "${left_out[@]}"; do
		grep -q "^func ${test#*.}(" "../core/${test%.*}"/*_test.go || die "there is no $test to leave out"
	done
	go build -o "$temporary/wazero" github.com/tetratelabs/wazero/cmd/wazero
	packages=$(cd .. && go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}' ./core/...)
	export temporary tinygo=${TINYGO:-$cache/bin/tinygo} left="${left_out[*]}"
	export -f test_package
	xargs -P "$(nproc)" -I{} bash -c 'test_package {}' <<<"$packages"
	say "left out: ${left_out[*]}"
}

# test_package runs the tests of the package in a folder, which is their root directory.
test_package() {
	local name=${1##*/core/} skip='^$' test
	for test in $left; do
		[[ ${test%.*} != "$name" ]] || skip+="|^${test#*.}\$"
	done
	local module=$temporary/${name//\//-}.wasm
	if ! "$tinygo" test -c -target guest/test.json -no-debug -opt=z -o "$module" "$1" || ! "$temporary/wazero" run \
		-mount "$1:/:ro" -mount "$temporary:/tmp" -mount /usr/share/iso-codes:/usr/share/iso-codes:ro \
		"$module" -test.v -test.skip="$skip" >"$module.out"; then
		cat "$module.out"
		echo "wasm: core/$name fails"
		return 1
	fi
	echo "wasm: core/$name: $(grep -c '^--- PASS' "$module.out") tests"
}

# build_rule FOLDER FILE builds one rule. Both are relative to where the script was called.
build_rule() {
	build "$temporary/rule.wasm" size "$(realpath --relative-to . "$called_in/$1")" guest/target.json rules
	(cd "$called_in" && cp "$temporary/rule.wasm" "$2")
}

[[ ${1:-} != --core ]] || packages+=(wasi-libc libclang-rt-19-dev-wasm32 iso-codes)
install_packages
use_go
[[ -n ${TINYGO:-} ]] || build_tinygo
case ${1:-} in
"") build_all ;;
--check) check ;;
--core) test_core ;;
--rule)
	[[ $# == 3 ]] || die "usage: wasm/build.sh --rule FOLDER FILE"
	build_rule "$2" "$3"
	;;
*) die "usage: wasm/build.sh [--check | --core | --rule FOLDER FILE]" ;;
esac
