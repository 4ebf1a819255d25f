package page

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/catalog"
)

// TestThemeContrast checks the contrast of random themes.
func TestThemeContrast(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	some := func() string {
		c := color{uint8(random.Uint32()), uint8(random.Uint32()), uint8(random.Uint32())}
		if random.IntN(4) == 0 { // grey, which has little contrast with anything
			c = color{c[0], c[0], c[0]}
		}
		return c.String()
	}
	for range 20_000 {
		theme := &catalog.Theme{Background: some(), Card: some(), Text: some(), Primary: some()}
		p := newPalette(theme, defaultThemes[random.IntN(2)])
		for what, pair := range map[string]struct {
			ink     color
			ratio   float64
			grounds []color
		}{
			"text":            {p.text, 4.5, []color{p.bg, p.card, p.field, p.danger.wash, p.ok.wash, p.warn.wash}},
			"muted text":      {p.muted, 4.5, []color{p.bg, p.card, p.field}},
			"button":          {p.onPrimary, 4.5, []color{p.primary, p.press}},
			"input":           {p.control, 3, []color{p.bg, p.card, p.field}},
			"edge of buttons": {p.edge, 3, []color{p.bg, p.card}},
			"focus":           {p.focus, 3, []color{p.bg, p.card, p.field}},
			"danger":          {p.danger.ink, 4.5, []color{p.bg, p.danger.wash}},
			"ok":              {p.ok.ink, 4.5, []color{p.bg, p.ok.wash}},
			"warning":         {p.warn.ink, 4.5, []color{p.bg, p.warn.wash}},
		} {
			if !pair.ink.readable(pair.ratio, pair.grounds...) {
				t.Fatalf("%s: %s on %v of %+v", what, pair.ink, pair.grounds, *theme)
			}
		}
	}
}

// TestThemeUnchanged checks that readable colours are not corrected.
func TestThemeUnchanged(t *testing.T) {
	for i := range defaultThemes {
		p := newPalette(&catalog.Theme{}, defaultThemes[i])
		if p.bg.String() != defaultThemes[i].Background || p.card.String() != defaultThemes[i].Card || p.text.String() != defaultThemes[i].Text ||
			p.primary.String() != defaultThemes[i].Primary || p.focus != p.primary || p.edge != p.primary {
			t.Errorf("a default theme was corrected: %+v", p)
		}
		for _, c := range [...]struct{ got, base color }{
			{p.danger.ink, signals[i][0]}, {p.ok.ink, signals[i][1]}, {p.warn.ink, signals[i][2]},
		} {
			if c.got != c.base {
				t.Errorf("%s became %s", c.base, c.got)
			}
		}
	}
	green := newPalette(&catalog.Theme{Primary: "#0f5c4a"}, defaultThemes[0])
	if green.primary.String() != "#0f5c4a" || green.onPrimary != white || green.focus != green.primary {
		t.Errorf("%+v", green)
	}
	pale := newPalette(&catalog.Theme{Primary: "#ffe97a"}, defaultThemes[0])
	if pale.primary.String() != "#ffe97a" || pale.onPrimary != black || pale.focus != pale.text || pale.edge != pale.control {
		t.Errorf("%+v", pale)
	}
}

// TestDefaultTheme checks that base.css begins with the generated default theme.
func TestDefaultTheme(t *testing.T) {
	style, err := os.ReadFile("../../web/src/base.css")
	if err != nil {
		t.Fatal(err)
	}
	if own := themeCSS(&catalog.CheckoutSettings{}); !strings.Contains(string(style), own) {
		t.Errorf("web/src/base.css does not contain\n%s", own)
	}
}

func TestThemeColors(t *testing.T) {
	for s, want := range map[string]string{"#0f5c4a": "#0f5c4a", " #FFF ": "#ffffff", "#000": "#000000"} {
		if c, ok := parseColor(s); !ok || c.String() != want {
			t.Errorf("%q is %s, %t", s, c, ok)
		}
	}
	for _, s := range []string{"", "#", "red", "0f5c4a", "#0f5c4", "#0f5c4aff", "#gggggg", "#+12345"} {
		if c, ok := parseColor(s); ok {
			t.Errorf("%q is %s", s, c)
		}
	}
	for s, want := range map[string]int{"8px": 8, "12": 12, "": 8, "0px": 0, "-4px": 0, "999px": maxRadius, "NaN": 8, "1em": 8} {
		if got := radius(&catalog.Theme{BorderRadius: s}); got != want {
			t.Errorf("%q is %d px", s, got)
		}
	}
}

// TestTheme checks the style sheet of a store's theme, and that only generated names are found.
func TestTheme(t *testing.T) {
	s := openShop(t)
	s.offer(t, nil)
	if page := string(s.get(pageURL).Body()); strings.Contains(page, themePrefix) {
		t.Error("a store without settings has a theme")
	}
	s.decorate(t, catalog.Store{Checkout: catalog.CheckoutSettings{
		Light: catalog.Theme{Primary: "#0F5C4A", BorderRadius: "4px"}, Dark: catalog.Theme{Primary: "#7fd6ae", BorderRadius: "12px"}}})
	page := string(s.get(pageURL).Body())
	_, rest, found := strings.Cut(page, `<link rel="stylesheet" href="`+themePrefix)
	name, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatalf("no theme in\n%s", page)
	}
	style := s.get(themePrefix + name)
	expect(t, style, fasthttp.StatusOK, "--primary: light-dark(#0f5c4a, #7fd6ae);", "--radius: 4px;",
		"[data-theme=dark] { --radius: 12px; }")
	for header, want := range map[string]string{"Content-Type": "text/css; charset=utf-8",
		"Cache-Control": "public, max-age=31536000, immutable"} {
		if got := string(style.Header.Peek(header)); got != want {
			t.Errorf("%s: %s", header, got)
		}
	}
	for _, other := range []string{"x" + name, strings.Replace(name, "0f5c4a", "0f5c4b", 1), strings.TrimSuffix(name, ".css"), "", "..........css",
		"}body{display:none.css"} {
		expect(t, s.get(themePrefix+other), fasthttp.StatusNotFound)
	}
}
