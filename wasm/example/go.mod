module example

go 1.26.8

require github.com/crepe-checkout/crepe v0.0.0

require (
	github.com/tetratelabs/wazero v1.12.0 // indirect
	golang.org/x/sys v0.50.0 // indirect
)

replace github.com/crepe-checkout/crepe => ../..
