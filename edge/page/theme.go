package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/catalog"
)

// Contrast that a page is held to, whatever colours a merchant has chosen (WCAG 2.2 AA, 1.4.3 and 1.4.11).
const (
	textContrast    = 4.5
	controlContrast = 3.0
)

// ours are the checkout's own colours, which every field that a merchant leaves empty has.
var ours = [2]catalog.Theme{
	{Primary: "#17181c", Background: "#ffffff", Card: "#f6f6f4", Text: "#17181c", BorderRadius: "8px"},
	{Primary: "#f1f1ef", Background: "#141518", Card: "#1c1d21", Text: "#f1f1ef", BorderRadius: "8px"},
}

// signals are the colours that mean something, for light grounds and for dark ones.
var signals = [2][3]color{
	{{0xb3, 0x26, 0x1e}, {0x0b, 0x6b, 0x47}, {0x8a, 0x4b, 0x00}},
	{{0xff, 0x9a, 0x91}, {0x7f, 0xd6, 0xae}, {0xf2, 0xbf, 0x73}},
}

// palette is every colour of a page, all of them made from a merchant's four: what cannot be read is corrected.
type palette struct {
	bg, card, text     color
	primary, onPrimary color
	press              color // the button under the pointer
	edge               color // around what is filled with primary, so that its shape is seen
	focus              color
	field              color // the ground of an input
	muted              color // text that matters less
	control            color // around an input
	line               color // decoration only
	danger, ok, warn   signal
}

// signal is a colour with a meaning, and the ground for longer texts of that meaning.
type signal struct{ ink, wash color }

// newPalette applies the guard: text to the grounds first, then everything else to both.
func newPalette(t, own *catalog.Theme) palette {
	p := palette{
		bg: choose(t.Background, own.Background), card: choose(t.Card, own.Card),
		text: choose(t.Text, own.Text), primary: choose(t.Primary, own.Primary),
	}
	if !p.text.readable(textContrast, p.bg, p.card) {
		p.text = p.bg.strongest()
	}
	if !p.text.readable(textContrast, p.card) {
		p.card = p.bg
	}
	dark := p.bg.strongest() == white
	p.field = p.bg
	if tinted := mix(4, p.text, p.bg); dark && p.text.readable(textContrast, tinted) {
		p.field = tinted
	}
	p.muted = raised(69, p.text, p.bg, textContrast, p.bg, p.card, p.field)
	p.control = raised(43, p.text, p.bg, controlContrast, p.bg, p.card, p.field)
	p.line = mix(12, p.text, p.bg)
	p.accent()
	base := signals[0]
	if dark {
		base = signals[1]
	}
	p.danger, p.ok, p.warn = p.signal(base[0]), p.signal(base[1]), p.signal(base[2])
	return p
}

// choose is a merchant's colour, or our own where there is none.
func choose(theirs, own string) color {
	if c, ok := parseColor(theirs); ok {
		return c
	}
	c, _ := parseColor(own)
	return c
}

// accent makes what the merchant's primary colour is used for. The colour itself stays: it is the merchant's face.
func (p *palette) accent() {
	p.onPrimary = p.primary.strongest()
	p.press = mix(88, p.primary, p.bg)
	if !p.onPrimary.readable(textContrast, p.press) {
		p.press = mix(88, p.primary, p.onPrimary.strongest())
	}
	p.edge, p.focus = p.primary, p.primary
	if !p.primary.readable(controlContrast, p.bg, p.card, p.field) {
		p.edge, p.focus = p.control, p.text
	}
}

// signal strengthens a colour until it can be read on the page and on its own wash, and the page's text on that too.
func (p *palette) signal(base color) signal {
	for percent := 0; percent <= 100; percent++ {
		ink := mix(percent, p.bg.strongest(), base)
		wash := mix(6, ink, p.bg)
		if ink.readable(textContrast, p.bg, wash) && p.text.readable(textContrast, wash) {
			return signal{ink, wash}
		}
	}
	return signal{raised(0, p.bg.strongest(), base, textContrast, p.bg), p.bg}
}

// themeCSS is the style sheet of a store's own look; with ours it is the block that checkout.css begins with.
func themeCSS(s *catalog.CheckoutSettings) string {
	light, dark := newPalette(&s.Light, &ours[0]), newPalette(&s.Dark, &ours[1])
	var b strings.Builder
	b.WriteString(":root {\n")
	for i, name := range []string{"bg", "card", "text", "primary", "on-primary", "press", "edge", "focus", "field", "muted", "control",
		"line", "danger", "danger-wash", "ok", "ok-wash", "warn", "warn-wash"} {
		fmt.Fprintf(&b, "\t--%s: light-dark(%s, %s);\n", name, light.colors()[i], dark.colors()[i])
	}
	inLight, inDark := radius(&s.Light), radius(&s.Dark)
	fmt.Fprintf(&b, "\t--radius: %dpx;\n}\n", inLight)
	if inDark != inLight {
		fmt.Fprintf(&b, "@media (prefers-color-scheme: dark) { :root:not([data-theme=light]) { --radius: %dpx; } }\n", inDark)
		fmt.Fprintf(&b, "[data-theme=dark] { --radius: %dpx; }\n", inDark)
	}
	return b.String()
}

// colors are the palette in the order of themeCSS.
func (p *palette) colors() []color {
	return []color{p.bg, p.card, p.text, p.primary, p.onPrimary, p.press, p.edge, p.focus, p.field, p.muted, p.control, p.line,
		p.danger.ink, p.danger.wash, p.ok.ink, p.ok.wash, p.warn.ink, p.warn.wash}
}

// maxRadius is where a corner stops looking like a control.
const maxRadius = 22

// radius reads "8px" or "8", in pixels, and holds it to what a control can bear.
func radius(t *catalog.Theme) int {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(t.BorderRadius), "px"), 64)
	if err != nil || n != n {
		return 8
	}
	return int(max(0, min(n, maxRadius)))
}

// themePrefix is where the style sheets of stores lie: /theme/<fields of light>.<fields of dark>.<hash>.css. The name says
// everything, so that there is nothing to look up, and its hash changes with what is made of it, so that a browser may keep
// the file for good.
const themePrefix = "/theme/"

// themeURL is a store's style sheet, empty for one that has the checkout's own look.
func themeURL(s *catalog.CheckoutSettings) string {
	fields := append(themeFields(&s.Light), themeFields(&s.Dark)...)
	if strings.Join(fields, "") == "" {
		return ""
	}
	return themePrefix + strings.Join(fields, ".") + "." + themeHash(s) + ".css"
}

// themeFields are a theme's colours and radius, each empty where the theme has none of its own.
func themeFields(t *catalog.Theme) []string {
	var fields []string
	for _, own := range []string{t.Background, t.Card, t.Text, t.Primary} {
		c, ok := parseColor(own)
		fields = append(fields, "")
		if ok {
			fields[len(fields)-1] = c.String()[1:]
		}
	}
	if t.BorderRadius == "" {
		return append(fields, "")
	}
	return append(fields, strconv.Itoa(radius(t)))
}

// themeOf reads themeFields.
func themeOf(fields []string) catalog.Theme {
	return catalog.Theme{Background: "#" + fields[0], Card: "#" + fields[1], Text: "#" + fields[2], Primary: "#" + fields[3],
		BorderRadius: fields[4]}
}

func themeHash(s *catalog.CheckoutSettings) string {
	sum := sha256.Sum256([]byte(themeCSS(s)))
	return hex.EncodeToString(sum[:8])
}

// serveTheme answers with the style sheet that a name asks for. The guard has been over it, so any name is safe to show.
func (h *Handler) serveTheme(ctx *fasthttp.RequestCtx, path string) {
	fields := strings.Split(strings.TrimPrefix(path, themePrefix), ".")
	s := new(catalog.CheckoutSettings)
	if len(fields) == 12 {
		s.Light, s.Dark = themeOf(fields[:5]), themeOf(fields[5:10])
	}
	if themeURL(s) != path || !ctx.IsGet() && !ctx.IsHead() {
		h.show(ctx, fasthttp.StatusNotFound, "message", notFound(ctx))
		return
	}
	ctx.Response.Header.Set(fasthttp.HeaderCacheControl, "public, max-age=31536000, immutable")
	ctx.SetContentType("text/css; charset=utf-8")
	ctx.SetBodyString(themeCSS(s))
}
