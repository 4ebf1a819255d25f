package auth

import (
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
)

func BenchmarkSession(b *testing.B) {
	w := newWorld(b)
	authorization := "Bearer " + w.customer(b, checkout.Test)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Session(b.Context(), authorization, "test"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAPIKey(b *testing.B) {
	w := newWorld(b)
	request := signed(w.now, path, body)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.APIKey(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkIssueCustomer(b *testing.B) {
	w := newWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		w.customer(b, checkout.Test)
	}
}
