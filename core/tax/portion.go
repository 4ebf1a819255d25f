package tax

import (
	"strings"

	"github.com/crepe-checkout/crepe/core/country"
)

// Portion is the part of a table that a seller's sales to the buyers of a country, or of one of its states, can ask. It
// answers them as the whole table does and names its data as the whole table does; so a browser needs the few rows about
// one place and not all of an operator's.
func (t *Table) Portion(seller, buyer country.Code, state string) Table {
	if t.empty() {
		return Table{}
	}
	asked := append(placesOf(buyer, state), placeOf(seller, "", ""))
	var rows []ownRow
	for i := range len(t.rows) / ownWidth {
		r := t.row(i)
		for _, p := range asked {
			if p.compare(r) == 0 || p.area().compare(r) == 0 {
				rows = append(rows, ownRow{rule: r[:ruleWidth+postcodeWidth], id: strings.TrimPrefix(t.id(r), idPrefix)})
				break
			}
		}
	}
	portion := newTable(rows)
	if !portion.empty() {
		portion.version = t.version
	}
	return portion
}

// placesOf are the territories in which an address of a country, or of its state, can lie, whatever its postcode.
func placesOf(c country.Code, state string) []place {
	places := []place{placeOf(c, state, "")}
	for e := exceptions; e != ""; e = e[exceptionWidth:] {
		if e[:2] == string(c) {
			places = append(places, place{e[7:9], unfilled(e[10:exceptionWidth])})
		}
	}
	return places
}

// Text writes a table so that [TableOf] reads it: three lines, its version, the rows in base64, and their ids.
func (t *Table) Text() string {
	if t.empty() {
		return ""
	}
	return t.version + "\n" + encode64(t.rows) + "\n" + t.ids
}

// TableOf reads what [Table.Text] has written. It is for whoever got the text from the same release of this package, and
// accepts no text that could make a question fail: sizes, references and values are checked, what the rows say is not.
func TableOf(text string) (t Table, ok bool) {
	if text == "" {
		return t, true
	}
	version, text, _ := strings.Cut(text, "\n")
	rows, ids, _ := strings.Cut(text, "\n")
	t.version, t.ids = version, ids
	if t.rows, ok = decode64(rows); !ok || len(t.rows)%ownWidth != 0 || !strings.HasPrefix(version, DataVersion+"+") {
		return Table{}, false
	}
	for i := range len(t.rows) / ownWidth {
		if r := t.row(i); !r.sound(i, len(ids)) {
			return Table{}, false
		}
	}
	return t, true
}

// sound checks the row with a number, in a table whose ids have a size. A reference of 32 bits is negative where an int has no
// more, which is in the module.
func (r rule) sound(number, ids int) bool {
	reason := r.treatment() >= int(Unsupported) && r.treatment() <= int(OutOfScope)
	where := r.treatment() == atCustomer || r.treatment() == atSeller || r.treatment() == int(ReverseCharge)
	return r.tax() < len(taxes) && (r.tax() == supply && where || r.tax() != supply && reason) &&
		r.base() <= 100 && 0 <= r.idAt() && r.idAt() < ids && 0 <= r.next() && r.next() <= number
}

const digits64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// encode64 is base64 (RFC 4648 §4) without padding.
func encode64(s string) string {
	b := make([]byte, 0, len(s)*4/3+1)
	bits, n := 0, 0
	for i := range len(s) {
		bits, n = bits<<8|int(s[i]), n+8
		for ; n >= 6; n -= 6 {
			b = append(b, digits64[bits>>(n-6)&63])
		}
		bits &= 1<<n - 1
	}
	if n > 0 {
		b = append(b, digits64[bits<<(6-n)&63])
	}
	return string(b)
}

func decode64(s string) (string, bool) {
	b := make([]byte, 0, len(s)*3/4)
	bits, n := 0, 0
	for i := range len(s) {
		digit := strings.IndexByte(digits64, s[i])
		if digit < 0 {
			return "", false
		}
		bits, n = bits<<6|digit, n+6
		if n >= 8 {
			n -= 8
			b = append(b, byte(bits>>n))
			bits &= 1<<n - 1
		}
	}
	return string(b), bits == 0 && n < 6
}
