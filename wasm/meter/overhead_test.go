package meter

import (
	"os"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// BenchmarkOverhead calls operations of the core as it is and metered, in wazero without a host around it.
func BenchmarkOverhead(b *testing.B) {
	plain, err := os.ReadFile("../checkout-fast.wasm")
	if err != nil {
		b.Fatal(err)
	}
	metered, err := Instrument(plain, Limits{Size: len(plain), Pages: 8, Start: fuel})
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d bytes, metered %d", len(plain), len(metered))
	for _, call := range [][2]string{
		{"email", `{"email":"Ada@Gmial.com "}`},
		{"billing", `{"country":"DE","isBusiness":true,"businessName":"Fieldnotes GmbH","taxId":"136 695 976"}`},
		{"fields", `{"country":"US","postcode":"10012"}`},
		{"taxid", `{"country":"FR","taxId":"FR40303265045"}`},
		{"quote", `{"price":{"amount":"29.00","currency":"EUR","taxCategory":"saas","taxIncluded":false},"seller":{"country":"IE","registrations":` +
			`[{"jurisdiction":"EU","from":"2024-01-01"}]},"billingDetail":{"country":"DE","isBusiness":false},"on":"2026-11-23"}`},
	} {
		b.Run(call[0]+"/plain", func(b *testing.B) { repeat(b, plain, call[0], call[1]) })
		b.Run(call[0]+"/metered", func(b *testing.B) { repeat(b, metered, call[0], call[1]) })
	}
}

func repeat(b *testing.B, module []byte, operation, input string) {
	runtime := wazero.NewRuntime(b.Context())
	defer runtime.Close(b.Context())
	instance, err := runtime.Instantiate(b.Context(), module)
	if err != nil {
		b.Fatal(err)
	}
	counter, counts := instance.ExportedGlobal(Fuel).(api.MutableGlobal)
	alloc, run := instance.ExportedFunction("alloc"), instance.ExportedFunction(operation)
	call := func() {
		if counts {
			counter.Set(1 << 40)
		}
		stack := [2]uint64{uint64(len(input))}
		if err := alloc.CallWithStack(b.Context(), stack[:]); err != nil {
			b.Fatal(err)
		}
		instance.Memory().WriteString(uint32(stack[0]), input)
		stack[1] = uint64(len(input))
		if err := run.CallWithStack(b.Context(), stack[:]); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		call()
	}
	if counts {
		b.ReportMetric(float64(1<<40-int64(counter.Get())), "units/op")
	}
}
