module github.com/crepe-checkout/crepe/edge/geoip/testdata

go 1.26.8

require (
	github.com/maxmind/mmdbwriter v1.2.0
	go4.org/netipx v0.0.0-20260823151212-3075585bcbeb
)

require (
	github.com/oschwald/maxminddb-golang/v2 v2.1.1 // indirect
	golang.org/x/sys v0.38.0 // indirect
)
