package graph

import (
	"log/slog"
	"strings"
	"testing"
)

func TestReadDocument(t *testing.T) {
	for _, c := range []struct{ query, want string }{
		{`query ($id: ID!) { store(id: $id) { id } }`, `query ($id: String!) { store(id: $id) { id } }`},
		{`query Q($a:[ID!]!,$b:ID="ID") @x { a }`, `query Q($a:[String!]!,$b:String="ID") @x { a }`},
		{`query ($ID: ID) { ID: store(id: $ID) { ID } }`, `query ($ID: String) { ID: store(id: $ID) { ID } }`},
		{"query ($a: # ID\n ID!) { a }", "query ($a: # ID\n String!) { a }"},
		{`query ($a: ID = "): ID" @d(x: "ID")) { a }`, `query ($a: String = "): ID" @d(x: "ID")) { a }`},
		{`query ($a: S = """ " ) \""" ID """, $b: ID) { a }`, `query ($a: S = """ " ) \""" ID """, $b: String) { a }`},
		{`{ a(x: "$b: ID") { id } }`, `{ a(x: "$b: ID") { id } }`},
		{`fragment F on ID { ID } query ($a: ID) { a }`, `fragment F on ID { ID } query ($a: String) { a }`},
		{`query ($a: IDs, $b: MyID) { a }`, `query ($a: IDs, $b: MyID) { a }`},
		{`"`, `"`}, {`"""`, `"""`}, {`#`, `#`}, {`{`, `{`}, {`)`, `)`}, {`query (`, `query (`}, {`"\`, `"\`}, {"", ""},
	} {
		if got := readDocument(c.query).text; got != c.want {
			t.Errorf("%s\n is %s\nnot %s", c.query, got, c.want)
		}
	}
	for query, want := range map[string]bool{
		`mutation { a }`: true, `query { a } mutation M { b }`: true, "# x\nmutation{a}": true, `{a} mutation {b}`: true,
		`{ mutation }`: false, `query mutation { a }`: false, `query ($mutation: Int) { a }`: false, `{ a(b: "} mutation {") }`: false,
		`fragment mutation on A { b } {a}`: false, `query Q @mutation { a }`: false,
	} {
		if got := readDocument(query).mutation; got != want {
			t.Errorf("%s is a mutation: %t", query, got)
		}
	}
}

// FuzzDocument: the scan loses nothing of a query, and a query that the library takes for a mutation or a subscription is one.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{`query ($id: ID!) { store(id: $id) { id } }`, `mutation { a }`, `{ a(x: """ " """) { b } } # ID`, `"\"{" {`, `"\70000"`} {
		f.Add(seed)
	}
	service := New(Config{Log: slog.New(slog.DiscardHandler)})
	f.Fuzz(func(t *testing.T, query string) {
		d := readDocument(query)
		if d.text != query && !strings.Contains(query, "ID") {
			t.Errorf("%q became %q", query, d.text)
		}
		// Without a viewer nothing is read.
		response := service.exec(t.Context(), service.data, &d, &Request{})
		for _, err := range response.Errors {
			if (strings.Contains(err.Message, "no mutations") || strings.Contains(err.Message, "graphql-ws")) && !d.mutation && !d.subscription {
				t.Errorf("%q is more than a query: %v", query, err)
			}
		}
	})
}
