package notify_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// code is the code of a refusal, "" for none.
func code(err error) string {
	if list := problem.Of(err); list != nil {
		return list[0].Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// TestAddEndpoint is the table of what can be wrong with an endpoint.
func TestAddEndpoint(t *testing.T) {
	w := open(t, nil)
	s := w.shop("MER_1")
	yes, no := true, false
	good := notify.NewEndpoint{StoreID: s.store, URL: "https://shop.example.com/hook", Events: []string{"refund.failed", "order.completed", "refund.failed"},
		TestMode: &yes, Secret: "8737101383"}
	for name, c := range map[string]struct {
		change func(*notify.NewEndpoint)
		want   string
	}{
		"all is well":         {func(*notify.NewEndpoint) {}, ""},
		"no store":            {func(r *notify.NewEndpoint) { r.StoreID = "" }, "store-id-required"},
		"a malformed store":   {func(r *notify.NewEndpoint) { r.StoreID = "STO_1" }, "store-id-invalid"},
		"an unknown store":    {func(r *notify.NewEndpoint) { r.StoreID = "STO_2aUyqjCzEIiEcYMKj7TZtw" }, "store-not-found"},
		"no URL":              {func(r *notify.NewEndpoint) { r.URL = "" }, "url-required"},
		"no https URL":        {func(r *notify.NewEndpoint) { r.URL = "ftp://shop.example.com" }, "url-invalid"},
		"a long URL":          {func(r *notify.NewEndpoint) { r.URL += strings.Repeat("x", 2048) }, "url-invalid"},
		"no events":           {func(r *notify.NewEndpoint) { r.Events = nil }, "events-required"},
		"an empty list":       {func(r *notify.NewEndpoint) { r.Events = []string{} }, "events-invalid"},
		"an unknown event":    {func(r *notify.NewEndpoint) { r.Events = []string{"order.completed", "order.Completed"} }, "events-invalid"},
		"the test event":      {func(r *notify.NewEndpoint) { r.Events = []string{notify.TestEvent} }, "events-invalid"},
		"no mode":             {func(r *notify.NewEndpoint) { r.TestMode = nil }, "test-mode-required"},
		"the other mode":      {func(r *notify.NewEndpoint) { r.TestMode = &no }, "test-mode-mismatch"},
		"a long secret":       {func(r *notify.NewEndpoint) { r.Secret = strings.Repeat("ä", 257) }, "secret-too-long"},
		"a secret that fits":  {func(r *notify.NewEndpoint) { r.Secret = strings.Repeat("ä", 256) }, ""},
		"subscription events": {func(r *notify.NewEndpoint) { r.Events = []string{"subscription.past_due"} }, ""},
	} {
		r := good
		c.change(&r)
		e, err := w.service.AddEndpoint(t.Context(), s.Owner, r)
		if code(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (e.StoreID != s.store || e.MerchantID != "MER_1" || e.Environment != checkout.Test || e.URL != r.URL) {
			t.Errorf("%s: %+v", name, e)
		}
		if name == "all is well" && !slices.Equal(e.Events, []string{"refund.failed", "order.completed"}) {
			t.Errorf("events %v", e.Events)
		}
	}
	all, err := w.db.Endpoints(t.Context(), checkout.Test, s.store)
	w.must(err)
	for range 20 - len(all.Items) {
		s.subscribe("https://shop.example.com/")
	}
	if _, err := w.service.AddEndpoint(t.Context(), s.Owner, good); code(err) != "too-many-webhooks" {
		t.Errorf("the 21st: %v", err)
	}
	prod := good
	prod.TestMode = &no
	if _, err := w.service.AddEndpoint(t.Context(), notify.Owner{Environment: checkout.Prod, MerchantID: "MER_1"}, prod); err != nil {
		t.Errorf("the first of prod: %v", err)
	}
	_, err = w.service.RemoveEndpoint(t.Context(), s.Owner, all.Items[0].ID)
	w.must(err)
	s.subscribe("https://shop.example.com/")
}

// TestUpdateEndpoint: what is given changes, what is not stays, and what is wrong changes nothing.
func TestUpdateEndpoint(t *testing.T) {
	w := open(t, nil)
	s := w.shop("MER_1")
	e := s.subscribe("https://shop.example.com/")
	for _, c := range []struct {
		update notify.EndpointUpdate
		want   string
	}{
		{notify.EndpointUpdate{}, "id-required"}, {notify.EndpointUpdate{ID: "x"}, "webhook-id-invalid"},
		{notify.EndpointUpdate{ID: "11111111-2222-4333-8444-555555555555"}, "webhook-not-found"},
		{notify.EndpointUpdate{ID: e.ID, URL: "ftp://x.example"}, "url-invalid"}, {notify.EndpointUpdate{ID: e.ID, Events: []string{}}, "events-invalid"},
		{notify.EndpointUpdate{ID: e.ID}, ""}, {notify.EndpointUpdate{ID: e.ID, URL: "https://other.example/", Secret: catalog.Patch[string]{Given: true, Value: "x"}}, ""},
		{notify.EndpointUpdate{ID: e.ID, Events: []string{"refund.succeeded"}}, ""},
	} {
		if _, err := w.service.UpdateEndpoint(t.Context(), s.Owner, c.update); code(err) != c.want {
			t.Errorf("%+v: %v", c.update, err)
		}
	}
	all, err := w.db.Endpoints(t.Context(), checkout.Test, s.store)
	w.must(err)
	if got := all.Items[0]; got.URL != "https://other.example/" || got.Secret != "x" || !slices.Equal(got.Events, []string{"refund.succeeded"}) ||
		got.CreatedAt != e.CreatedAt || got.UpdatedAt < e.UpdatedAt {
		t.Errorf("updated to %+v", got)
	}
}

// TestIsolation: two merchants with two stores each, in both environments. Whatever one does with the other's ids is refused as
// an unknown id is, and an event goes to the endpoints of its own store and environment only.
func TestIsolation(t *testing.T) {
	w := open(t, nil)
	shops := []*shop{w.shop("MER_1"), w.shop("MER_1"), w.shop("MER_2"), w.shop("MER_2")}
	type place struct {
		*shop
		owner    notify.Owner
		endpoint *notify.Endpoint
		merchant *receiver
	}
	var places []place
	for _, s := range shops {
		for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
			owner := notify.Owner{Environment: env, MerchantID: s.MerchantID}
			merchant, test := receive(t, status(200)), env == checkout.Test
			e, err := w.service.AddEndpoint(t.Context(), owner, notify.NewEndpoint{StoreID: s.store, URL: merchant.URL, Events: []string{"order.completed"}, TestMode: &test})
			w.must(err)
			places = append(places, place{s, owner, e, merchant})
		}
	}
	for _, mine := range places {
		for _, theirs := range places {
			want := "webhook-not-found"
			if mine.owner == theirs.owner {
				want = ""
			}
			if _, err := w.service.UpdateEndpoint(t.Context(), mine.owner, notify.EndpointUpdate{ID: theirs.endpoint.ID}); code(err) != want {
				t.Errorf("%v updates an endpoint of %v: %v", mine.owner, theirs.owner, err)
			}
			if want == "" {
				continue
			}
			if _, err := w.service.RemoveEndpoint(t.Context(), mine.owner, theirs.endpoint.ID); code(err) != want {
				t.Errorf("%v removes an endpoint of %v: %v", mine.owner, theirs.owner, err)
			}
			if mine.MerchantID == theirs.MerchantID {
				continue
			}
			test := mine.owner.Environment == checkout.Test
			if _, err := w.service.AddEndpoint(t.Context(), mine.owner, notify.NewEndpoint{StoreID: theirs.store, URL: "https://x.example/",
				Events: []string{"order.completed"}, TestMode: &test}); code(err) != "store-not-found" {
				t.Errorf("%v adds an endpoint to a store of %v: %v", mine.owner, theirs.owner, err)
			}
		}
	}
	w.start()
	for i, p := range places {
		order := p.sell(p.owner.Environment)
		shoptest.Eventually(t, "the event is delivered", func() bool { return len(p.merchant.got()) == 1 })
		if body := p.merchant.got()[0].body; !strings.Contains(body, order.ID) || !strings.Contains(body, `"mode":"`+string(p.owner.Environment)+`"`) {
			t.Errorf("%v got %s", p.owner, body)
		}
		for j, other := range places {
			if n := len(other.merchant.got()); n != map[bool]int{true: 1, false: 0}[j <= i] {
				t.Errorf("after %d sales place %d has %d events", i+1, j, n)
			}
		}
	}
}
