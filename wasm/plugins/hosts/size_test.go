package hosts

import (
	"bytes"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/crepe-checkout/crepe/wasm/plugins"
)

// TestSize holds the plugins to their size with brotli. wasm/budgets.txt has the sizes without.
func TestSize(t *testing.T) {
	for _, c := range []struct {
		name   string
		module []byte
		limit  int
	}{
		{"httpwasm", plugins.HTTPWasm, 22 << 10},
		{"extism", plugins.Extism, 28 << 10},
	} {
		var b bytes.Buffer
		w := brotli.NewWriterLevel(&b, brotli.BestCompression)
		if _, err := w.Write(c.module); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d bytes, %d with brotli", c.name, len(c.module), b.Len())
		if b.Len() > c.limit {
			t.Errorf("%s: %d bytes with brotli, of at most %d", c.name, b.Len(), c.limit)
		}
	}
}
