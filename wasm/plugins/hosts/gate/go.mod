module github.com/crepe-checkout/crepe/wasm/plugins/hosts/gate

go 1.26.8
