package table

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/country"
)

// Subset returns the rows of t that a seller's sales to buyers in a country, or in one of its states, can match. For these
// sales it answers as t does, with the same DataVersion. So a browser needs a few rows only.
func (t *Table) Subset(seller, buyer country.Code, state string) Table {
	if t.empty() {
		return Table{}
	}
	asked := append(territoriesOf(buyer, state), TerritoryOf(seller, "", ""))
	var rows []ownRow
	for i := range len(t.rows) / ownWidth {
		r := t.row(i)
		for _, in := range asked {
			if in.compare(r) == 0 || in.Area().compare(r) == 0 {
				rows = append(rows, ownRow{Row: r[:rowWidth+postcodeWidth], id: strings.TrimPrefix(t.id(r), idPrefix)})
				break
			}
		}
	}
	subset := newTable(rows)
	if !subset.empty() {
		subset.version = t.version
	}
	return subset
}
