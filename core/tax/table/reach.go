package table

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
)

// checkReach refuses rows that no sale can match, because they are almost certainly mistakes: a sale that was meant would get the
// built-in rate in silence.
func (p *parser) checkReach(t *Table, rows []ownRow) {
	for i := range rows {
		r := &rows[i]
		p.line = r.line
		switch in := r.territory(); {
		case !r.forever() && r.to() <= FirstDay:
			p.fail("to", "no sale can match the row: it ends before sales can be assessed, which is from "+FirstDay.String()+" on")
		case r.postcode() != "" && !in.hasPostcode(r.postcode()):
			p.fail("postcode", "no sale can match the row: no postcode that begins with "+r.postcode()+" is in "+r.Jurisdiction())
		case r.tax() != Supply && r.buyers() == Registered && t.reversesAll(in, r.Row):
			p.fail("buyer", "no sale can match the row: a registered buyer in "+r.Jurisdiction()+" owes the tax instead of the seller")
		}
	}
}

func (r Row) territory() Territory {
	whole, part, _ := strings.Cut(r.Jurisdiction(), "-")
	return Territory{whole, part}
}

// hasPostcode reports whether an address can lie in the territory, or in the area, and have a postcode that begins with a prefix.
func (t Territory) hasPostcode(prefix string) bool {
	if t.includes(country.Code(t.Country), prefix) { // nearly always
		return true
	}
	for c := range country.All() {
		if t.includes(c, prefix) {
			return true
		}
	}
	return false
}

// includes is hasPostcode for the addresses of one country.
func (t Territory) includes(c country.Code, prefix string) bool {
	for _, begin := range beginnings(c, prefix) {
		in := TerritoryOf(c, t.Part, begin)
		if (in == t || in.Area() == t) && canBegin(c, begin) {
			return true
		}
	}
	return false
}

// beginnings returns the prefix, and the longer prefixes of the country's exceptions that begin with it.
func beginnings(c country.Code, prefix string) []string {
	all := []string{prefix}
	for e := exceptions; e != ""; e = e[exceptionWidth:] {
		if longer := unfilled(e[2:7]); e[:2] == string(c) && strings.HasPrefix(longer, prefix) {
			all = append(all, longer)
		}
	}
	return all
}

// canBegin reports whether a valid postcode of the country begins with a prefix. It completes the prefix with digits and with the
// end of the country's example.
func canBegin(c country.Code, prefix string) bool {
	const digits = "1111111111"
	for n := range len(digits) + 1 {
		if c.ValidPostcode(prefix + digits[:n]) {
			return true
		}
	}
	example, _ := c.PostcodeExample()
	example = significant(example)
	for i := range example {
		if c.ValidPostcode(prefix + example[i:]) {
			return true
		}
	}
	return false
}

// reversesAll reports whether registered buyers in a territory owe the tax of every sale that a row could match. It looks at a day
// of each quarter, for ten years.
func (t *Table) reversesAll(in Territory, r Row) bool {
	const quarter, quarters = 91, 40
	begin := max(r.from(), FirstDay)
	for category := DigitalGoods; category.Valid(); category++ {
		for on := begin; on < begin+quarter*quarters; on += civil.Date(quarter) {
			q := Query{Category: category, Buyer: Registered, On: on, Postcode: r.postcode()}
			if !r.answers(&q) {
				continue
			}
			var found Matches
			t.Find(&found, in.Area(), &q)
			if supply := found[Supply]; supply == "" || supply.Treatment() != ReverseCharge {
				return false
			}
		}
	}
	return true
}
