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
		"currency": "EUR", "paymentId": event.EventID, "paymentStatus": "succeeded", "taxName": "VAT"}
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
