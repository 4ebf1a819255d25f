module github.com/crepe-checkout/crepe/wasm/plugins/hosts/dapr

go 1.26.8

replace github.com/crepe-checkout/crepe/wasm/plugins/hosts/gate => ../gate

require (
	github.com/crepe-checkout/crepe/wasm/plugins/hosts/gate v0.0.0
	github.com/dapr/components-contrib v1.18.0
)

require (
	github.com/dapr/kit v0.16.2-0.20251124175541-3ac186dff64d
	gopkg.in/yaml.v3 v3.0.1
)

require (
	github.com/fxamacker/cbor/v2 v2.7.0 // indirect
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/http-wasm/http-wasm-host-go v0.7.0 // indirect
	github.com/mitchellh/mapstructure v1.5.1-0.20220423185008-bf980b35cac4 // indirect
	github.com/sirupsen/logrus v1.9.4 // indirect
	github.com/spf13/cast v1.8.0 // indirect
	github.com/tetratelabs/wazero v1.8.0 // indirect
	github.com/x448/float16 v0.8.4 // indirect
	golang.org/x/sys v0.44.0 // indirect
	gopkg.in/inf.v0 v0.9.1 // indirect
	k8s.io/apimachinery v0.33.0 // indirect
)
