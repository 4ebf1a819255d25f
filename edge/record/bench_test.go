package record

import (
	"os"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/orders"
)

// BenchmarkOrder compares a record with the domain's type as JSON, which version 0 was.
func BenchmarkOrder(b *testing.B) {
	text, err := os.ReadFile("testdata/v1/order-unresolved.json")
	if err != nil {
		b.Fatal(err)
	}
	o, err := decodeOrder(text)
	if err != nil {
		b.Fatal(err)
	}
	record, _ := encodeOrder(o)
	plain, _ := json.Marshal(o)
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"encode", func() error { _, err := encodeOrder(o); return err }},
		{"decode", func() error { _, err := decodeOrder(record); return err }},
		{"encode the domain's type", func() error { _, err := json.Marshal(o); return err }},
		{"decode the domain's type", func() error { return json.Unmarshal(plain, new(orders.Order)) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := c.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
