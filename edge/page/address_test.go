package page

import (
	"net/url"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/sessions"
)

// berlin is the form of a business with an address.
func berlin() url.Values {
	return url.Values{"email": {"ada@fieldnotes.example"}, "country": {"DE"}, "postcode": {"10119"}, "isBusiness": {"on"}, "businessName": {"Fieldnotes"},
		"taxId": {"DE136695976"}, "street": {" Torstraße\t<1> "}, "city": {"Berlin"}}
}

// TestAddress: a business may add street and city, which its receipt shows.
func TestAddress(t *testing.T) {
	s := openShop(t)
	path := s.receipt(t, berlin())
	expect(t, s.get(path), fasthttp.StatusOK, "<span dir=\"auto\">Torstraße &lt;1&gt;</span><span dir=\"auto\">10119 Berlin</span>")
	expect(t, s.get(path+".json"), fasthttp.StatusOK, "\"street\": \"Torstraße \\u003c1\\u003e\",\n        \"locality\": \"Berlin\"")
}

// TestAddressTooLong: the fields refuse no order.
func TestAddressTooLong(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	form := berlin()
	form.Set("street", strings.Repeat("ä\u202e", sessions.MaxStreet+5))
	if got := s.orderBy(t, form).Current().Address.Street; got != strings.Repeat("ä", sessions.MaxStreet) {
		t.Errorf("a long street became %q", got)
	}
}

// TestAddressOfConsumer: without JavaScript a browser submits the hidden fields, too.
func TestAddressOfConsumer(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	form := berlin()
	form.Del("isBusiness")
	if got := s.orderBy(t, form).Current().Address; got != (sessions.Address{}) {
		t.Errorf("the order of a consumer has %+v", got)
	}
}

// TestAddressKept: V6 for the address; a known one is filled in, and reviewed.
func TestAddressKept(t *testing.T) {
	s := openShop(t)
	s.offer(t, func(session *sessions.Session) {
		german(session)
		session.Address = sessions.Address{Street: "Torstraße 1", City: "Berlin"}
	})
	expect(t, s.get(pageURL), fasthttp.StatusOK, `name="street" value="Torstraße 1"`, `name="city" value="Berlin"`,
		"<dt>Street and number</dt><dd>Torstraße 1</dd>", "<dt>Town or city</dt><dd>Berlin</dd>")
	form := berlin()
	form.Set("email", "ada@")
	expect(t, s.post(pageURL, form), fasthttp.StatusBadRequest, `name="city" value="Berlin"`)
}
