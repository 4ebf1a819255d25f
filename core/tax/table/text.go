package table

import "strings"

// Text returns the table in the form that [FromText] reads: three lines, its version, the rows in base64, and their ids.
func (t *Table) Text() string {
	if t.empty() {
		return ""
	}
	return t.version + "\n" + encode64(t.rows) + "\n" + t.ids
}

// FromText reads what [Table.Text] of the same release of this package returned. It checks sizes, references and values, so
// that no accepted text can make a query panic; it does not check the rules that [Parse] checks.
func FromText(text string) (t Table, ok bool) {
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

// sound checks the row at index i of a table whose ids have that size. A 32-bit reference can be negative in the module,
// where int has 32 bits.
func (r Row) sound(i, ids int) bool {
	t := r.Treatment()
	ofTax := t >= Unsupported && t <= OutOfScope
	ofSupply := t == AtCustomer || t == AtSeller || t == ReverseCharge
	return r.tax() < len(taxes) && (r.tax() == Supply && ofSupply || r.tax() != Supply && ofTax) &&
		r.Base() <= 100 && 0 <= r.idAt() && r.idAt() < ids && 0 <= r.next() && r.next() <= i
}

const digits64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// encode64 returns base64 (RFC 4648 §4) without padding.
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

// decode64 reads what encode64 returns, and nothing else.
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
