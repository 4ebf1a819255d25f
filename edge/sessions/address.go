package sessions

import (
	"strings"
	"unicode"
)

// Address is what a receipt shows of a buyer's address beside the billing detail. It changes no tax and no validation. Every field
// may be empty.
type Address struct {
	Name   string // of a buyer without a business name
	Street string // with the number
	City   string
}

// The longest fields of an address, in characters.
const (
	MaxAddressName = 200
	MaxStreet      = 200
	MaxCity        = 100
)

// Clean returns the address with each field on one line, without control characters and characters that change the direction of the
// text, and at most as long as its limit. An address is optional, so a field that does not fit is cut and refuses no order.
func (a Address) Clean() Address {
	return Address{oneLine(a.Name, MaxAddressName), oneLine(a.Street, MaxStreet), oneLine(a.City, MaxCity)}
}

func oneLine(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	characters := []rune(strings.Join(strings.Fields(s), " "))
	return strings.TrimSpace(string(characters[:min(len(characters), most)]))
}
