# What a person types; build.sh does the work, so that it runs where there is no make.
.PHONY: run build test wasm web release shots client browsers bench bench-check bench-scale bench-peers bench-wasm torture fuzz clean

run: ; ./build.sh run
build: ; ./build.sh build
test: ; ./build.sh test
wasm: ; ./build.sh wasm
web: ; ./build.sh web
client: ; ./build.sh client
release: ; ./build.sh release
shots: ; ./build.sh shots
browsers: ; ./build.sh browsers
bench: ; ./build.sh bench
bench-check: ; ./build.sh bench-check
bench-scale: ; ./build.sh bench-scale
bench-peers: ; ./build.sh bench-peers
bench-wasm: ; ./build.sh bench-wasm
torture: ; ./build.sh torture
fuzz: ; ./build.sh fuzz
clean: ; rm -rf bin .crepe
