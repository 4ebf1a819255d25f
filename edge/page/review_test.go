package page

import (
	"maps"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/web"
)

// TestConfirm: V7. Without JavaScript, an order is created only for the total that the page has shown.
func TestConfirm(t *testing.T) {
	with := func(form url.Values, name, value string) url.Values {
		form = maps.Clone(form)
		form.Set(name, value)
		return form
	}
	s := openShop(t)
	s.offer(t, nil)
	review := s.post(pageURL, ottawa())
	expect(t, review, fasthttp.StatusOK, "<title>Check the total · Northline</title>", `<p class="lead"><span class="amount">$145.77</span> · Includes $16.77 tax</p>`,
		`<dt>Email</dt><dd data-review="email">`, "<dt>HST <small>13% · Ontario</small></dt><dd>$16.77</dd>", `<details id="edit">`,
		`value="CA-ON" selected`, `<button name="confirm" value="USD 14577 1677">`)
	golden(t, "review", review)
	const total = "USD 14577 1677"
	for name, form := range map[string]url.Values{
		"no total":            ottawa(),
		"another total":       with(ottawa(), "confirm", "USD 14577 1676"),
		"of another province": with(with(ottawa(), "confirm", total), "state", "CA-QC"),
	} {
		expect(t, s.post(pageURL, form), fasthttp.StatusOK, "<h1 tabindex=\"-1\">Check the total</h1>")
		if stored, err := s.db.Session(t.Context(), session); err != nil || stored.OrderID != "" {
			t.Errorf("%s: ordered, %v", name, err)
		}
	}
	expect(t, s.post(pageURL, with(ottawa(), "confirm", total)), fasthttp.StatusSeeOther)
}

// TestConfirmKnown: L4, V7. A total that the page shows at once needs no further step.
func TestConfirmKnown(t *testing.T) {
	s := openShop(t)
	s.offer(t, ottawan)
	shown := shownTotal.FindSubmatch(s.get(pageURL).Body())
	form := ottawa()
	form.Set("email", "ada@fieldnotes.example")
	form.Set("confirm", string(shown[1]))
	expect(t, s.post(pageURL, form), fasthttp.StatusSeeOther)
}

// TestConfirmFrozen: V7. The page shows the price and tax that are frozen with an order, not those of today, and confirms them.
func TestConfirmFrozen(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	first := string(s.confirm(t, ottawa()).Header.Peek("Location"))
	stored, err := s.db.Session(t.Context(), session)
	if err != nil {
		t.Fatal(err)
	}
	stored.Terms.Inclusive = true // as a tax rule that changes: the total of a new order would be 129.00
	if err := s.db.WriteSession(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	expect(t, s.get(pageURL), fasthttp.StatusOK, `<strong data-total>$145.77</strong>`)
	if again := string(s.confirm(t, ottawa()).Header.Peek("Location")); again != first {
		t.Errorf("the repeated order leads to %s, not %s", again, first)
	}
	quebec := ottawa()
	quebec.Set("state", "CA-QC")
	expect(t, s.post(pageURL, quebec), fasthttp.StatusOK, `<strong data-total>$129.00</strong>`)
}

// TestTranslate: without JavaScript a change of language keeps what was typed, reports no error, and creates no order.
func TestTranslate(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	page := s.post(pageURL, url.Values{"email": {"ada@"}, "country": {"CA"}, "state": {"US-NY", "CA-QC"}, "postcode": {"H2X"}, "isBusiness": {"on"},
		"businessName": {"Fieldnotes"}, "taxId": {"12"}, "language": {"de"}, "translate": {""}})
	expect(t, page, fasthttp.StatusOK, `<html lang="de"`, `value="ada@"`, `value="CA" selected data-state`, `value="CA-QC" selected`, `value="H2X"`,
		`type="checkbox" checked`, `value="Fieldnotes"`, `value="12"`)
	body := string(page.Body())
	if strings.Contains(body, "aria-invalid") || strings.Contains(body, `value="US-NY" selected`) {
		t.Error("the page shows an error or the state of another country")
	}
	if cookie := string(page.Header.PeekCookie(languageCookie)); !strings.HasPrefix(cookie, "language=de;") {
		t.Errorf("cookie %q", cookie)
	}
	ordinary := ottawa() // the menu is part of every posted form
	ordinary.Set("language", "de")
	expect(t, s.post(pageURL, ordinary), fasthttp.StatusOK, `<html lang="en"`)
}

// TestStateFields: F1. Every country with states has a field with its own ones, and the style sheet shows it only for that country.
func TestStateFields(t *testing.T) {
	for _, chosen := range []country.Code{"", "DE", "US", "CA"} {
		s := openShop(t)
		s.offer(t, nil)
		page := string(s.post(pageURL, url.Values{"country": {string(chosen)}, "state": {"US-NY", "CA-QC"}}).Body())
		style, _ := web.Named("checkout.css").Encoded("")
		for c := range country.All() {
			if !c.NeedsState() {
				continue
			}
			_, field, _ := strings.Cut(page, `<div class="field state" data-country="`+string(c)+`">`)
			field, _, _ = strings.Cut(field, "</div>")
			if values := regexp.MustCompile(`value="([A-Z]{2})-`).FindAllStringSubmatch(field, -1); len(values) == 0 || values[0][1] != string(c) ||
				values[len(values)-1][1] != string(c) || strings.Count(page, `value="`+string(c)+"-") != len(values) {
				t.Errorf("the field of %s has %v", c, values)
			}
			if main := strings.Contains(field, `<select id="state"`); chosen.NeedsState() && main != (c == chosen) {
				t.Errorf("with %q the field of %s is #state: %t", chosen, c, main)
			}
			if selected := strings.Contains(field, " selected"); selected != (c == chosen) {
				t.Errorf("with %q a state of %s is selected: %t", chosen, c, selected)
			}
			rule := regexp.MustCompile(`form:not\(:has\(\[value="?` + string(c) + `"?\]:checked\)\) \[data-country="?` + string(c) + `"?\]`)
			if !rule.Match(style) {
				t.Errorf("the style sheet shows the states of %s for other countries", c)
			}
		}
	}
}
