// Command testdata writes the tests' databases into its directory. It is a separate module, so that the product does not depend
// on the writer.
package main

import (
	"log"
	"net/netip"
	"os"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"go4.org/netipx"
)

// countries maps the networks reserved for documentation (RFC 5737, RFC 3849), and some that are not publicly routed. XK and EU
// occur in real files and are not ISO 3166-1 codes.
var countries = map[string]mmdbtype.String{
	"192.0.2.0/24":     "FR",
	"198.51.100.0/24":  "DE",
	"203.0.113.0/25":   "XK",
	"203.0.113.128/25": "EU",
	"2001:db8:f::/48":  "FR",
	"2001:db8:d::/48":  "DE",
	"10.0.0.0/8":       "US",
	"127.0.0.0/8":      "US",
	"169.254.0.0/16":   "US",
	"::1/128":          "US",
	"fc00::/7":         "US",
	"fe80::/10":        "US",
}

func main() {
	write("country", map[string]string{"en": "Test data"}, func(code mmdbtype.String) mmdbtype.Map {
		return mmdbtype.Map{"continent": mmdbtype.Map{"code": mmdbtype.String("EU")}, "country": mmdbtype.Map{"iso_code": code}}
	})
	write("flat", nil, func(code mmdbtype.String) mmdbtype.Map { return mmdbtype.Map{"country_code": code} })
	write("asn", nil, func(mmdbtype.String) mmdbtype.Map {
		return mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(64496)}
	})
}

// write creates a database with a record for each network. Some real databases have no description.
func write(name string, description map[string]string, record func(mmdbtype.String) mmdbtype.Map) {
	tree, err := mmdbwriter.New(mmdbwriter.Options{
		DatabaseType: "Test-" + name, Description: description, BuildEpoch: 1_700_000_000,
		RecordSize: 24, IncludeReservedNetworks: true,
	})
	check(err)
	for network, code := range countries {
		check(tree.Insert(netipx.PrefixIPNet(netip.MustParsePrefix(network)), record(code)))
	}
	file, err := os.Create(name + ".mmdb")
	check(err)
	_, err = tree.WriteTo(file)
	check(err)
	check(file.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
