package page

import (
	"math"
	"strconv"
	"strings"
)

// color is an opaque sRGB colour: red, green, blue.
type color [3]uint8

var black, white = color{}, color{255, 255, 255}

// parseColor parses "#17181c" and "#fff".
func parseColor(s string) (color, bool) {
	s, marked := strings.CutPrefix(strings.TrimSpace(s), "#")
	if marked && len(s) == 3 {
		s = string([]byte{s[0], s[0], s[1], s[1], s[2], s[2]})
	}
	n, err := strconv.ParseUint(s, 16, 24)
	if !marked || len(s) != 6 || err != nil {
		return color{}, false
	}
	return color{uint8(n >> 16), uint8(n >> 8), uint8(n)}, true
}

func (c color) String() string {
	n := 1<<24 | int(c[0])<<16 | int(c[1])<<8 | int(c[2])
	return "#" + strconv.FormatInt(int64(n), 16)[1:]
}

// luminance returns WCAG 2.2's relative luminance, from 0 to 1.
func (c color) luminance() float64 {
	return 0.2126*linear[c[0]] + 0.7152*linear[c[1]] + 0.0722*linear[c[2]]
}

// linear maps an sRGB channel to linear light.
var linear = func() (table [256]float64) {
	for i := range table {
		v := float64(i) / 255
		table[i] = v / 12.92
		if v > 0.04045 {
			table[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return table
}()

// contrast returns WCAG 2.2's contrast ratio, from 1 to 21.
func contrast(a, b color) float64 {
	la, lb := a.luminance(), b.luminance()
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// strongest returns black or white, whichever has more contrast with c. It is at least 4.58.
func (c color) strongest() color {
	if contrast(black, c) > contrast(white, c) {
		return black
	}
	return white
}

// mix returns percent of a mixed into b.
func mix(percent int, a, b color) (c color) {
	for i := range c {
		c[i] = uint8((int(a[i])*percent + int(b[i])*(100-percent) + 50) / 100)
	}
	return c
}

// readable reports whether c has at least the contrast ratio with each of grounds.
func (c color) readable(ratio float64, grounds ...color) bool {
	for _, ground := range grounds {
		if contrast(c, ground) < ratio {
			return false
		}
	}
	return true
}

// mixUntilReadable mixes to into from, starting at percent and with one more per cent at a time, until the result is readable
// on all grounds. If even to is not, it returns to.
func mixUntilReadable(percent int, to, from color, ratio float64, grounds ...color) color {
	for ; percent < 100; percent++ {
		if c := mix(percent, to, from); c.readable(ratio, grounds...) {
			return c
		}
	}
	return to
}
