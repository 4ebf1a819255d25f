package stripe

import (
	"slices"
	"strings"
)

// locales are the languages of Stripe's page (enum of the parameter locale in Stripe's OpenAPI description, version
// 2026-08-26.dahlia). Any other value is refused by Stripe.
var locales = strings.Fields("bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt " +
	"pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW")

// locale is Stripe's name for a BCP 47 language tag, "auto" (the browser's own) where Stripe does not speak it.
func locale(tag string) string {
	parts := strings.Split(strings.ToLower(strings.ReplaceAll(tag, "_", "-")), "-")
	language, region, script := parts[0], "", ""
	for _, part := range parts[1:] {
		switch len(part) {
		case 4:
			script = part
		case 2, 3:
			region = strings.ToUpper(part)
		}
	}
	language, region = variant(language, script, region)
	for _, name := range [...]string{language + "-" + region, language} {
		if slices.Contains(locales, name) {
			return name
		}
	}
	return "auto"
}

// variant names languages and their variants as Stripe does: Norwegian is Bokmål, the Spanish of America is one, and
// Chinese is told apart by where its script is used.
func variant(language, script, region string) (string, string) {
	switch language {
	case "no", "nn":
		return "nb", ""
	case "tl":
		return "fil", ""
	case "es":
		if region != "" && region != "ES" {
			return "es", "419"
		}
	case "zh":
		switch {
		case script == "hans":
			return "zh", ""
		case region == "HK" || region == "MO":
			return "zh", "HK"
		case script == "hant":
			return "zh", "TW"
		}
	}
	return language, region
}
