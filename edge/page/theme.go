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

// The least contrast on a page, for any colours of a store (WCAG 2.2 AA, 1.4.3 and 1.4.11).
const (
	textContrast    = 4.5
	controlContrast = 3.0
)

// defaultThemes are the light and the dark theme for the fields that a store leaves empty.
var defaultThemes = [2]*catalog.Theme{&catalog.DefaultLight, &catalog.DefaultDark}

// signals are the colours of errors, success and warnings, for light and for dark backgrounds.
var signals = [2][3]color{
	{{0xb3, 0x26, 0x1e}, {0x0b, 0x6b, 0x47}, {0x8a, 0x4b, 0x00}},
	{{0xff, 0x9a, 0x91}, {0x7f, 0xd6, 0xae}, {0xf2, 0xbf, 0x73}},
}

// palette is every colour of a page, derived from a store's four and corrected for contrast.
type palette struct {
	bg, card, text     color
	primary, onPrimary color
	press              color // button under the pointer
	edge               color // border of what primary fills, so that its shape is visible
	focus              color
	field              color // background of an input
	muted              color // secondary text
	control            color // border of an input
	line               color // decorative lines
	danger, ok, warn   signal
}

// signal is a text colour with a meaning, and a background for longer texts.
type signal struct{ ink, wash color }

// newPalette derives a palette from a store's theme, with fallback for its empty fields. It corrects the text colour first, then the
// others against text and backgrounds.
func newPalette(t, fallback *catalog.Theme) palette {
	p := palette{
		bg: colorOr(t.Background, fallback.Background), card: colorOr(t.Card, fallback.Card),
		text: colorOr(t.Text, fallback.Text), primary: colorOr(t.Primary, fallback.Primary),
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
	p.muted = mixUntilReadable(69, p.text, p.bg, textContrast, p.bg, p.card, p.field)
	p.control = mixUntilReadable(43, p.text, p.bg, controlContrast, p.bg, p.card, p.field)
	p.line = mix(12, p.text, p.bg)
	p.derivePrimary()
	base := signals[0]
	if dark {
		base = signals[1]
	}
	p.danger, p.ok, p.warn = p.signal(base[0]), p.signal(base[1]), p.signal(base[2])
	return p
}

// colorOr returns the store's colour, or fallback if it is not valid.
func colorOr(own, fallback string) color {
	if c, ok := parseColor(own); ok {
		return c
	}
	c, _ := parseColor(fallback)
	return c
}

// derivePrimary sets the colours around primary. Primary itself is never corrected.
func (p *palette) derivePrimary() {
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

// signal mixes a colour until it is readable on the page and on its own wash, and the page's text is readable on that wash.
func (p *palette) signal(base color) signal {
	for percent := 0; percent <= 100; percent++ {
		ink := mix(percent, p.bg.strongest(), base)
		wash := mix(6, ink, p.bg)
		if ink.readable(textContrast, p.bg, wash) && p.text.readable(textContrast, wash) {
			return signal{ink, wash}
		}
	}
	return signal{mixUntilReadable(0, p.bg.strongest(), base, textContrast, p.bg), p.bg}
}

// themeCSS returns a store's style sheet. For empty settings it is the block that base.css begins with.
func themeCSS(s *catalog.CheckoutSettings) string {
	light, dark := newPalette(&s.Light, defaultThemes[0]), newPalette(&s.Dark, defaultThemes[1])
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

// colors returns the palette in the order of themeCSS.
func (p *palette) colors() []color {
	return []color{p.bg, p.card, p.text, p.primary, p.onPrimary, p.press, p.edge, p.focus, p.field, p.muted, p.control, p.line,
		p.danger.ink, p.danger.wash, p.ok.ink, p.ok.wash, p.warn.ink, p.warn.wash}
}

// maxRadius is the largest corner radius, in pixels.
const maxRadius = 22

// radius parses "8px" or "8" and limits it to 0–maxRadius. Anything else is 8.
func radius(t *catalog.Theme) int {
	n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(t.BorderRadius), "px"), 64)
	if err != nil || n != n {
		return 8
	}
	return int(max(0, min(n, maxRadius)))
}

// themePrefix is the path of the stores' style sheets, /theme/<fields of light>.<fields of dark>.<hash>.css. The name contains
// the whole theme, so serving it needs no lookup. The hash of the content makes the file immutable to caches.
const themePrefix = "/theme/"

// themeURL returns the URL of a store's style sheet, or "" for the default look.
func themeURL(s *catalog.CheckoutSettings) string {
	fields := append(themeFields(&s.Light), themeFields(&s.Dark)...)
	if strings.Join(fields, "") == "" {
		return ""
	}
	return themePrefix + strings.Join(fields, ".") + "." + themeHash(s) + ".css"
}

// themeFields returns a theme's colours and radius, "" for each that is not set.
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

// themeOf is the inverse of themeFields.
func themeOf(fields []string) catalog.Theme {
	return catalog.Theme{Background: "#" + fields[0], Card: "#" + fields[1], Text: "#" + fields[2], Primary: "#" + fields[3],
		BorderRadius: fields[4]}
}

func themeHash(s *catalog.CheckoutSettings) string {
	sum := sha256.Sum256([]byte(themeCSS(s)))
	return hex.EncodeToString(sum[:8])
}

// themeSettings returns the settings that the path of a style sheet describes. Any path is safe: the colours are parsed and corrected.
func themeSettings(path string) (s *catalog.CheckoutSettings, found bool) {
	fields := strings.Split(strings.TrimPrefix(path, themePrefix), ".")
	s = new(catalog.CheckoutSettings)
	if len(fields) == 12 {
		s.Light, s.Dark = themeOf(fields[:5]), themeOf(fields[5:10])
	}
	return s, themeURL(s) == path
}

// serveTheme serves the style sheet that its name describes.
func (h *Handler) serveTheme(ctx *fasthttp.RequestCtx, path string) {
	css, found := Theme(path)
	if !found || !ctx.IsGet() && !ctx.IsHead() {
		h.show(ctx, fasthttp.StatusNotFound, "message", notFound(ctx))
		return
	}
	ctx.Response.Header.Set(fasthttp.HeaderCacheControl, "public, max-age=31536000, immutable")
	ctx.SetContentType("text/css; charset=utf-8")
	ctx.SetBodyString(css)
}
