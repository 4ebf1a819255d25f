package server

import (
	"net/http"
	"strings"
	"testing"
)

// TestProof: /healthz proves which deployment answers. The proof depends on the nonce and on the database, and there is none without a nonce
// or for a long one.
func TestProof(t *testing.T) {
	t.Parallel()
	one, other := openShop(t), openShop(t)
	proof := func(url, query string) string {
		answer, err := http.Get(url + "/healthz" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", query, answer.StatusCode)
		}
		return answer.Header.Get("Crepe-Proof")
	}
	first := proof(one.PublicURL, "?nonce=1")
	if len(first) != 64 || first != proof(one.PublicURL, "?nonce=1") || first == proof(one.PublicURL, "?nonce=2") || first == proof(other.PublicURL, "?nonce=1") {
		t.Errorf("the proof is %q", first)
	}
	for _, query := range []string{"", "?nonce=", "?nonce=" + strings.Repeat("1", 65)} {
		if got := proof(one.PublicURL, query); got != "" {
			t.Errorf("%s: %q", query, got)
		}
	}
}
