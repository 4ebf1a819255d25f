package erasure

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/email"
)

// mentions reports whether a text has an address in it, as such, as a part of a URL, in the strings of JSON, or in the claims of a
// token. The address is normalised. A longer address that contains it is another one.
func mentions(text, address string) bool {
	if !strings.ContainsRune(text, '@') && !strings.Contains(text, "%40") && !strings.Contains(text, "ey") && !strings.Contains(text, `\u0040`) {
		return false
	}
	var value any
	if trimmed := strings.TrimSpace(text); strings.HasPrefix(trimmed, "{") || strings.HasPrefix(trimmed, "[") || strings.HasPrefix(trimmed, `"`) {
		if json.Unmarshal([]byte(trimmed), &value) == nil {
			return anyMentions(value, address)
		}
	}
	return plainMentions(text, address) || tokenMentions(text, address)
}

func anyMentions(value any, address string) bool {
	switch v := value.(type) {
	case string:
		return mentions(v, address)
	case []any:
		for _, item := range v {
			if anyMentions(item, address) {
				return true
			}
		}
	case map[string]any:
		for name, item := range v {
			if mentions(name, address) || anyMentions(item, address) {
				return true
			}
		}
	}
	return false
}

// tokenMentions looks into the claims of a JSON Web Token.
func tokenMentions(text, address string) bool {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || !strings.HasPrefix(parts[1], "ey") {
		return false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && mentions(string(claims), address)
}

func plainMentions(text, address string) bool {
	text = email.Normalize(text)
	return contains(text, address) || contains(text, strings.ToLower(url.QueryEscape(address)))
}

// contains reports whether a text has an address in it that is not a part of a longer one.
func contains(text, address string) bool {
	for start := 0; ; {
		i := strings.Index(text[start:], address)
		if i < 0 {
			return false
		}
		i += start
		if !partOfName(text[:i]) && !continues(text[i+len(address):]) {
			return true
		}
		start = i + 1
	}
}

// partOfName reports whether the text before an address makes its name another one. The other characters that a name may have, such as =
// and &, are rather those of a URL, and so is %3D.
func partOfName(before string) bool {
	if i := len(before) - 3; i >= 0 && before[i] == '%' {
		return false
	}
	r, size := utf8.DecodeLastRuneInString(before)
	return size > 0 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-+", r))
}

// continues reports whether the text behind an address makes its domain another one.
func continues(rest string) bool {
	rest = strings.TrimPrefix(rest, ".")
	r, _ := utf8.DecodeRuneInString(rest)
	return rest != "" && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-')
}
