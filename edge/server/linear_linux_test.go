package server

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sys/unix"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/email"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/core/vatid"
	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/geoip"
	"github.com/crepe-checkout/crepe/edge/http1"
	"github.com/crepe-checkout/crepe/edge/locale"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/crepe-checkout/crepe/edge/shortid"
	ops "github.com/crepe-checkout/crepe/wasm/ops"
)

// linear fails if read takes more than 24 times as much CPU for the largest body that the server accepts as for an eighth of it; a
// quadratic parser takes 64 times as much. The least of many runs counts, because of noise. Less than a millisecond passes.
func linear(t *testing.T, name string, text func(n int) string, read func(string)) {
	t.Helper()
	const n = maxBody / 8
	small, large := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	runtime.LockOSThread() // CPU is counted by thread
	defer runtime.UnlockOSThread()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // reused memory would be quicker
	for range 12 {
		small, large = min(small, least(t, read, text(n))), min(large, least(t, read, text(8*n)))
		if large < time.Millisecond || large <= 24*small {
			t.Logf("%s: %.1f times as much, %v", name, float64(large)/float64(small), large)
			return
		}
		runtime.GC()
	}
	t.Errorf("%s: %v of CPU for %d bytes and %v for 8 times as many", name, small, n, large)
}

func least(t *testing.T, read func(string), text string) time.Duration {
	t.Helper()
	least := time.Duration(math.MaxInt64)
	for begin, runs := time.Now(), 0; runs == 0 || runs < 20 && time.Since(begin) < 5*time.Millisecond; runs++ {
		before := threadCPU(t)
		read(text)
		least = min(least, threadCPU(t)-before)
	}
	return least
}

// threadCPU is the CPU that the thread has used.
func threadCPU(t *testing.T) time.Duration {
	t.Helper()
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Nano())
}

// repeated returns texts of n bytes: begin, then unit repeated.
func repeated(begin, unit string) func(n int) string {
	return func(n int) string { return begin + strings.Repeat(unit, (n-len(begin))/len(unit)) }
}

// numbered returns texts of about n bytes: begin, then units with a number in each.
func numbered(begin, unit string) func(n int) string {
	return func(n int) string {
		b := []byte(begin)
		for i := 0; len(b) < n; i++ {
			b = fmt.Appendf(b, unit, i)
		}
		return string(b)
	}
}

// TestLinearText: the parsers of the core and of the edge take linear time.
func TestLinearText(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	gateway := stripe.New(stripe.Config{Key: "sk_test_x", WebhookSecret: "whsec_x"})
	proxies := geoip.Locator{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	us, gb := country.Code("US"), country.Code("GB")
	business := true
	readers := map[string]func(string){
		"email.Normalize":           func(s string) { email.Normalize(s) },
		"email.Valid":               func(s string) { email.Valid(s); email.Valid("a@" + s) },
		"email.Suggest":             func(s string) { email.Suggest(s); email.Suggest("a@" + s) },
		"country.Parse":             func(s string) { _, _ = country.Parse(s) },
		"country.ParseSubdivision":  func(s string) { _, _ = us.ParseSubdivision(s) },
		"country.ValidPostcode":     func(s string) { us.ValidPostcode(s); gb.ValidPostcode(s) },
		"country.StateOf":           func(s string) { us.StateOf(s) },
		"vatid.Parse":               func(s string) { vatid.Parse("DE", s); vatid.Parse("CH", "CHE"+s) },
		"money.ParseAmount":         func(s string) { money.ParseAmount(s, "EUR"); money.ParseAmount("0."+s, "EUR") },
		"money.ParseRate":           func(s string) { money.ParseRate(s) },
		"civil.ParseDate":           func(s string) { civil.ParseDate(s) },
		"tax.ParseCategory":         func(s string) { tax.ParseCategory(s) },
		"table.Parse":               func(s string) { table.Parse(s) },
		"table.Parse, below":        func(s string) { table.Parse("id\tjurisdiction\ttax\trate\n" + s) },
		"table.FromText":            func(s string) { table.FromText(table.DataVersion + "+\n" + s) },
		"checkout.ValidReturnURL":   func(s string) { checkout.ValidReturnURL("https://"+s, checkout.Test) },
		"checkout.ParseEnvironment": func(s string) { _, _ = checkout.ParseEnvironment(s) },
		"orders.ReturnAllowed":      func(s string) { sessions.ReturnAllowed("https://"+s, checkout.Prod, nil) },
		"orders.ReturnURL":          func(s string) { sessions.ReturnURL(&checkout.Order{SuccessURL: "https://" + s, SessionID: "cs_1"}) },
		"orders.ReturnHost":         func(s string) { sessions.ReturnHost("https://" + s) },
		"catalog.ValidOrigin":       func(s string) { catalog.ValidOrigin("https://" + s) },
		"catalog.ParsePublicKey":    func(s string) { catalog.ParsePublicKey(s) },
		"shortid":                   func(s string) { shortid.Parse(shortid.Store, s); shortid.ParseUUID(s) },
		"geoip.Client":              func(s string) { proxies.Client(net.IP{10, 0, 0, 1}, [][]byte{[]byte(s)}) },
		"geoip.Client, each a header": func(s string) {
			proxies.Client(net.IP{10, 0, 0, 1}, bytes.SplitAfter([]byte(s), []byte(",")))
		},
		"geoip.ParseProxies": func(s string) { geoip.ParseProxies(s) },
		"locale.Find":        func(s string) { locale.Find(s) },
		"stripe.Event":       func(s string) { gateway.Webhook(func(string) string { return "t=1800000000," + s }, nil, at) },
		"http1": func(s string) {
			conn, err := http1.Listen(&oneConn{text: s}).Accept()
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, conn)
		},
		"billing.Check": func(s string) {
			for _, c := range []string{"US", "DE", "JP", s} {
				billing.Check(billing.Input{Country: c, IsBusiness: &business, Postcode: s, State: s, BusinessName: s, TaxID: s})
			}
		},
		"sessions.Open": func(s string) {
			store := &catalog.Store{ID: "STO_2aUyqjCzEIiEcYMKj7TZtw", MerchantID: "MER_2aUyqjCzEIiEcYMKj7TZtw"}
			product := &catalog.Product{ID: "PROD_2aUyqjCzEIiEcYMKj7TZtw", StoreID: store.ID, Type: checkout.OneTime,
				Test: catalog.Listing{Version: &catalog.Version{Name: "Kit"}}}
			for _, r := range []sessions.Request{
				{Language: s, BuyerEmail: s, SuccessURL: "https://" + s}, {ExternalID: s}, {Metadata: map[string]string{s: s}},
				{SuccessURL: "https://shop.example/" + s}, {PriceSnapshot: &sessions.Snapshot{Amount: s}},
				{PriceSnapshot: &sessions.Snapshot{Amount: "1." + s}}, {Billing: &billing.Input{Country: s}}, {Currency: s}, {ProductID: s},
			} {
				r.ProductID, r.Currency = cmp.Or(r.ProductID, product.ID), cmp.Or(r.Currency, "EUR")
				sessions.Open(&sessions.Opening{Seller: sessions.Seller{Environment: checkout.Test, MerchantID: store.MerchantID}, Product: product, Store: store,
					Amounts: gateway.Amounts}, &r)
			}
		},
	}
	for name, read := range readers {
		for _, unit := range []string{"a", "A", "0", "9", " ", "\t", "\n", "-", ".", ",", "/", "%", ":", "=", ";", "\xff", "a-", "a.", "a,", "0,",
			"A=", "Σ", "Σ.", "aΣ.", "İ", "\u00a0", "\u3000", "\uff0d", "\U000e0041", "\U0010ffff", "%zz", "v1=00,", "t=1,", "10.0.0.1,",
			"10.0.0.0/8,", "::1,", "{CHECKOUT_SESSION_ID}", "-----BEGIN A-----\n", "GET / HTTP/1.1\r\n\r\n", "\r\n", "id\t"} {
			linear(t, fmt.Sprintf("%s %q", name, unit), repeated("", unit), read)
		}
	}
	const columns = "id\tjurisdiction\ttax\trate\tfrom\tto\tpostcode\tcategories\n"
	for name, text := range map[string]func(n int) string{
		"dates": func(n int) string {
			b := []byte(columns)
			for day := civil.Date(11_000); len(b) < n; day++ {
				b = fmt.Appendf(b, "i%d\tUS-NY\tsales\t1\t%s\t%s\t\t*\n", day, day, day+1)
			}
			return string(b)
		},
		"postcodes":        numbered(columns, "i%[1]d\tUS-NY\tsales\t1\t-\t-\t%05[1]d\t*\n"),
		"nested postcodes": numbered(columns, "i%[1]d\tUS-NY\tsales\t1\t-\t-\t%[1]d\t*\n"),
		"the same row":     numbered(columns, "i%[1]d\tUS-NY\tsales\t1\t-\t-\t\t*\n"),
		"the same id":      numbered(columns, "i\tUS-NY\tsales\t1\t-\t-\t%[1]d\t*\n"),
		"categories":       repeated(columns+"i\tUS-NY\tsales\t1\t-\t-\t\t", "saas,"),
		"columns": func(n int) string {
			return strings.Repeat("\t", n/2) + strings.Repeat("to\t", n/6)
		},
	} {
		linear(t, "table.Parse of "+name, text, readers["table.Parse"])
	}
	for name, text := range map[string]func(n int) string{
		"fields": repeated("GET / HTTP/1.1\r\n", "a:b\r\n"),
		"chunks": repeated("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"),
		"body":   repeated("POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", "a"),
	} {
		linear(t, "http1 "+name, text, readers["http1"])
	}
	signature := func(s string) {
		gateway.Webhook(func(string) string { return stripeSignature("whsec_x", at, s) }, []byte(s), at)
	}
	for name, text := range jsonTexts {
		linear(t, "stripe.Event of "+name, text, signature)
		linear(t, "ops.Valid of "+name, text, func(s string) { ops.Valid([]byte(s)) })
	}
}

// jsonTexts are objects of about n bytes.
var jsonTexts = map[string]func(n int) string{
	"members":        object(numbered("", `,"m%d":0`)),
	"escaped names":  object(numbered("", `,"\u006d%d":0`)),
	"one long name":  object(func(n int) string { return `,"` + strings.Repeat(`\u0061`, n/6) + `":0` }),
	"one long text":  object(func(n int) string { return `,"id":"` + strings.Repeat(`\ud83e\udd5e`, n/12) + `"` }),
	"one number":     object(repeated(`,"created":1`, "0")),
	"objects within": object(func(n int) string { return `,"data":` + strings.Repeat(`{"a":`, n/6) + "0" + strings.Repeat("}", n/6) }),
	"arrays within":  object(func(n int) string { return `,"data":` + strings.Repeat("[", n/2) + strings.Repeat("]", n/2) }),
	"metadata": object(func(n int) string {
		return `,"type":"payment_intent.payment_failed","data":{"object":{"id":"pi_1","metadata":{"a":""` + numbered("", `,"m%d":"x"`)(n) + "}}}"
	}),
	"white space": object(repeated("", " ")),
}

// object returns objects of members, each with a comma before it. They are not longer than the largest body.
func object(members func(n int) string) func(n int) string {
	return func(n int) string { return `{"object":"event"` + members(n-100) + "}" }
}

// stripeSignature is a Stripe-Signature header for a body.
func stripeSignature(secret string, at time.Time, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
	return fmt.Sprintf("t=%d,v1=%x", at.Unix(), mac.Sum(nil))
}

// oneConn is a listener of one connection on which a text arrives byte by byte.
type oneConn struct {
	net.Listener
	text string
}

type bytewise struct {
	net.Conn
	io.Reader
}

func (c bytewise) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func (l *oneConn) Accept() (net.Conn, error) {
	return bytewise{Reader: iotest.OneByteReader(strings.NewReader(l.text))}, nil
}

// TestLinearRequest: the server takes linear time for a request's headers, form and JSON. The requests go to its handler, so that no
// limit of a connection refuses them.
func TestLinearRequest(t *testing.T) {
	s := openShop(t, withTools, trusting("10.0.0.0/8"))
	session := s.Session(t, nil)
	page := strings.TrimPrefix(session.CheckoutURL, s.PublicURL)
	peer := &net.TCPAddr{IP: net.IP{10, 0, 0, 1}, Port: 1}
	send := func(request string) (status int) {
		var ctx fasthttp.RequestCtx
		ctx.Init(new(fasthttp.Request), peer, nil)
		if err := ctx.Request.Read(bufio.NewReaderSize(strings.NewReader(request), len(request)+1)); err != nil {
			api.MalformedRequest(&ctx, err)
		} else {
			s.handle(&ctx)
		}
		return ctx.Response.StatusCode()
	}
	host := "Host: " + strings.TrimPrefix(s.PublicURL, "http://") + "\r\n"
	get := func(target string) func(string) {
		return func(text string) { send("GET " + target + text + " HTTP/1.1\r\n" + host + "\r\n") }
	}
	for _, unit := range []string{"/", "/.", "/..", "/a/..", "a/", "%2f", "%2e/", ".", "a."} {
		for _, target := range []string{"/", "/v1/", "/store/", "/sandbox/", "/theme/", "/rates/", "http://"} {
			linear(t, "path "+target+unit, repeated("", unit), get(target))
		}
	}
	for _, unit := range []string{"a&", "a=b&", "a-", "%41", "%"} {
		linear(t, "query "+unit, repeated("", unit), get(page+"?language="))
	}
	for _, name := range []string{"Accept-Language", "Cookie", "X-Forwarded-For", "Accept-Encoding", "Host", "Content-Type", "Origin",
		"Authorization", "X-Environment", "X-Store-Slug", "X-Merchant-Id", "X-Timestamp", "X-Signature", "X-Idempotency-Key",
		"Stripe-Signature"} {
		for _, unit := range []string{"a", "0", "-", ",", ".", "=", "a-", "a,", "a;q=0.1,", "a=b; ", "language=a-a; ", "10.0.0.1, ", "v1=00,"} {
			for _, line := range []string{"GET " + page, "POST /v1/actions/checkout/create-session", "POST " + shoptest.CreateOrderPath} {
				read := func(text string) { send(line + " HTTP/1.1\r\n" + host + name + ": " + text + "\r\n\r\n") }
				linear(t, fmt.Sprintf("%s: %q of %s", name, unit, line), repeated("", unit), read)
			}
		}
	}
	post := func(target, header string) func(string) {
		return func(body string) {
			status := send(fmt.Sprintf("POST %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s", target, host, header, len(body), body))
			if status != 200 && status != 400 {
				t.Fatalf("HTTP %d: the body of %s was not read", status, target)
			}
		}
	}
	for _, unit := range []string{"a&", "a=%20&", "country=US&", "taxId=1&", "postcode=%20", "email=@.", "businessName=+", "%"} {
		linear(t, "form "+unit, repeated("email=", unit), post(page, "Content-Type: application/x-www-form-urlencoded\r\n"))
	}
	token := "Authorization: Bearer " + s.Token(t, "linear") + "\r\nX-Environment: test\r\nX-Idempotency-Key: k\r\n"
	visitor := "X-Store-Slug: " + strings.Split(page, "/")[2] + "\r\nX-Environment: test\r\nX-Idempotency-Key: k\r\n"
	isJSON := "Content-Type: application/json\r\n"
	for name, text := range jsonTexts {
		linear(t, "create-order of "+name, text, post(shoptest.CreateOrderPath, token))
		linear(t, "create-session of "+name, text, post("/v1/actions/checkout/create-session", visitor))
		linear(t, "trigger of "+name, text, post("/sandbox/trigger", isJSON))
		linear(t, "faults of "+name, text, post("/sandbox/faults", isJSON))
	}
	for _, unit := range []string{`"timeout",`, `"",`, `"expire.502",`} {
		linear(t, "faults "+unit, func(n int) string { return `{"faults":[` + repeated("", unit)(n) + `""]}` }, post("/sandbox/faults", isJSON))
	}
}

// TestLinearSandbox: the sandbox provider takes linear time for a form, which contains text of buyers and merchants.
func TestLinearSandbox(t *testing.T) {
	s := openShop(t)
	client := &fasthttp.HostClient{Addr: "sandbox", Dial: s.sandboxes[checkout.Test].Dial}
	for name, text := range map[string]func(n int) string{
		"metadata":        numbered("mode=payment", "&metadata[a%d]=b"),
		"lines":           numbered("mode=payment", "&line_items[%d][quantity]=1"),
		"unknown":         numbered("mode=payment", "&a%d=b"),
		"brackets":        repeated("mode=payment&metadata", "["),
		"one long text":   repeated("mode=payment&metadata[sandbox]=", "%2b"),
		"one parameter":   repeated("mode=payment", "&mode=payment"),
		"a long address":  repeated("mode=payment&success_url=https://a/", "%25"),
		"a long customer": repeated("mode=payment&customer_email=a@", "a."),
	} {
		linear(t, name, text, func(body string) {
			request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
			defer fasthttp.ReleaseRequest(request)
			defer fasthttp.ReleaseResponse(response)
			request.SetRequestURI("http://sandbox/v1/checkout/sessions")
			request.Header.SetMethod("POST")
			request.Header.SetContentType("application/x-www-form-urlencoded")
			request.Header.Set("Authorization", "Bearer "+sandboxKey)
			request.SetBodyString(body)
			if err := client.Do(request, response); err != nil || response.StatusCode() != fasthttp.StatusBadRequest {
				t.Fatal(err, response)
			}
		})
	}
}
