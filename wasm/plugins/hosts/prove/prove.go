// Package prove has the tests of the plugin for gateways, as functions that run in any host: [Run] runs all of them, before a real edge.
package prove

import (
	"bytes"
	"flag"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"
)

var (
	seed    = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random bodies and requests")
	bodies  = flag.Int("bodies", 2_000, "how many bodies pass each host")
	answers = flag.Int("answers", 2_000, "how many requests are compared with the edge's own answer")
)

// Open starts a gateway that runs the plugin with a configuration before the server at a URL, and returns its own URL.
type Open func(t testing.TB, config, origin string) string

// Run runs all tests.
func Run(t *testing.T, open Open) {
	t.Logf("-seed=%d -bodies=%d -answers=%d", *seed, *bodies, *answers)
	t.Run("bodies", func(t *testing.T) { passBodies(t, open) })
	t.Run("answers", func(t *testing.T) { compareAnswers(t, open) })
	t.Run("aborted", func(t *testing.T) { abort(t, open) })
	t.Run("configurations", func(t *testing.T) { configure(t, open) })
}

const createOrder = "/v1/actions/onetime-order/create-order"

// request is one call of create-order.
type request struct {
	method, path string
	header       map[string]string
	body         []byte
	chunked      bool
}

// send sends a request to a server and returns the response with its body.
func (r *request) send(t testing.TB, server string) (*http.Response, []byte) {
	t.Helper()
	var body io.Reader = bytes.NewReader(r.body)
	if r.chunked {
		body = struct{ io.Reader }{body} // of unknown length
	}
	q, err := http.NewRequestWithContext(t.Context(), r.method, server+r.path, body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range r.header {
		q.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, text
}

func random(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(*seed, stream)) }
