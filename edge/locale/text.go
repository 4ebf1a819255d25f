package locale

import (
	"slices"
	"strconv"
	"strings"
)

// Text returns the message for a key, with placeholders replaced by pairs of name and value. It returns "" for an unknown key.
func (l *Locale) Text(key string, slots ...string) string { return fill(l.texts[key], slots) }

// In returns the message for a key in a country: the one with the country suffix, "postcode.US", if there is one.
func (l *Locale) In(country, key string) string {
	if text, ok := l.texts[key+"."+country]; ok {
		return text
	}
	return l.texts[key]
}

// Count returns the message for a number of things: the one whose suffix is the plural category of n, with n as placeholder.
func (l *Locale) Count(key string, n int) string {
	text, ok := l.texts[key+"."+plural(l.Tag, n)]
	if !ok {
		text = l.texts[key+".other"]
	}
	return fill(text, []string{"n", strconv.Itoa(n)})
}

// Texts returns the messages whose key, up to its first dot, is one of names.
func (l *Locale) Texts(names []string) map[string]string {
	some := map[string]string{}
	for key, text := range l.texts {
		name, _, _ := strings.Cut(key, ".")
		if slices.Contains(names, name) {
			some[key] = text
		}
	}
	return some
}

func fill(text string, slots []string) string {
	for i := 0; i < len(slots); i += 2 {
		text = strings.ReplaceAll(text, "{"+slots[i]+"}", slots[i+1])
	}
	return text
}

// plural returns the plural category of n (UTS #35, Language Plural Rules, CLDR 48). It does not support n ≥ 1,000,000, for which
// some languages have a category of their own.
func plural(tag string, n int) string {
	language, _, _ := strings.Cut(tag, "-")
	switch language {
	case "id", "ja", "ko", "ms", "th", "vi", "zh":
		return "other"
	case "fr", "pt":
		return choose(n <= 1, "one", "other")
	case "ru":
		return choose(n%10 == 1 && n%100 != 11, "one", slavic(n))
	case "pl":
		return choose(n == 1, "one", slavic(n))
	case "ar":
		return arabic(n)
	default:
		return choose(n == 1, "one", "other")
	}
}

func slavic(n int) string {
	return choose(n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14), "few", "many")
}

func arabic(n int) string {
	switch {
	case n <= 2:
		return [...]string{"zero", "one", "two"}[n]
	case n%100 >= 3 && n%100 <= 10:
		return "few"
	default:
		return choose(n%100 >= 11, "many", "other")
	}
}

func choose(is bool, then, otherwise string) string {
	if is {
		return then
	}
	return otherwise
}
