package record

import (
	"fmt"
	"strconv"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/tax"
)

// The types below are enumerated values and days by name. Version 0 has numbers instead. A record with an unknown name is damaged.

// value returns the value of an enumeration with a name, 0 if there is none. The enumerations are numbered from zero and have less
// than 32 values.
func value[T enumeration](name string) T {
	for v := T(0); name != "" && v < 32; v++ {
		if v.String() == name {
			return v
		}
	}
	return 0
}

type enumeration interface {
	~uint8
	String() string
}

type category string

func (c *category) UnmarshalJSON(text []byte) error {
	return unmarshalName[tax.Category](text, (*string)(c))
}

type reason string

func (r *reason) UnmarshalJSON(text []byte) error {
	return unmarshalName[tax.Reason](text, (*string)(r))
}

type evidence string

func (e *evidence) UnmarshalJSON(text []byte) error {
	return unmarshalName[tax.Evidence](text, (*string)(e))
}

// unmarshalName decodes the name of an enumerated value. Only zero may have the empty name.
func unmarshalName[T enumeration](text []byte, into *string) error {
	return unmarshal(text, into,
		func(n int) string {
			if n < 0 || n > 31 || n > 0 && T(n).String() == "" {
				return string(text)
			}
			return T(n).String()
		},
		func(name string) bool { return value[T](name).String() == name })
}

// confidence is one letter; version 0 has its code point, 0 for none.
type confidence string

func (c *confidence) UnmarshalJSON(text []byte) error {
	return unmarshal(text, (*string)(c), func(n int) string { return string(confidenceOf(byte(n))) },
		func(name string) bool { return len(name) <= 1 })
}

func (c confidence) byte() byte {
	if c == "" {
		return 0
	}
	return c[0]
}

func confidenceOf(b byte) confidence {
	if b == 0 {
		return ""
	}
	return confidence(rune(b))
}

// day is "2026-11-23"; version 0 has the days since 1970-01-01.
type day string

func (d *day) UnmarshalJSON(text []byte) error {
	return unmarshal(text, (*string)(d), func(n int) string { return civil.Date(n).String() }, func(name string) bool {
		_, ok := civil.ParseDate(name)
		return ok
	})
}

func (d day) date() civil.Date {
	date, _ := civil.ParseDate(string(d))
	return date
}

// unmarshal decodes a name that is known, or a number, which named converts to a name. Names need no escapes in JSON.
func unmarshal(text []byte, into *string, named func(int) string, known func(string) bool) error {
	name := ""
	if len(text) >= 2 && text[0] == '"' {
		name = string(text[1 : len(text)-1])
	} else if n, err := strconv.Atoi(string(text)); err == nil {
		name = named(n)
	} else {
		return fmt.Errorf("%q is no name", text)
	}
	if !known(name) {
		return fmt.Errorf("%q has no meaning", text)
	}
	*into = name
	return nil
}
