package hosts

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	extism "github.com/extism/go-sdk"
	"github.com/http-wasm/http-wasm-host-go/api"
	wasm "github.com/http-wasm/http-wasm-host-go/handler/nethttp"

	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/crepe-checkout/crepe/wasm/host"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

const (
	detail = `{"country":"DE","isBusiness":true,"businessName":"Muster GmbH","taxId":"DE136695976","postcode":"10115"}`
	order  = `{"checkoutSessionId":"cs_550e8400-e29b-41d4-a716-446655440000","buyerEmail":"ada@example.com","billingDetail":` + detail + `}`
)

// drain reads the body and answers with nothing.
var drain = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
})

// serve sends a create-order request with a credential to a handler.
func serve(h http.Handler, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "/v1/actions/onetime-order/create-order", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer a.b.c")
	r.Header.Set("X-Environment", "test")
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// hostRow is a row of the table: what is called, and a function that calls it once.
type hostRow struct {
	name  string
	call  func()
	times []time.Duration
}

// BenchmarkHosts measures a call in each host and prints the table of ../README.md; -update writes it there. Rounds alternate between the
// hosts, and the fastest counts: what else the machine does only adds to the others.
func BenchmarkHosts(b *testing.B) {
	rows := append(billingRows(b), gatewayRows(b)...)
	const rounds = 25
	for range rounds {
		for _, r := range rows {
			r.times = append(r.times, perCall(r.call))
		}
	}
	fastest := func(r *hostRow) float64 { return float64(slices.Min(r.times)) / 1e3 }
	table := "| a billing detail, JSON in and out | µs |\n|---|---|\n"
	for _, r := range rows[:3] {
		table += fmt.Sprintf("| %s | %.1f |\n", r.name, fastest(r))
	}
	table += fmt.Sprintf("| %s | %.1f |\n\n", "`@extism/extism`, in Node's V8", extismNode(b))
	nothing := fastest(rows[3])
	table += "| a request in `http-wasm-host-go`, over one with a plugin that does nothing | µs |\n|---|---|\n"
	for _, r := range rows[4:] {
		table += fmt.Sprintf("| %s | %.1f |\n", r.name, fastest(r)-nothing)
	}
	fmt.Print("\n", table)
	if *shoptest.Update {
		writeTable(b, table)
	}
}

// perCall returns the time of a call, from as many as take a minimum time.
func perCall(call func()) time.Duration {
	for n := 100; ; n *= 2 {
		start := time.Now()
		for range n {
			call()
		}
		if took := time.Since(start); took > 10*time.Millisecond {
			return took / time.Duration(n)
		}
	}
}

func billingRows(b *testing.B) []*hostRow {
	m, err := host.New(context.Background(), host.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close(context.Background()) })
	p := openExtism(b, extism.PluginConfig{})
	return []*hostRow{
		{name: "Go, natively", call: func() { new(ops.Instance).Billing(detail) }},
		{name: "`wasm/host`, metered", call: func() {
			if _, err := m.Call(context.Background(), "billing", []byte(detail)); err != nil {
				b.Fatal(err)
			}
		}},
		{name: "`extism/go-sdk`, in wazero", call: func() {
			if _, _, err := p.Call("billing", []byte(detail)); err != nil {
				b.Fatal(err)
			}
		}},
	}
}

// gatewayRows are requests through http-wasm's host; the first has a plugin that does nothing.
func gatewayRows(b *testing.B) []*hostRow {
	m, err := wasm.NewMiddleware(context.Background(), passOn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close(context.Background()) })
	row := func(name string, h http.Handler, body string, status int) *hostRow {
		return &hostRow{name: name, call: func() {
			if w := serve(h, body); w.Code != status {
				b.Fatalf("%s: status %d", name, w.Code)
			}
		}}
	}
	ours := func(config string) http.Handler {
		h, err := openPlugin(config, drain, api.NoopLogger{})
		if err != nil {
			b.Fatal(err)
		}
		return h
	}
	return []*hostRow{
		row("nothing", m.NewHandler(context.Background(), drain), order, 200),
		row("an order that passes", ours(""), order, 200),
		row("an order that is refused", ours(""), strings.Replace(order, "DE136695976", "DE136695977", 1), 400),
		row("a request of another path", ours(`{"paths":["/order"]}`), order, 200),
	}
}

func extismNode(b *testing.B) float64 {
	installNode(b)
	out, err := exec.Command("node", "node/bench.mjs", "../extism/plugin.wasm", "billing", detail).Output()
	if err != nil {
		b.Fatal(err)
	}
	took, err := strconv.ParseFloat(string(out), 64)
	if err != nil {
		b.Fatal(err)
	}
	return took
}

// writeTable writes the table between its marks.
func writeTable(b *testing.B, table string) {
	const file, begin, end = "../README.md", "<!-- hosts:begin -->\n", "<!-- hosts:end -->"
	text, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		b.Fatalf("%s has no %s and %s", file, begin, end)
	}
	if err := os.WriteFile(file, []byte(before+begin+table+end+after), 0o644); err != nil {
		b.Fatal(err)
	}
}

// passOn is (module (memory (export "memory") 1) (func (export "handle_request") (result i64) i64.const 1) (func (export
// "handle_response") (param i32 i32))).
var passOn = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x0a\x02\x60\x00\x01\x7e\x60\x02\x7f\x7f\x00" + // types
	"\x03\x03\x02\x00\x01" + // functions
	"\x05\x03\x01\x00\x01" + // memory
	"\x07\x2d\x03\x06memory\x02\x00\x0ehandle_request\x00\x00\x0fhandle_response\x00\x01" + // exports
	"\x0a\x09\x02\x04\x00\x42\x01\x0b\x02\x00\x0b") // code
