package e2e

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestSDK buys with the public SDK and pays on the sandbox's page; the order is completed.
func TestSDK(t *testing.T) {
	dir, data := npmInstall(t, "testdata/sdk"), t.TempDir()
	running := start(t, data, freeAddress(t))
	shop := shopOn(t, data)
	script := exec.Command("node", filepath.Join(dir, "buy.mjs"), filepath.Join(data, demo.FileName))
	script.Stderr = os.Stderr
	output, err := script.Output()
	if err != nil {
		t.Fatalf("node: %v; the tests need Node 20 or newer (apt-get install nodejs)", err)
	}
	var got struct {
		Session  struct{ SessionID, CheckoutURL, Token, ExpiresAt, TokenExpiresAt string }
		Status   int
		Answer   struct{ Data struct{ CheckoutURL string } }
		Refusals map[string]struct {
			Status int
			Errors []struct{ Message, Layer, Code string }
		}
	}
	if err := json.Unmarshal(output, &got); err != nil {
		t.Fatalf("%v in %s", err, output)
	}
	page, token, _ := strings.Cut(got.Session.CheckoutURL, "#token=")
	if page != shop.URL+"/store/"+shop.File.StoreSlug+"/checkout/"+got.Session.SessionID || token != got.Session.Token {
		t.Errorf("the SDK made %+v", got.Session)
	}
	if got.Status != 200 || got.Answer.Data.CheckoutURL == "" {
		t.Fatalf("create-order answers %s", output)
	}
	for name, refusal := range got.Refusals {
		if len(refusal.Errors) == 0 || refusal.Status/100 != 4 {
			t.Errorf("%s: %+v", name, refusal)
		}
	}
	shop.Pay(t, got.Answer.Data.CheckoutURL)
	shoptest.Eventually(t, "the session is closed by the payment", func() bool {
		return shop.CreateOrder(t, got.Session.Token, shoptest.OrderFor(got.Session.SessionID)).Status == http.StatusConflict
	})
	running.kill()
	r := openRecords(t, data)
	defer r.close()
	_, order := r.order(t, got.Session.SessionID)
	if status, _ := order.Published(); status != "completed" {
		t.Errorf("the order is %s", status)
	}
	sold := order.Sold()
	if sold.BuyerIdentity != "user-17" || sold.BuyerEmail != "customer@example.com" || sold.SuccessURL != "https://example.com/thank-you" {
		t.Errorf("the order is %+v", sold)
	}
}

// npmInstall installs a folder's locked packages unless they are up to date, and returns its absolute path.
func npmInstall(t testing.TB, dir string) string {
	t.Helper()
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	locked, err := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if installed, err := os.Stat(filepath.Join(dir, "node_modules/.package-lock.json")); err == nil &&
		!installed.ModTime().Before(locked.ModTime()) {
		return dir
	}
	install := exec.Command("npm", "ci", "--silent", "--no-audit", "--no-fund")
	install.Dir = dir
	if output, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm ci in %s: %v\n%s\nthe tests need npm (apt-get install npm)", dir, err, output)
	}
	return dir
}

// TestWebhookSignature: the SDK verifies our signatures with the public key of dev.json, and refuses others.
func TestWebhookSignature(t *testing.T) {
	dir, data := npmInstall(t, "testdata/sdk"), t.TempDir()
	start(t, data, freeAddress(t)).kill()
	keys := readDevFile(t, data).WebhookPublicKey
	r := openRecords(t, data)
	defer r.close()
	signer, err := notify.NewSigner(t.Context(), r.db, checkout.Test)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"eventType":"order.completed","storeName":"Crêpe"}`)
	header, err := signer.Sign(body, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, body, key string
		want            bool
	}{
		{"as sent", string(body), keys[checkout.Test], true},
		{"changed on the way", string(body) + " ", keys[checkout.Test], false},
		{"the key of the other environment", string(body), keys[checkout.Prod], false},
	} {
		err := exec.Command("node", filepath.Join(dir, "verify.mjs"), c.body, header, c.key).Run()
		if got := err == nil; got != c.want {
			t.Errorf("%s: verified %t", c.name, got)
		}
	}
}
