// Package shoptest drives the demo shop of a running server over HTTP, in tests. [Shop] calls the API as the merchant's server,
// as a buyer's page and as the provider's page do.
package shoptest

import (
	"bytes"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shortid"
)

var (
	// Update is -update: golden files are written instead of compared.
	Update = flag.Bool("update", false, "write the golden files and the rows of the fault table")
	// HoldTimes is -times: tests compare what they measure with their limits.
	HoldTimes = flag.Bool("times", false, "hold the tests to their times, which a busy machine misses")
)

// CreateOrderPath is the path of create-order.
const CreateOrderPath = "/v1/actions/onetime-order/create-order"

// Shop is the demo shop of a running server.
type Shop struct {
	URL      string       // of the server
	File     *demo.File   // nil where the test signs no request
	Merchant *demo.Client // of the test environment
}

// New returns the shop of the server at a URL.
func New(t testing.TB, url string, file *demo.File) *Shop {
	t.Helper()
	merchant, err := demo.NewClient(url, file.MerchantID, file.PrivateKey[checkout.Test])
	if err != nil {
		t.Fatal(err)
	}
	return &Shop{url, file, merchant}
}

// Session creates a checkout session of the first product. more adds members to the request.
func (s *Shop) Session(t testing.TB, more map[string]any) demo.Session {
	t.Helper()
	request := map[string]any{"productId": s.File.Products[0].ID, "currency": "EUR"}
	for k, v := range more {
		request[k] = v
	}
	var session demo.Session
	if err := s.Merchant.Call("/v1/actions/checkout/create-session", request, &session); err != nil {
		t.Fatal(err)
	}
	return session
}

// SubscriptionSession creates a session of the demo store's subscription.
func (s *Shop) SubscriptionSession(t testing.TB) string {
	t.Helper()
	return s.Session(t, map[string]any{"productId": s.File.Products[1].ID}).SessionID
}

// ProdSession creates a session of the prod environment.
func (s *Shop) ProdSession(t testing.TB) string {
	t.Helper()
	return s.SessionOf(t, s.File.MerchantID, s.File.PrivateKey[checkout.Prod], s.File.Products[0].ID)
}

// SessionOf creates a session of any merchant's product.
func (s *Shop) SessionOf(t testing.TB, merchantID, key, productID string) string {
	t.Helper()
	merchant, err := demo.NewClient(s.URL, merchantID, key)
	if err != nil {
		t.Fatal(err)
	}
	session, err := merchant.CreateSession(productID, "")
	if err != nil {
		t.Fatal(err)
	}
	return session.SessionID
}

// Token issues a session token for a buyer.
func (s *Shop) Token(t testing.TB, identity string) string {
	t.Helper()
	var issued struct{ Token string }
	err := s.Merchant.Call("/v1/actions/auth/issue-session-token", map[string]string{"storeId": s.File.StoreID, "buyerIdentity": identity}, &issued)
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token
}

// ShopperToken issues a token for a session to anyone who has its link.
func (s *Shop) ShopperToken(t testing.TB, session string) string {
	t.Helper()
	got := s.Post(t, "/v1/actions/auth/issue-shopper-token", `{"checkoutSessionId":"`+session+`"}`, s.Visitor())
	var issued struct{ Data struct{ Token string } }
	if err := json.Unmarshal([]byte(got.Body), &issued); err != nil || issued.Data.Token == "" {
		t.Fatal(got)
	}
	return issued.Data.Token
}

// Visitor is the header of a page's request without a token.
func (s *Shop) Visitor() map[string]string {
	return map[string]string{"X-Store-Slug": s.File.StoreSlug, "X-Environment": "test"}
}

// CreateOrder calls create-order in the test environment.
func (s *Shop) CreateOrder(t testing.TB, token string, request map[string]any) Reply {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	return s.Post(t, CreateOrderPath, string(body), Bearer(token))
}

// Pay presses the button of the sandbox's page.
func (s *Shop) Pay(t testing.TB, url string) {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.PostForm(url, map[string][]string{"outcome": {"succeeds"}})
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSeeOther {
		t.Fatalf("paying answers %s", response.Status)
	}
}

// total is the button of a checkout page that shows a total.
var total = regexp.MustCompile(`<button name="confirm" value="([^"]+)">`)

// SubmitForm sends the form of a checkout page as a browser without JavaScript does, and confirms the total that the answer shows.
// It does not follow the redirect to the payment page.
func (s *Shop) SubmitForm(t testing.TB, page string, form url.Values, header map[string]string) Reply {
	t.Helper()
	send := func() Reply {
		request, err := http.NewRequest("POST", page, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for name, value := range header {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		return Read(t, response)
	}
	review := send()
	shown := total.FindStringSubmatch(review.Body)
	if review.Status != http.StatusOK || shown == nil {
		t.Fatalf("the form shows no total to confirm: %s", review)
	}
	form.Set("confirm", shown[1])
	return send()
}

// Post sends a body, unchanged, to a path of the API.
func (s *Shop) Post(t testing.TB, path, body string, header map[string]string) Reply {
	t.Helper()
	request, err := http.NewRequest("POST", s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	return s.Do(t, request)
}

// Get reads a path.
func (s *Shop) Get(t testing.TB, path string) Reply {
	t.Helper()
	request, err := http.NewRequest("GET", s.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.Do(t, request)
}

// Do sends a request.
func (s *Shop) Do(t testing.TB, request *http.Request) Reply {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return Read(t, response)
}

// Read reads a response and closes it.
func Read(t testing.TB, response *http.Response) Reply {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Reply{response.StatusCode, response.Header, string(body)}
}

// Reply is a response of the server.
type Reply struct {
	Status int
	Header http.Header
	Body   string
}

// CheckoutURL is the URL of a successful create-order.
func (r Reply) CheckoutURL(t testing.TB) string {
	t.Helper()
	var answer struct{ Data struct{ CheckoutURL string } }
	if err := json.Unmarshal([]byte(r.Body), &answer); err != nil || r.Status != 200 || answer.Data.CheckoutURL == "" {
		t.Fatalf("no checkout URL: %d %s", r.Status, r.Body)
	}
	return answer.Data.CheckoutURL
}

func (r Reply) String() string { return fmt.Sprintf("HTTP %d\n%s\n", r.Status, r.Body) }

// Bearer is the header of a request with a token of the test environment.
func Bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token, "X-Environment": "test"}
}

// OrderFor is a request of create-order.
func OrderFor(session string) map[string]any { return OrderTo(session, "DE") }

// OrderTo is a request of create-order by a consumer in a country.
func OrderTo(session, country string) map[string]any {
	return map[string]any{"checkoutSessionId": session, "buyerEmail": "ada@example.com",
		"billingDetail": map[string]any{"country": country, "isBusiness": false}}
}

// OrderBody is OrderFor as JSON.
func OrderBody(session string) string { return OrderBodyTo(session, "DE") }

// OrderBodyTo is OrderTo as JSON.
func OrderBodyTo(session, country string) string {
	return `{"checkoutSessionId":"` + session + `","buyerEmail":"ada@example.com","billingDetail":{"country":"` + country + `","isBusiness":false}}`
}

// CopySessions stores n copies of a session that nobody has ordered from, without the HTTP and the signature of create-session,
// and returns their ids.
func CopySessions(t testing.TB, store sessions.Store, first *sessions.Session, n int) []string {
	t.Helper()
	ids := make([]string, n)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			session := *first
			session.Version, session.ID = 0, shortid.FormatSession(shortid.NewV4(rand.Reader))
			if ids[i] = session.ID; store.WriteSession(t.Context(), &session) != nil {
				t.Error("a session was not stored")
			}
		})
	}
	all.Wait()
	return ids
}

// Eventually waits until a condition holds that another goroutine or process brings about.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within ten minutes: %s", what)
}

// Golden compares text with a file of testdata.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *Update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if got != string(want) {
		t.Errorf("differs from %s:\n%s", file, got)
	}
}

// Buffer is a log that several goroutines write.
type Buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements [io.Writer].
func (l *Buffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *Buffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
