package locale

import (
	"slices"
	"strconv"
	"strings"
)

// Text is the sentence for a key; pairs of slot and value fill it in. A key that there is not has none.
func (l *Locale) Text(key string, slots ...string) string { return fill(l.texts[key], slots) }

// In is the sentence for a key as buyers in a country read it: the one with a dot and the country behind the key, if there
// is one.
func (l *Locale) In(country, key string) string {
	if text, ok := l.texts[key+"."+country]; ok {
		return text
	}
	return l.texts[key]
}

// Count is the sentence for a number of things, which fills the slot n: the one with a dot and the number's category behind
// the key.
func (l *Locale) Count(key string, n int) string {
	text, ok := l.texts[key+"."+plural(l.Tag, n)]
	if !ok {
		text = l.texts[key+".other"]
	}
	return fill(text, []string{"n", strconv.Itoa(n)})
}

// Texts are the sentences whose keys are among the names, or go on with a dot behind one.
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

// plural is the category of a whole number in a language: UTS #35, Language Plural Rules, as of CLDR 48. Millions, which
// some languages tell apart, do not occur.
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
