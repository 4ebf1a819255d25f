package oracle

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	stripego "github.com/stripe/stripe-go/v85"
	"github.com/stripe/stripe-go/v85/webhook"
	"github.com/stripe/stripe-mock/embedded"
	"github.com/stripe/stripe-mock/server"
	"github.com/stripe/stripe-mock/spec"
	"pgregory.net/rapid"

	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/psp/stripe"
)

// description is Stripe's OpenAPI description with stripe-mock's validators.
type description struct {
	spec     *spec.Spec
	fixtures *spec.Fixtures
	stub     *server.StubServer
}

// load takes seconds, so it is done once, and only for the tests that need it.
var load = sync.OnceValues(func() (d description, err error) {
	if d.spec, err = server.LoadSpec(embedded.OpenAPISpec, ""); err != nil {
		return d, err
	}
	if d.fixtures, err = server.LoadFixtures(embedded.OpenAPIFixtures, ""); err != nil {
		return d, err
	}
	silently(func() { d.stub, err = server.NewStubServer(d.fixtures, d.spec, strictVersion, false) })
	return d, err
})

// strictVersion makes stripe-mock refuse requests for another version of the API than the description's.
const strictVersion = true

// silently does what prints to the standard output, which is the testing package's: stripe-mock prints whatever it is sent.
func silently(do func()) {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	os.Stdout = nowhere
	do()
}

var nowhere, _ = os.OpenFile(os.DevNull, os.O_WRONLY, 0)

// mock is stripe-mock on a loopback port of its own, and the adapter that speaks to it. Its tests are not parallel.
type mock struct {
	description
	url     string
	gateway *stripe.Provider
	target  string // of the last request
	answer  string
}

func newMock(t testing.TB) *mock {
	t.Helper()
	loaded, err := load()
	if err != nil {
		t.Fatal(err)
	}
	m := &mock{description: loaded}
	front := httptest.NewServer(m)
	t.Cleanup(front.Close)
	m.url, m.gateway = front.URL, stripe.New(stripe.Config{Key: apiKey, BaseURL: front.URL})
	return m
}

// ServeHTTP answers one request. Nothing of the answer goes out before stripe-mock has printed, so that no test runs on
// meanwhile.
func (m *mock) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	recorder := httptest.NewRecorder()
	silently(func() { m.stub.HandleRequest(recorder, r) })
	m.target, m.answer = r.RequestURI, recorder.Body.String()
	maps.Copy(w.Header(), recorder.Header())
	w.WriteHeader(recorder.Code)
	w.Write(recorder.Body.Bytes())
}

func soon() time.Time { return time.Now().Add(5 * time.Minute) }

func TestParameters(t *testing.T) { rapid.Check(t, newMock(t).checkParameters) }

func FuzzParameters(f *testing.F) {
	seed(f)
	f.Fuzz(rapid.MakeFuzz(newMock(f).checkParameters))
}

var languageTag = rapid.StringMatching(`[a-z]{2,3}([-_][A-Za-z]{2,4}){0,2}`)

// checkParameters: whatever the adapter renders, for whatever language, fits the description. stripe-mock refuses an
// unknown name at the top level only, so all names are looked up besides.
func (m *mock) checkParameters(t *rapid.T) {
	p := order.Draw(t, "order")
	p.Language = rapid.OneOf(rapid.Just(p.Language), languageTag, text).Draw(t, "any language")
	wire, err := m.gateway.Render(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range pairs(string(wire.Body)) {
		if key, _, _ := strings.Cut(pair, "="); m.parameter(key) == nil {
			t.Errorf("the description has no parameter %s", key)
		}
	}
	remote, callErr := m.gateway.Create(soon(), wire, "key")
	if callErr != nil {
		t.Fatalf("%v: %s\n%s", callErr, m.answer, wire.Body)
	}
	if remote.Status != psp.CheckoutOpen || !strings.HasPrefix(remote.Ref, "cs_test_") || remote.URL == "" || remote.Live {
		t.Fatalf("%s was read as %+v", m.answer, remote)
	}
}

// parameter finds a parameter of a new session in the description, by its key in a form; nil when it is not there.
func (m *mock) parameter(key string) *spec.Schema {
	operation := m.spec.Paths["/v1/checkout/sessions"]["post"]
	schema := operation.RequestBody.Content["application/x-www-form-urlencoded"].Schema
	for name := range strings.SplitSeq(strings.ReplaceAll(key, "]", ""), "[") {
		if schema = member(schema, name); schema == nil {
			return nil
		}
	}
	return schema
}

// member is what the schema says of an object's property or an array's element, in any of its alternatives.
func member(s *spec.Schema, name string) *spec.Schema {
	if s.Items != nil {
		return s.Items
	}
	if property := s.Properties[name]; property != nil {
		return property
	}
	for _, alternative := range s.AnyOf {
		if found := member(alternative, name); found != nil {
			return found
		}
	}
	return s.AdditionalProperties // of metadata
}

// The calls about one session have fixed shapes.
func TestCalls(t *testing.T) {
	m := newMock(t)
	for name, call := range map[string]func(time.Time, string) (psp.Checkout, *psp.CallError){
		"retrieve": m.gateway.Retrieve, "expire": m.gateway.Expire,
	} {
		remote, callErr := call(soon(), "cs_test_1")
		if callErr != nil || !strings.HasPrefix(remote.Ref, "cs_test_") {
			t.Errorf("%s: %+v, %v: %s", name, remote, callErr, m.answer)
		}
	}
}

// The lists fit the description and are what stripe-go asks for, except that it numbers the elements of an array.
func TestLists(t *testing.T) {
	m := newMock(t)
	created := psp.Span{Since: time.Unix(1_795_000_000, 0), Until: time.Unix(1_795_086_400, 0)}
	page := func(after string) stripego.ListParams {
		return stripego.ListParams{Limit: stripego.Int64(50), StartingAfter: given(after), Single: true}
	}
	for _, after := range []string{"", "cs_1&limit=1"} {
		sessions, callErr := m.gateway.ListCheckouts(soon(), created, after)
		if callErr != nil || len(sessions.Items) != 1 || sessions.Items[0].Ref == "" {
			t.Errorf("sessions after %q: %+v, %v: %s", after, sessions, callErr, m.answer)
		}
		var sent request
		stripeGo(&sent).V1CheckoutSessions.List(t.Context(), &stripego.CheckoutSessionListParams{
			ListParams: page(after), CreatedRange: &stripego.RangeQueryParams{
				GreaterThanOrEqual: created.Since.Unix(), LesserThanOrEqual: created.Until.Unix()},
		})
		m.sameQuery(t, &sent)

		events, callErr := m.gateway.UndeliveredEvents(soon(), after)
		if callErr != nil || len(events.Items) != 1 || events.Items[0].ID == "" {
			t.Errorf("events after %q: %+v, %v: %s", after, events, callErr, m.answer)
		}
		var types []*string
		for kind := range kinds {
			types = append(types, stripego.String(string(kind)))
		}
		stripeGo(&sent).V1Events.List(t.Context(), &stripego.EventListParams{
			ListParams: page(after), DeliverySuccess: stripego.Bool(false), Types: types,
		})
		m.sameQuery(t, &sent)
	}
	for _, query := range []string{"client_reference_id=ORD_1", "limit=many"} {
		m.lists(t, "/v1/checkout/sessions?"+query, http.StatusBadRequest)
	}
	m.lists(t, "/v1/checkout/sessions?limit=1", http.StatusOK)
}

var index = regexp.MustCompile(`\[\d+\]=`)

func (m *mock) sameQuery(t *testing.T, theirs *request) {
	t.Helper()
	path, query, _ := strings.Cut(m.target, "?")
	ours, want := pairs(query), pairs(index.ReplaceAllString(theirs.query, "[]="))
	if path != theirs.path || !slices.Equal(ours, want) {
		t.Errorf("ours asks %s for %q, stripe-go %s for %q", path, ours, theirs.path, want)
	}
}

// lists asks what the adapter never would.
func (m *mock) lists(t *testing.T, target string, status int) {
	t.Helper()
	request := httptest.NewRequest("GET", target, nil)
	request.Header.Set("Authorization", "Bearer "+apiKey)
	recorder := httptest.NewRecorder()
	if m.ServeHTTP(recorder, request); recorder.Code != status {
		t.Errorf("%s: %d %s", target, recorder.Code, m.answer)
	}
}

// Every parameter is missed if its name has one letter more, so each of them has been looked at. Below metadata every name
// is allowed.
func TestMisspelled(t *testing.T) {
	m := newMock(t)
	wire := render(t, plain())
	body, count := string(wire.Body), 0
	for pair := range strings.SplitSeq(body, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if strings.Contains(key, "metadata") {
			continue
		}
		count++
		end := len(strings.TrimSuffix(key, "]"))
		wrong := key[:end] + "x" + key[end:]
		if m.parameter(wrong) != nil {
			t.Errorf("the description has a parameter %s", wrong)
		}
		if end == len(key) {
			m.refuses(t, psp.RenderedRequest{Path: wire.Path, Body: []byte(strings.Replace(body, pair, wrong+"="+value, 1))})
		}
	}
	if count < 15 {
		t.Errorf("only %d parameters in %s", count, body)
	}
}

// The validator refuses values of the wrong kind, and what it needs and does not get.
func TestWrongValues(t *testing.T) {
	m := newMock(t)
	wire := render(t, plain())
	for key, values := range map[string][]string{
		"mode":                                   {"gift", ""},
		"locale":                                 {"xx", "en-US", "zh-Hant-TW"},
		"adaptive_pricing[enabled]":              {"perhaps"},
		"expires_at":                             {"tomorrow", "1.5"},
		"line_items[0][quantity]":                {"one"},
		"line_items[0][price_data][unit_amount]": {"29.99", "abc"},
		"ui_mode":                                {"hosted"},
	} {
		for _, value := range values {
			form, err := url.ParseQuery(string(wire.Body))
			if err != nil {
				t.Fatal(err)
			}
			form.Set(key, value)
			m.refuses(t, psp.RenderedRequest{Path: wire.Path, Body: []byte(form.Encode())})
		}
	}
	for _, key := range []string{"line_items[0][price_data][currency]", "line_items[0][price_data][product_data][name]"} {
		form, _ := url.ParseQuery(string(wire.Body))
		form.Del(key)
		m.refuses(t, psp.RenderedRequest{Path: wire.Path, Body: []byte(form.Encode())})
	}
}

func (m *mock) refuses(t *testing.T, wire psp.RenderedRequest) {
	t.Helper()
	remote, callErr := m.gateway.Create(soon(), wire, "key")
	if callErr == nil || callErr.Status != 400 || callErr.Class != psp.Definitive || callErr.Code != "invalid_request_error" {
		t.Errorf("got %+v, %v for %s", remote, callErr, wire.Body)
	}
}

// Another key or another version of the API is refused, so that the version is the description's.
func TestWrongAccess(t *testing.T) {
	m := newMock(t)
	wire := render(t, plain())
	for status, config := range map[int]stripe.Config{
		401: {Key: "pk_oracle", BaseURL: m.url},
		400: {Key: apiKey, BaseURL: m.url, Version: stripego.APIVersion},
	} {
		if remote, callErr := stripe.New(config).Create(soon(), wire, "key"); callErr == nil || callErr.Status != status {
			t.Errorf("%d: got %+v, %v", status, remote, callErr)
		}
	}
}

// stripe-mock does not count characters, so the adapter's limits are held to the description here.
func TestLengths(t *testing.T) {
	m := newMock(t)
	for key, c := range map[string]struct {
		letter string
		set    func(p *psp.CheckoutParams, value string)
	}{
		"client_reference_id": {"x", func(p *psp.CheckoutParams, v string) { p.OrderID = v }},
		"line_items[0][price_data][product_data][name]": {"日",
			func(p *psp.CheckoutParams, v string) { p.Order.Product.Name = v }},
		"line_items[0][price_data][product_data][description]": {"日",
			func(p *psp.CheckoutParams, v string) { p.Order.Product.Description = v }},
	} {
		longest := m.parameter(key).MaxLength
		if longest == 0 {
			t.Fatalf("the description has no limit for %s", key)
		}
		p := plain()
		c.set(&p, strings.Repeat(c.letter, longest))
		if _, err := adapter.Render(p); err != nil {
			t.Errorf("%s of %d characters: %v", key, longest, err)
		}
		c.set(&p, strings.Repeat(c.letter, longest+1))
		wire, err := adapter.Render(p)
		if err != nil {
			continue // refused; a text for people is cut
		}
		form, err := url.ParseQuery(string(wire.Body))
		if length := utf8.RuneCountInString(form.Get(key)); err != nil || length != longest {
			t.Errorf("%s of %d characters is rendered with %d (%v)", key, longest+1, length, err)
		}
	}
}

// Every language of Stripe's page can be asked for by its own name.
func TestLocales(t *testing.T) {
	names := newMock(t).parameter("locale").Enum
	if len(names) < 40 {
		t.Fatalf("the description has %d locales", len(names))
	}
	for _, name := range names {
		p := plain()
		p.Language = name.(string)
		if !slices.Contains(pairs(string(render(t, p).Body)), "locale="+p.Language) {
			t.Errorf("%s is asked for otherwise", name)
		}
	}
}

// A session of the description, in each of its states, is read as stripe-go reads it.
func TestStates(t *testing.T) {
	m := newMock(t)
	properties := m.spec.Components.Schemas["checkout.session"].Properties
	session := maps.Clone(m.fixtures.Resources["checkout.session"].(map[string]any))
	session["metadata"] = map[string]string{"order_id": "ORD_1", "attempt": "1"}
	states, payments := properties["status"].Enum, properties["payment_status"].Enum
	if len(states) < 3 || len(payments) < 3 {
		t.Fatalf("the description has the states %v and %v", states, payments)
	}
	for _, session["status"] = range states {
		for _, session["payment_status"] = range payments {
			body, err := json.Marshal(map[string]any{
				"id": "evt_1", "object": "event", "api_version": m.spec.Info.Version, "created": time.Now().Unix(),
				"type": stripego.EventTypeCheckoutSessionCompleted, "data": map[string]any{"object": session},
			})
			if err != nil {
				t.Fatal(err)
			}
			signed := webhook.GenerateTestSignedPayload(&webhook.UnsignedPayload{Payload: body, Secret: secret})
			if e := readAlike(t, signed.Header, body); e.Checkout.Status == psp.CheckoutUnknown || e.Checkout.Ref != session["id"] {
				t.Errorf("%s was read as %+v", body, e)
			}
		}
	}
}
