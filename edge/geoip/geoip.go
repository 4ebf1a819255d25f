// Package geoip says in which country an IP address is, as far as a file of the operator's knows it: the second item of
// evidence about where a buyer is, beside the billing country (Implementing Regulation (EU) No 282/2011, Art. 24f (b)).
// Evidence never decides a tax; an address can be anybody's.
//
// The types: [DB] is such a file, [Locator] finds the buyer's address in a request and asks it. An address goes in and a
// country comes out: nothing here keeps or logs an address.
//
// The file is in MaxMind's DB format, whoever made it. Its records name the country as country.iso_code, as the Country
// and City databases of MaxMind and DB-IP do, or as country_code. It is read once: a newer file takes a restart.
package geoip

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/crepe-checkout/crepe/core/country"
)

// DB knows countries of addresses. The nil DB is valid and knows none. It is safe for concurrent use.
type DB struct {
	reader *maxminddb.Reader
}

// Open reads a file and checks all of it, which takes about 0.05 s for a million networks. Its errors name the file and
// say what to do.
//
// The file is read, not mapped: one that is overwritten in place would otherwise change under a running server, and kill
// it by getting shorter.
func Open(path string) (*DB, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w; name a country database in MaxMind's DB format (.mmdb)", err)
	}
	reader, err := maxminddb.OpenBytes(file)
	if err != nil {
		return nil, fmt.Errorf("%s is no MaxMind DB, or not all of one (%w); unpack it, or download it again", path, err)
	}
	if err := verify(reader); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w); download it again", path, err)
	}
	for network := range reader.Networks() {
		if code, err := read(network); err == nil && code != "" {
			return &DB{reader}, nil
		}
	}
	return nil, fmt.Errorf("%s, of type %q, names no country; take a country or city database", path, reader.Metadata.DatabaseType)
}

// verify checks the tree and every record. A file without description would be refused too, but there are good ones
// (npm's @ip-location-db), so they get one first.
func verify(reader *maxminddb.Reader) error {
	if len(reader.Metadata.Description) == 0 {
		reader.Metadata.Description = map[string]string{"en": reader.Metadata.DatabaseType}
	}
	return reader.Verify()
}

// Country is where an address is, "" where that is not known. An address that the public Internet does not route, the zero
// Addr included, is nowhere, whatever the file says of it. An IPv4 address in IPv6 clothes is that IPv4 address.
func (db *DB) Country(addr netip.Addr) country.Code {
	addr = addr.Unmap()
	if db == nil || !addr.IsGlobalUnicast() || addr.IsPrivate() {
		return ""
	}
	code, err := read(db.reader.Lookup(addr))
	if err != nil { // an IPv6 address in a file of IPv4 only
		return ""
	}
	return code
}

// read takes the country from a record, "" where it names none that ISO 3166-1 has.
func read(record maxminddb.Result) (country.Code, error) {
	var name string
	err := record.DecodePath(&name, "country_code")
	if err == nil && name == "" {
		err = record.DecodePath(&name, "country", "iso_code")
	}
	code, _ := country.Parse(name)
	return code, err
}
