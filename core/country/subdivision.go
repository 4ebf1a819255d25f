package country

import (
	"iter"
	"strings"
)

// Subdivision is a state, province or territory: a code of ISO 3166-2 without the country's prefix, "CA" of US-CA. It means
// nothing without its country. A valid one comes only from ParseSubdivision.
type Subdivision string

// NeedsState says whether an address in the country is incomplete without its state or province: the published API asks
// for one in the United States and Canada.
func (c Code) NeedsState() bool { return c == "US" || c == "CA" }

// Subdivisions yields the subdivisions of the United States (states, the District of Columbia, territories and the postal
// service's three military "states" AA, AE and AP) and of Canada, in alphabetic order of their codes. It yields none for
// other countries.
func (c Code) Subdivisions() iter.Seq[Subdivision] {
	row, _ := c.subdivisions()
	return each[Subdivision](row)
}

// ParseSubdivision knows the country's subdivisions with its prefix and without, "US-CA" and "CA", in capitals.
func (c Code) ParseSubdivision(s string) (Subdivision, bool) {
	row, _ := c.subdivisions()
	i := find(row, strings.TrimPrefix(s, string(c)+"-"))
	if i < 0 {
		return "", false
	}
	return Subdivision(row[i : i+2]), true
}

// SubdivisionName is the English name of a subdivision of the country, "California", and empty for one that it lacks.
func (c Code) SubdivisionName(s Subdivision) string {
	row, names := c.subdivisions()
	return name(names, find(row, string(s)))
}

// subdivisions is the row of the country's codes and the lines of their names.
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
