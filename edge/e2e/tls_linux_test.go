package e2e

import (
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/edge/certificate/certtest"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestTLS: crepe serve with a certificate has https URLs and HSTS, takes the sandbox's events over TLS, is ready to crepe ready, takes up a
// renewed certificate, and tells a client that speaks HTTP. What cannot serve is refused.
func TestTLS(t *testing.T) {
	t.Parallel()
	data, pair := initialise(t), certtest.New(t)
	demo := stock(t, data, makeMerchant(t, data, "Acme").Merchant.ID, 1)[0]
	h := newHandover(t, pair.Pool, "--data", data, "--tls-cert", pair.Cert, "--tls-key", pair.Key)
	h.link = "/store/" + demo.Store.Slug + "/product/" + demo.Products[0].ID + "?test=true&currency=EUR"
	a := h.order(h.client)
	if !strings.HasPrefix(a.url, h.url+"/sandbox/") {
		t.Fatalf("the payment page is at %q, want one of %s", a.url, h.url)
	}
	paid, err := h.client.PostForm(a.url, url.Values{"outcome": {"succeeds"}})
	if err != nil || paid.StatusCode != http.StatusSeeOther {
		t.Fatalf("paying: %v, %v", paid, err)
	}
	paid.Body.Close()
	shoptest.Eventually(t, "the sandbox's event completes the order", func() bool {
		_, page := h.get(h.client, "/store/"+demo.Store.Slug+"/checkout/"+a.session+"/complete")
		return strings.Contains(page, `data-standing="paid"`)
	})
	answer, err := h.client.Get(h.url + "/healthz")
	if err != nil || answer.Header.Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Fatalf("%v, %v", err, answer)
	}
	answer.Body.Close()
	if plain, err := http.Get("http://" + h.address + "/"); err != nil || plain.StatusCode != http.StatusBadRequest {
		t.Errorf("HTTP is answered %v, %v", plain, err)
	}
	if output, err := exec.Command(binary.path, "ready", "--listen", h.address, "--tls-cert", pair.Cert).CombinedOutput(); err != nil || string(output) != "ready\n" {
		t.Errorf("crepe ready: %v: %s", err, output)
	}
	next := pair.Renew(t, time.Now().AddDate(1, 0, 0))
	fresh := h.newClient(pair.Pool, true)
	shoptest.Eventually(t, "the renewed certificate is served", func() bool {
		answer, err := fresh.Get(h.url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.TLS.PeerCertificates[0].Equal(next)
	})
	for want, args := range map[string][]string{
		"set both, or neither": {"--tls-cert", pair.Cert},
		"are not a pair":       {"--tls-cert", pair.Cert, "--tls-key", certtest.New(t).Key},
		"no such file":         {"--tls-cert", pair.Cert, "--tls-key", "none.pem"},
	} {
		refused(t, nil, want, append([]string{"serve", "--data", t.TempDir(), "--listen", "127.0.0.1:0"}, args...)...)
	}
}
