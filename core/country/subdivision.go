package country

import (
	"iter"
	"strings"
)

// Subdivision is a state, province or territory: a code of ISO 3166-2 without the country's prefix, "CA" of US-CA. It is
// unique within its country only. A valid one comes from ParseSubdivision.
type Subdivision string

// NeedsState reports whether an address in the country requires a state or province. The published API requires one in the
// United States and Canada.
func (c Code) NeedsState() bool { return c == "US" || c == "CA" }

// Subdivisions yields the subdivisions of the United States (states, the District of Columbia, territories and the postal
// service's three military "states" AA, AE and AP) and of Canada, in alphabetic order of their codes. It yields none for
// other countries.
func (c Code) Subdivisions() iter.Seq[Subdivision] {
	row, _ := c.subdivisions()
	return each[Subdivision](row)
}

// ParseSubdivision accepts the country's subdivisions with and without its prefix, "US-CA" and "CA", in capitals.
func (c Code) ParseSubdivision(s string) (Subdivision, bool) {
	row, _ := c.subdivisions()
	i := find(row, strings.TrimPrefix(s, string(c)+"-"))
	if i < 0 {
		return "", false
	}
	return Subdivision(row[i : i+2]), true
}

// SubdivisionName returns the English name of a subdivision of the country, "California", or an empty string if the country
// has no such subdivision.
func (c Code) SubdivisionName(s Subdivision) string {
	row, names := c.subdivisions()
	return name(names, find(row, string(s)))
}

// subdivisions returns the list of the country's codes and the lines of their names.
func (c Code) subdivisions() (row, names string) {
	switch c {
	case "US":
		return statesUS, stateNamesUS
	case "CA":
		return statesCA, stateNamesCA
	default:
		return "", ""
	}
}
