package graph

import (
	"slices"
	"strings"
)

// document is what a query says before anybody parses it: whether it is more than a query, how it asks for the schema, and its text
// with every variable of type ID declared as String.
//
// Clients declare the variables of ids as ID or as String, both of which the published API takes. GraphQL knows no conversion
// between the two: a variable must have the type of its argument. So the arguments of this schema are of type String, and the
// declarations are rewritten before validation, by their tokens: the library keeps its parser to itself. The values are strings
// either way.
type document struct {
	text         string
	mutation     bool
	subscription bool
	schemaWords  map[string]int // how often each word occurs that lists a part of the schema
}

// schemaWords are the fields of introspection.
var schemaWords = []string{"__schema", "__type", "types", "possibleTypes", "interfaces", "fields", "inputFields", "enumValues", "args"}

// The schema within the schema grows with every list of it that a query nests. The deep query of a tool has each list once, and
// args twice.
const (
	maxSchemaWords     = 4
	maxDeepSchemaWords = 2
)

// asksForSchema reports whether the document has a field of introspection.
func (d *document) asksForSchema() bool { return d.schemaWords["__schema"]+d.schemaWords["__type"] > 0 }

// schemaWithin reports whether no word of introspection occurs more often than limit.
func (d *document) schemaWithin(limit int) bool {
	for _, n := range d.schemaWords {
		if d.asksForSchema() && n > limit {
			return false
		}
	}
	return true
}

// readDocument scans a query. A text that is no GraphQL is left to the parser.
func readDocument(query string) document {
	d := document{schemaWords: map[string]int{}}
	var text strings.Builder
	var depth int                   // of braces
	var parens int                  // of parentheses
	var inVariables, afterType bool // within the variables of an operation; behind the colon of one
	operation := true               // a definition may begin here
	for t := range tokens(query) {
		word := t
		switch {
		case t == "{":
			depth++
			operation = false
		case t == "}":
			depth--
			operation = depth == 0
		case t == "(" && depth == 0:
			parens++
			inVariables = parens == 1
		case t == ")" && depth == 0:
			parens--
			inVariables, afterType = false, false
		case inVariables && t == ":":
			afterType = true
		case inVariables && (t == "$" || t == "=" || t == "@"):
			afterType = false
		case inVariables && afterType && t == "ID":
			word = "String"
		case depth == 0 && parens == 0 && operation && isName(t):
			d.mutation = d.mutation || t == "mutation"
			d.subscription = d.subscription || t == "subscription"
			operation = false
		}
		if slices.Contains(schemaWords, t) {
			d.schemaWords[t]++
		}
		text.WriteString(word)
	}
	d.text = text.String()
	return d
}

func isName(token string) bool { return token != "" && nameByte(token[0]) }

func nameByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// tokens splits a query into names, strings, comments and single other bytes, which together are the query.
func tokens(query string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for len(query) > 0 {
			n := tokenSize(query)
			if !yield(query[:n]) {
				return
			}
			query = query[n:]
		}
	}
}

// tokenSize is the size of the token at the beginning of a text that is not empty.
func tokenSize(text string) int {
	switch {
	case text[0] == '#':
		if n := strings.IndexAny(text, "\n\r"); n >= 0 {
			return n
		}
		return len(text)
	case strings.HasPrefix(text, `"""`):
		return blockStringSize(text)
	case text[0] == '"':
		return stringSize(text)
	case nameByte(text[0]):
		n := 1
		for n < len(text) && nameByte(text[n]) {
			n++
		}
		return n
	}
	return 1
}

func stringSize(text string) int {
	for n := 1; n < len(text); n++ {
		switch text[n] {
		case '\\':
			n++
		case '"', '\n', '\r':
			return n + 1
		}
	}
	return len(text)
}

func blockStringSize(text string) int {
	for n := 3; n < len(text); n++ {
		switch {
		case strings.HasPrefix(text[n:], `\"""`):
			n += 3
		case strings.HasPrefix(text[n:], `"""`):
			return n + 3
		}
	}
	return len(text)
}
