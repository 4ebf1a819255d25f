#!/usr/bin/env bash
# Builds, runs and tests Crêpe. "./build.sh help" lists the commands.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'EOF'
./build.sh run     build and start the demo: a merchant, a sandbox provider, a page to buy on
./build.sh build   bin/crepe
./build.sh test    install what the tests need (Debian, as root) and run everything
./build.sh wasm    build wasm/checkout.wasm anew (installs LLVM, builds TinyGo once)
./build.sh web     build web/dist anew
./build.sh release archives for every system in bin/release, with SBOMs and checksums; the same bytes from the same commit
./build.sh client  build the npm packages into bin/npm (nothing is published)
./build.sh shots   take the pictures of every page in web/testdata/shots anew
./build.sh browsers buy in Firefox and in WebKit, too
./build.sh bench   benchmarks, with the figures of BENCHMARKS.md
./build.sh bench-check  compare CPU time and allocations of operations with edge/server/costs.txt, in a minute; -update writes the file
./build.sh bench-scale  create-order on PostgreSQL beside pgbench and beside Badger, at STORED orders (10000,100000,1000000)
./build.sh bench-peers  orders with Vendure on PostgreSQL and with Crêpe, in alternating ROUNDS (3); NOTE tells BENCHMARKS.md what else the machine did
./build.sh bench-wasm  the WebAssembly module beside the core natively and beside zod and ajv, for BENCHMARKS.md and wasm/budgets.txt
./build.sh torture the long proofs: KILLS kills of the binary (50), SCHEDULES of orders at random (5000), POSTGRES_SCHEDULES on
                   PostgreSQL (500), FAULT_RUNS schedules for each fault (200), DAMAGES of a database (2000), POWER_CUTS of each
                   kind of database (50), COPIES of a directory in use (50), HISTORIES of sessions (4000), INPUTS hostile inputs in three hosts (1000000), a year in
                   steps of YEAR_STEP (24h), HANDOVERS of a server under load (30), BODIES through a gateway's plugin in three hosts
                   (100000), BUYERS at once (5000); they write edge/FAULTS.md
./build.sh fuzz    every fuzz target for FUZZTIME (default 30s)
EOF
}

say() { printf '\n== %s\n' "$*"; }

# need installs Debian packages that are missing; it says so where it cannot.
need() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "these Debian packages are missing: ${missing[*]}; install them, or run this as root on Debian" >&2
    exit 1
  fi
  say "installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=500 install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

node_version=22.23.3
npm_version=10.9.4 # Debian's own runs on Debian's Node only

# need_node sees to a Node and an npm on the PATH. Where they are missing or too old they come from npm's registry, by Debian's
# npm, into .cache/node.
need_node() {
  node_will_do && return
  local bin=$PWD/.cache/node/node_modules/.bin
  if ! PATH=$bin:$PATH node_will_do; then
    local machine
    case $(uname -sm) in
      "Linux x86_64") machine=x64 ;;
      "Linux aarch64") machine=arm64 ;;
      *) echo "Node 20.16 or later and npm are missing" >&2; exit 1 ;;
    esac
    command -v npm >/dev/null || need npm
    say "installing Node $node_version into .cache/node"
    npm install --silent --no-audit --no-fund --prefix .cache/node "node-linux-$machine@$node_version" "npm@$npm_version"
  fi
  export PATH=$bin:$PATH
}

node_will_do() {
  command -v npm >/dev/null && node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || a == 20 && b >= 16 ? 0 : 1)' 2>/dev/null
}

build() { go build -trimpath -o bin/crepe ./edge/cmd/crepe; }

systems=(linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64)

sbom=github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

# release builds an archive for each system (SYSTEMS, default all), a list of what its binary is made of (SBOM, in the CycloneDX
# format), and their checksums. The version is the commit's tag, or else what Go makes of the latest tag and the commit; "crepe
# version" prints it.
release() {
  local out=$PWD/bin/release time system
  if [ -n "$(git status --porcelain)" ]; then
    echo "a release is built from a commit, and there are changes" >&2
    exit 1
  fi
  need git zip
  time=$(git log -1 --format=%ct)
  rm -rf "$out"
  for system in ${SYSTEMS:-${systems[@]}}; do
    say "$system"
    release_archive "$out" "$time" "${system%/*}" "${system#*/}"
  done
  (cd "$out" && sha256sum crepe_* | tee SHA256SUMS)
}

# release_archive DIRECTORY TIME GOOS GOARCH. Names, order, owners, modes and times in the archive are fixed.
release_archive() {
  local version name files=(LICENSE README.md) staging=$1/staging binary=crepe
  [ "$3" != windows ] || binary=crepe.exe
  [ "$3" != linux ] || files+=(edge/cmd/crepe/crepe.service edge/cmd/crepe/crepe.socket)
  mkdir -p "$staging"
  CGO_ENABLED=0 GOOS=$3 GOARCH=$4 GOAMD64=v1 GOARM64=v8.0 GOFLAGS= go build -trimpath -buildvcs=true -o "$staging/$binary" ./edge/cmd/crepe
  version=$(go version -m "$staging/$binary" | awk '$1 == "mod" { print $3 }')
  if [ "$version" = "(devel)" ]; then
    echo "the binary has no version, because Go does not read linked worktrees: build the release in a clone" >&2
    exit 1
  fi
  name=crepe_${version}_$3_$4
  env -u GOCACHE GOFLAGS=-trimpath go run "$sbom" bin -json -std -noserial -notimestamp -version "$version" -output "$1/$name.cdx.json" "$staging/$binary"
  install -d -m 755 "$staging/$name"
  install -m 755 "$staging/$binary" "$staging/$name"
  install -m 644 "${files[@]}" "$staging/$name"
  find "$staging/$name" -exec touch -d "@$2" {} +
  if [ "$3" = windows ]; then
    (cd "$staging" && find "$name" -type f | LC_ALL=C sort | TZ=UTC zip -q -9 -X -@ "$1/$name.zip")
  else
    tar --create --directory "$staging" --format ustar --sort name --owner 0 --group 0 --numeric-owner "$name" | gzip -9 -n >"$1/$name.tar.gz"
  fi
  rm -r "$staging"
}

# check_release builds one archive twice, from clones in different directories and with caches of their own.
check_release() {
  local work
  work=$(mktemp -d)
  for clone in first second; do
    git clone -q . "$work/$clone"
    (cd "$work/$clone" && GOCACHE=$work/cache-$clone SYSTEMS=linux/amd64 ./build.sh release >/dev/null)
  done
  diff "$work/first/bin/release/SHA256SUMS" "$work/second/bin/release/SHA256SUMS"
  rm -rf "$work"
}

run() {
  build
  exec bin/crepe dev "$@"
}

# need_browser sees to what the page is looked at with: a browser, the fonts of its 29 languages, and what drives it.
need_browser() {
  need ca-certificates chromium fonts-inter fonts-noto-core fonts-noto-cjk
  need_node
}

staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2

# lint holds every module to gofmt, a tidy go.mod, vet and staticcheck, and builds for the systems on which no test runs. Traefik's takes
# minutes to compile, so that torture does it.
lint() {
  local unformatted
  unformatted=$(gofmt -l core edge wasm web)
  [ -z "$unformatted" ] || { echo "not gofmt'ed: $unformatted" >&2; exit 1; }
  find . -name go.mod -not -path '*/node_modules/*' -not -path './wasm/plugins/hosts/traefik/*' -printf '%h\n' | while read -r module; do
    (
      cd "$module" && go mod tidy -diff
      [ -z "$(go list ./... 2>/dev/null)" ] || { go vet ./... && go run "$staticcheck" ./...; } # wasm/tools only pins tools
    )
  done
  for_others go build ./...
}

# for_others runs a command for systems on which no test runs.
for_others() {
  local target
  for target in darwin/arm64 windows/amd64; do
    GOOS=${target%/*} GOARCH=${target#*/} "$@"
  done
}

test_all() {
  need_browser
  need iso-codes brotli systemd ca-certificates postgresql pgbouncer caddy nginx
  say "formatting, vet, staticcheck, go.mod, other systems"
  lint
  say "the WebAssembly module: the same bytes from the same sources, within its budget"
  wasm/build.sh --check
  say "the page's assets: the same bytes from the same sources"
  web/build.sh --check
  say "tests"
  go test -timeout 3h ./... # a machine with much else to do is slow, and not wrong
  say "the Stripe adapter against Stripe's own library and description, in a module of its own"
  (cd edge/psp/stripe/oracle && go test -timeout 1h ./...)
  say "the plugins in the hosts of http-wasm, Dapr and Extism, in modules of their own"
  (cd wasm/plugins/hosts && go test -count=1 -timeout 1h ./...)
  say "recorded requests and answers against the API's OpenAPI description, in a module of its own"
  (cd edge/api/oracle && go test -count=1 -timeout 1h ./...) # it reads files of another module, which the cache ignores
}

# shots runs the demo twice, in its own look and in a merchant's, and takes pictures of its pages; then of the dashboard.
shots() {
  need_browser
  build
  rm -f web/testdata/shots/*.png
  local look
  for look in '' branded; do
    (
      export SHOTS=$PWD/web/testdata/shots LOOK=$look FONTCONFIG_FILE=$PWD/web/e2e/fonts.conf
      data=$(mktemp -d)
      bin/crepe dev --data "$data" --listen 127.0.0.1:0 ${look:+--look edge/cmd/crepe/testdata/look.json} >"$data/out" 2>&1 &
      trap 'kill $!; rm -rf "$data"' EXIT
      until grep -q /checkout/ "$data/out"; do sleep 0.1; done
      DEV_JSON=$data/dev.json node web/e2e/shots.mjs
    )
  done
  SHOTS=$PWD/web/testdata/shots go test ./edge/e2e -count 1 -run 'TestDashboard$'
  du -sh web/testdata/shots
}

browsers() {
  need_browser
  need firefox-esr webkit2gtk-driver xvfb
  go test ./edge/e2e -count 1 -v -run 'TestBrowser/browsers' -browsers
}

bench() {
  need_browser
  need postgresql
  say "times that the tests only tell, because they are a quiet machine's"
  go test ./edge/server ./edge/e2e -count 1 -timeout 60m -v -run 'TestBulkhead$|TestBrowser/vitals' -times
  say "benchmarks"
  go test -run '^$' -bench . -benchmem -timeout 60m ./...
}

bench_check() { go test ./edge/server -v -count 1 -run 'TestCosts$' -cpu-costs "$@"; }

bench_scale() {
  need postgresql
  go test ./edge/e2e -v -count 1 -timeout 2h -run '^$' -bench 'Scale$' -benchtime 1x -scale-stored "${STORED:-10000,100000,1000000}"
}

bench_peers() {
  need postgresql
  go test ./edge/e2e -count 1 -timeout 2h -run '^$' -bench 'Peers$' -benchtime 1x -peer-rounds "${ROUNDS:-3}" -peer-note "${NOTE:-}" -update
}

bench_wasm() {
  go test ./wasm -run '^$' -bench '^BenchmarkHosts$' -update
  (cd wasm/plugins/hosts && go test -run '^$' -bench . -update)
}

torture() {
  say "the tests compile on other systems"
  for_others go vet ./...
  say "a release: the same bytes from the same commit"
  check_release
  say "the binary under kill -9"
  go test ./edge/e2e -count 1 -timeout 60m -run 'TestKill$|TestKillRefunds$|TestKillWebhooks$|TestFleet$|TestFailover$' -v -kills "${KILLS:-50}" -update
  say "servers that are replaced under load"
  go test ./edge/e2e -count 1 -timeout 20m -run 'TestHandover$' -v -handovers "${HANDOVERS:-30}" | grep -v level=
  say "a restored backup"
  go test ./edge/e2e -count 1 -timeout 10m -run 'TestRestoredBackup$' -restores 10 -update
  go test ./edge/e2e -count 1 -timeout 30m -run 'TestKilledBackups$' -v -backup-kills 0 -update
  go test ./edge/e2e -count 1 -timeout 30m -run 'TestCopiedDirectory$' -copies "${COPIES:-50}" -update
  go test ./edge/backup -count 1 -timeout 30m -run 'TestDamage$' -damages "${DAMAGES:-2000}" -update
  say "random schedules of all that can go wrong with an order"
  go test ./edge/orders -count 1 -timeout 60m -run 'TestModel$' -v -schedules "${SCHEDULES:-5000}"
  say "the same on PostgreSQL"
  go test ./edge/orders -count 1 -timeout 60m -run 'TestModelPostgres$' -v -postgres-schedules "${POSTGRES_SCHEDULES:-500}"
  say "the same schedules find every mistake that is made on purpose"
  go test ./edge/orders -count 1 -timeout 60m -run 'TestMistakes$' -hunt 1000 -update
  local seed=${FAULT_SEED:-$RANDOM}
  say "a crash at every boundary and again, every fault of the provider; -fault-seed=$seed"
  go test ./edge/orders -count 1 -timeout 60m -run 'TestCrashAtEveryBoundary$|TestFaults$' -update -crash-twice \
    -fault-runs "${FAULT_RUNS:-200}" -fault-seed "$seed"
  say "more buyers than the provider serves"
  go test ./edge/orders -count 1 -timeout 60m -run 'TestOverload|TestBurst' -update -buyers "${BUYERS:-5000}"
  say "an error at every operation of the database's own work, starts killed at every operation, power cuts"
  go test ./edge/durable -count 1 -timeout 60m -run 'TestBackgroundErrors$|TestStartKills$|TestPowerCut$' -v -update -io-errors 0 \
    -start-kills 0 -power-cuts "${POWER_CUTS:-50}" | grep -v '^=== '
  go test ./edge/e2e -count 1 -timeout 60m -run 'TestStartKills$' -v -update -start-kills 0
  say "damaged files, a full disk"
  go test ./edge/durable -count 1 -timeout 60m -run 'TestDamage$' -v -update -damages "${DAMAGES:-2000}" | grep -v ' refused: '
  go test ./edge/e2e -count 1 -timeout 10m -run 'TestDiskFull$' -v -update
  say "histories of many clients, one after the other in some order"
  go test ./edge/orders -count 1 -timeout 60m -run 'TestLinearizable$/virtual' -v -histories "${HISTORIES:-4000}"
  go test ./edge/orders -count 1 -timeout 60m -run 'TestLinearizable$/real' -v -histories 400 -cpu 1,2 -busy 2
  go test ./edge/orders -count 1 -timeout 60m -run 'TestLinearizable$/PostgreSQL' -v -histories 1600
  say "a year"
  go test ./edge/orders -count 1 -timeout 60m -run 'TestYear' -v -year-step "${YEAR_STEP:-24h}" -year-rate 3
  say "edge/FAULTS.md"
  go test ./edge/e2e -count 1 -run 'TestFaultTable$' -update
  say "core's own tests as WebAssembly"
  wasm/build.sh --core
  say "native Go, wazero and V8 side by side"
  go test ./wasm -count 1 -timeout 60m -run 'TestHostile$' -v -inputs "${INPUTS:-1000000}"
  say "bodies through the gateways' plugin, in Traefik too"
  (cd wasm/plugins/hosts/traefik && go mod tidy -diff && go vet ./... && go run "$staticcheck" ./...)
  (cd wasm/plugins/hosts && go test -count 1 -timeout 60m -run 'TestGateways?$' -gateways 'dapr traefik' -bodies "${BODIES:-100000}" -answers 100000)
  say "a million calls of one instance"
  go test ./wasm -count 1 -timeout 60m -run 'TestMemory$' -v -calls 1000000
}

fuzz() {
  local time=${FUZZTIME:-30s}
  grep -rl --include='*_test.go' '^func Fuzz' core edge wasm web | while read -r file; do
    for target in $(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' "$file"); do
      say "$(dirname "$file") $target $time"
      (cd "$(dirname "$file")" && go test . -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 100x)
    done
  done
}

command=${1:-help}
[ $# -gt 0 ] && shift
case $command in
  run) run "$@" ;;
  build) build ;;
  test) test_all ;;
  wasm) wasm/build.sh ;;
  web) need_node; web/build.sh ;;
  release) release ;;
  client) need_node; web/packages.sh ;;
  shots) shots ;;
  browsers) browsers ;;
  bench) bench ;;
  bench-check) bench_check "$@" ;;
  bench-scale) bench_scale ;;
  bench-peers) need_node; bench_peers ;;
  bench-wasm) need_node; bench_wasm ;;
  torture) need_node; torture ;;
  fuzz) need_node; fuzz ;;
  help | -h | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
