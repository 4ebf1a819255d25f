package server

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// listener is a merchant's server: it keeps what it gets, and answers what status says.
type listener struct {
	*httptest.Server
	mutex  sync.Mutex
	got    []received
	status func(n int) int // of the n-th request, from 1
}

type received struct {
	signature, body string
}

func newListener(t *testing.T) *listener {
	l := &listener{status: func(int) int { return 200 }}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		l.mutex.Lock()
		l.got = append(l.got, received{r.Header.Get("X-Waffo-Signature"), string(body)})
		n := len(l.got)
		l.mutex.Unlock()
		w.WriteHeader(l.status(n))
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) received() []received {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return append([]received(nil), l.got...)
}

// verified reports whether a signature is that of a body under a key in PEM.
func (r received) verified(t *testing.T, publicKey string) bool {
	t.Helper()
	block, _ := pem.Decode([]byte(publicKey))
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	stamp, v1, _ := strings.Cut(r.signature, ",v1=")
	signature, err := base64.StdEncoding.DecodeString(v1)
	if err != nil {
		t.Fatal(r.signature, err)
	}
	digest := sha256.Sum256([]byte(strings.TrimPrefix(stamp, "t=") + "." + r.body))
	return rsa.VerifyPKCS1v15(key.(*rsa.PublicKey), crypto.SHA256, digest[:], signature) == nil
}

// privateWebhooks lets a merchant's server be on this machine.
func privateWebhooks(c *Config) { c.PrivateWebhooks = true }

type webhookAnswer struct {
	Webhook struct {
		ID, StoreID, Channel, URL, CreatedAt, UpdatedAt string
		Events                                          []string
		TestMode                                        bool
		Secret                                          *string
	}
}

func (s *shop) addWebhook(t *testing.T, url string, events ...string) (a webhookAnswer) {
	t.Helper()
	err := s.Merchant.Call("/v1/actions/store/add-webhook", map[string]any{"storeId": s.File.StoreID, "channel": "http", "url": url,
		"events": events, "testMode": true}, &a)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestWebhookOfAnOrder: a paid order reaches the endpoints that have subscribed to it, signed, with the published data.
func TestWebhookOfAnOrder(t *testing.T) {
	shop, subscribed, other := openShop(t, privateWebhooks), newListener(t), newListener(t)
	shop.addWebhook(t, subscribed.URL+"/hook", "order.completed")
	shop.addWebhook(t, other.URL, "refund.succeeded")
	token := shop.Token(t, "user-17")
	session := shop.Session(t, map[string]any{"metadata": map[string]string{"campaign": "autumn"}, "orderMerchantExternalId": "ORDER-1"})
	shop.Pay(t, shop.CreateOrder(t, token, shoptest.OrderFor(session.SessionID)).CheckoutURL(t))
	shoptest.Eventually(t, "the endpoint hears of the order", func() bool { return len(subscribed.received()) > 0 })
	got := subscribed.received()[0]
	if !got.verified(t, shop.webhookKey(t)) {
		t.Errorf("the signature %s does not verify", got.signature)
	}
	var event struct {
		ID, Timestamp, EventType, EventID, StoreID, StoreName, Mode string
		Data                                                        map[string]any
	}
	if err := json.Unmarshal([]byte(got.body), &event); err != nil {
		t.Fatal(err, got.body)
	}
	if event.EventType != "order.completed" || !strings.HasPrefix(event.EventID, "PAY_") || event.StoreID != shop.File.StoreID ||
		event.Mode != "test" || event.StoreName == "" || len(event.ID) != 36 || len(event.Timestamp) != len("2026-01-15T10:30:00.000Z") {
		t.Errorf("the event is %s", got.body)
	}
	stored, err := shop.db.Session(t.Context(), session.SessionID)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"orderId": stored.OrderID, "orderStatus": "completed", "merchantProvidedBuyerIdentity": "user-17", "orderMerchantExternalId": "ORDER-1",
		"currency": "EUR", "paymentId": event.EventID, "paymentStatus": "succeeded", "paymentMethod": "card", "taxName": "VAT"}
	for name, value := range want {
		if event.Data[name] != value {
			t.Errorf("%s is %v, want %v", name, event.Data[name], value)
		}
	}
	for name, value := range event.Data {
		if value == nil {
			t.Errorf("%s is null", name)
		}
	}
	if fmt.Sprint(event.Data["orderMetadata"]) != "map[campaign:autumn]" {
		t.Errorf("metadata %v", event.Data["orderMetadata"])
	}
	t.Log(got.body)
	if n := len(other.received()); n > 0 {
		t.Errorf("an endpoint that has not subscribed got %d", n)
	}
}

func (s *shop) webhookKey(t *testing.T) string {
	t.Helper()
	signer, err := s.server.notify.Signer(t.Context(), checkout.Test)
	if err != nil {
		t.Fatal(err)
	}
	key, err := signer.PublicKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestWebhookEndpoints: the answers of the three paths, as the SDK reads them, and their refusals.
func TestWebhookEndpoints(t *testing.T) {
	shop := openShop(t, privateWebhooks)
	const add, update, remove = "/v1/actions/store/add-webhook", "/v1/actions/store/update-webhook", "/v1/actions/store/remove-webhook"
	call := func(path, body string) (int, string) {
		t.Helper()
		headers, err := shop.Merchant.Sign(path, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		got := shop.Post(t, path, body, headers)
		return got.Status, got.Body
	}
	good := `{"storeId":"` + shop.File.StoreID + `","channel":"http","url":"https://shop.example.com/hook","events":["order.completed"],"testMode":true,"other":1}`
	status, body := call(add, good)
	var added struct{ Data webhookAnswer }
	if err := json.Unmarshal([]byte(body), &added); err != nil || status != 200 {
		t.Fatal(status, body)
	}
	e := added.Data.Webhook
	if e.StoreID != shop.File.StoreID || e.Channel != "http" || !e.TestMode || e.Secret != nil || len(e.ID) != 36 || e.CreatedAt != e.UpdatedAt ||
		!strings.Contains(body, `"secret":null`) {
		t.Errorf("added %s", body)
	}
	for _, c := range []struct{ path, body, want string }{
		{update, `{"id":"` + e.ID + `","secret":"s","url":null,"events":null}`, `"url":"https://shop.example.com/hook","events":["order.completed"],"testMode":true,"secret":"s"`},
		{update, `{"id":"` + e.ID + `","secret":null,"channel":"slack","testMode":false}`, `"channel":"http"`},
		{update, `{"id":"` + e.ID + `"}`, `"secret":null`},
	} {
		if status, body := call(c.path, c.body); status != 200 || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", c.body, status, body)
		}
	}
	with := func(from, to string) string { return strings.Replace(good, from, to, 1) }
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{add, `{}`, 400, `"message":"Missing required field: channel","layer":"store","code":"channel-required","path":"/channel"`},
		{add, with(`"http"`, `"slack"`), 501, `"message":"Not implemented: only webhooks of the channel http are","layer":"store"`},
		{add, with(`"http"`, `"fax"`), 400, `"message":"Invalid channel: expected one of [http, feishu, discord, telegram, slack]"`},
		{add, with(`"http"`, `1`), 400, `"message":"Invalid JSON body","layer":"gateway","code":"invalid-json","path":"/channel"`},
		{add, with(`true`, `"true"`), 400, `"path":"/testMode"`},
		{add, with(`["order.completed"]`, `"order.completed"`), 400, `"path":"/events"`},
		{add, with(`["order.completed"]`, `[1]`), 400, `"path":"/events"`},
		{add, with(`["order.completed"]`, `["x"]`), 400, `"code":"events-invalid","path":"/events"`},
		{add, with(`true`, `false`), 400, `"message":"Environment mismatch between testMode and API key"`},
		{add, with(shop.File.StoreID, "STO_2aUyqjCzEIiEcYMKj7TZtw"), 404, `"message":"Store not found"`},
		{add, with("https:", "ftp:"), 400, `"code":"url-invalid","path":"/url"`},
		{update, `{"id":"11111111-2222-4333-8444-555555555555"}`, 404, `"message":"Webhook not found","layer":"store"`},
		{update, `{"id":1}`, 400, `"path":"/id"`},
		{remove, `{}`, 400, `"message":"Missing required field: id"`},
		{remove, `{"id":"` + e.ID + `"}`, 200, e.ID},
		{remove, `{"id":"` + e.ID + `"}`, 404, `"message":"Webhook not found"`},
	} {
		if status, body := call(c.path, c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, body)
		}
	}
	if got := shop.Post(t, add, good, shoptest.Bearer(shop.Token(t, "user-1"))); got.Status != 401 {
		t.Errorf("with a buyer's token: %s", got)
	}
}

// TestPublicWebhooksOnly: without the operator's setting neither this machine nor a private network is an endpoint.
func TestPublicWebhooksOnly(t *testing.T) {
	shop := openShop(t)
	for _, url := range []string{"http://shop.example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/"} {
		err := shop.Merchant.Call("/v1/actions/store/add-webhook", map[string]any{"storeId": shop.File.StoreID, "channel": "http", "url": url,
			"events": []string{"order.completed"}, "testMode": true}, new(webhookAnswer))
		if err == nil || !strings.Contains(err.Error(), "Invalid url: expected the https URL of a public host") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
