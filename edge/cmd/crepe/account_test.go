package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// TestSandboxRemoved: whoever removes the sandbox's database has another provider's account, which knows no checkout. Open
// sessions can be ordered from all the same, to the same country and to another.
func TestSandboxRemoved(t *testing.T) {
	data, address := t.TempDir(), freeAddress(t)
	running := start(t, data, address)
	s := &shop{server: &server{Config: Config{PublicURL: "http://" + address}}, file: readDevFile(t, data)}
	var err error
	if s.merchant, err = newDemoMerchant(s.PublicURL, s.file.MerchantID, s.file.PrivateKey[checkout.Test]); err != nil {
		t.Fatal(err)
	}
	token := s.token(t, "user-1")
	sessions := map[string]string{"DE": s.session(t, nil).SessionID, "FR": s.session(t, nil).SessionID}
	for _, id := range sessions {
		s.createOrder(t, token, orderFor(id)).checkoutURL(t)
	}
	running.kill()
	if err := os.RemoveAll(filepath.Join(data, sandboxDatabase)); err != nil {
		t.Fatal(err)
	}
	start(t, data, address)
	for country, id := range sessions {
		order := orderFor(id)
		order["billingDetail"] = map[string]any{"country": country, "isBusiness": false}
		url := s.createOrder(t, token, order).checkoutURL(t)
		request, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.do(t, request); got.status != 200 {
			t.Errorf("%s: the checkout's page answers %d", country, got.status)
		}
	}
}
