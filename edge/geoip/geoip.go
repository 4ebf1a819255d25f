// Package geoip maps a buyer's IP address to a country. The country is the second item of evidence about the buyer's location,
// beside the billing country (Implementing Regulation (EU) No 282/2011, Art. 24f (b)). It never decides a tax.
//
// [DB] is the operator's database, [Locator] finds the buyer's address in a request and looks it up. The package neither stores
// nor logs addresses.
//
// The database is a file in MaxMind's DB format. Its records have the country in country.iso_code, as the Country and City
// databases of MaxMind and DB-IP do, or in country_code. The file is read once; a newer one needs a restart.
package geoip

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/crepe-checkout/crepe/core/country"
)

// DB is a country database. The nil DB is valid and empty. It is safe for concurrent use.
type DB struct {
	reader *maxminddb.Reader
}

// Open reads and verifies a file, which takes about 0.05 s for a million networks. Its errors name the file and the remedy.
//
// The file is read, not mapped into memory: overwriting or truncating it does not affect a running server.
func Open(path string) (*DB, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w; name a country database in MaxMind's DB format (.mmdb)", err)
	}
	reader, err := maxminddb.OpenBytes(file)
	if err != nil {
		return nil, fmt.Errorf("%s is not a complete MaxMind DB (%w); unpack it, or download it again", path, err)
	}
	if err := verify(reader); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w); download it again", path, err)
	}
	for network := range reader.Networks() {
		if code, err := read(network); err == nil && code != "" {
			return &DB{reader}, nil
		}
	}
	return nil, fmt.Errorf("%s, of type %q, has no countries; use a country or city database", path, reader.Metadata.DatabaseType)
}

// verify checks the tree and every record. The library also refuses a database without description, but valid ones exist
// (npm's @ip-location-db), so verify sets one first.
func verify(reader *maxminddb.Reader) error {
	if len(reader.Metadata.Description) == 0 {
		reader.Metadata.Description = map[string]string{"en": reader.Metadata.DatabaseType}
	}
	return reader.Verify()
}

// Country returns the country of an address, or "" if it is unknown. Addresses that are not publicly routed, including the zero
// Addr, are always unknown. An IPv4-mapped IPv6 address counts as its IPv4 address.
func (db *DB) Country(addr netip.Addr) country.Code {
	addr = addr.Unmap()
	if db == nil || !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return ""
	}
	code, err := read(db.reader.Lookup(addr))
	if err != nil { // an IPv6 address, but the file has only IPv4
		return ""
	}
	return code
}

// read returns the country of a record, or "" if it has none with an ISO 3166-1 code.
func read(record maxminddb.Result) (country.Code, error) {
	var name string
	err := record.DecodePath(&name, "country_code")
	if err == nil && name == "" {
		err = record.DecodePath(&name, "country", "iso_code")
	}
	code, _ := country.Parse(name)
	return code, err
}
