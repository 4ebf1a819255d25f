package wasm_test

import (
	"bytes"
	"encoding/json"
	"testing"
)

func FuzzBilling(f *testing.F) { fuzz(f, "billing") }
func FuzzEmail(f *testing.F)   { fuzz(f, "email") }
func FuzzFields(f *testing.F)  { fuzz(f, "fields") }
func FuzzPlace(f *testing.F)   { fuzz(f, "place") }
func FuzzQuote(f *testing.F)   { fuzz(f, "quote") }
func FuzzRates(f *testing.F)   { fuzz(f, "rates") }
func FuzzTaxID(f *testing.F)   { fuzz(f, "taxid") }
func FuzzVersion(f *testing.F) { fuzz(f, "version") }

// fuzz checks what the ABI promises for every input of an operation: it does not trap, as it would if it ran out of memory;
// native Go and both builds in wazero give the same answer; the answer has the documented shape; and a second call gives the same answer.
func fuzz(f *testing.F, operation string) {
	for _, v := range vectors(f) {
		if v.Op == operation && len(v.input()) < 4096 { // a long one keeps the fuzzer busy with shortening it
			f.Add(v.input())
		}
	}
	h := newHosts(f)
	var n native
	f.Fuzz(func(t *testing.T, input []byte) {
		want := n.call(operation, input)
		for range 2 {
			h.agree(t, operation, input, want)
		}
		checkShape(t, want)
	})
}

// checkShape checks that an answer is compact JSON with either data or at least one error that has a kind, a code and a
// message.
func checkShape(t *testing.T, text []byte) {
	t.Helper()
	var answer struct {
		Data   map[string]any
		Errors []struct{ Kind, Code, Path, Message string }
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&answer); err != nil || d.More() || (answer.Data == nil) == (answer.Errors == nil) || !bytes.Equal(compact(text), text) {
		t.Fatalf("%v: %s", err, text)
	}
	for _, e := range answer.Errors {
		if e.Kind == "" || e.Kind == "internal" || e.Code == "" || e.Message == "" {
			t.Fatalf("an empty refusal: %s", text)
		}
	}
}
