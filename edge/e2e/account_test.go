package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestSandboxRemoved: without the sandbox's database the provider's account is a new one, which has no checkouts. Sessions with an
// open order can still be ordered from, for the same country and for another.
func TestSandboxRemoved(t *testing.T) {
	data, address := t.TempDir(), freeAddress(t)
	running := start(t, data, address)
	s := shopOn(t, data)
	token := s.Token(t, "user-1")
	sessions := map[string]string{"DE": s.Session(t, nil).SessionID, "FR": s.Session(t, nil).SessionID}
	for _, id := range sessions {
		s.CreateOrder(t, token, shoptest.OrderFor(id)).CheckoutURL(t)
	}
	running.kill()
	if err := os.RemoveAll(filepath.Join(data, sandboxDatabase)); err != nil {
		t.Fatal(err)
	}
	start(t, data, address)
	for country, id := range sessions {
		url := s.CreateOrder(t, token, shoptest.OrderTo(id, country)).CheckoutURL(t)
		request, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Do(t, request); got.Status != 200 {
			t.Errorf("%s: the checkout's page answers %d", country, got.Status)
		}
	}
}
