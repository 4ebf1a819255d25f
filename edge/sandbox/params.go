package sandbox

import (
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// unknown returns the first parameter in alphabetical order that matches no known pattern. In a pattern "[#]" stands for an index
// and "[*]" for any name.
func unknown(params url.Values, known []string) (string, bool) {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !slices.ContainsFunc(known, func(pattern string) bool { return matches(name, pattern) }) {
			return name, true
		}
	}
	return "", false
}

func matches(name, pattern string) bool {
	part, rest, more := strings.Cut(name, "[")
	wanted, restWanted, moreWanted := strings.Cut(pattern, "[")
	if more != moreWanted || !matchesPart(part, wanted) {
		return false
	}
	return !more || matches(rest, restWanted)
}

func matchesPart(part, wanted string) bool {
	switch {
	case strings.HasPrefix(wanted, "*]"):
		return strings.HasSuffix(part, wanted[1:]) && len(part) > len(wanted[1:])
	case strings.HasPrefix(wanted, "#]"):
		return isIndex(strings.TrimSuffix(part, wanted[1:]))
	}
	return part == wanted
}

func isIndex(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == s
}

// reader reads parameters and keeps the first validation error.
type reader struct {
	params  url.Values
	invalid *apiError
}

func (r *reader) refuse(code, param, message string) {
	if r.invalid == nil {
		r.invalid = &apiError{Code: code, Param: param, Message: message}
	}
}

func (r *reader) given(name string) bool { return r.params.Has(name) }

// text returns a parameter of at most longest characters, or "".
func (r *reader) text(name string, longest int) string {
	all := r.params[name]
	if len(all) == 0 {
		return ""
	}
	value := all[len(all)-1]
	if utf8.RuneCountInString(value) > longest {
		r.refuse("", name, "Invalid string: must be at most "+strconv.Itoa(longest)+" characters")
	}
	r.refuseControls(name, value)
	return value
}

// refuseControls refuses control characters other than white space. Stripe refuses U+0000; what it does with the others is not
// documented, so that an adapter must not send any of them.
func (r *reader) refuseControls(name, text string) {
	if strings.ContainsFunc(text, func(c rune) bool { return unicode.IsControl(c) && !strings.ContainsRune("\t\r\n", c) }) {
		r.refuse("", name, "Invalid string: must not contain control characters")
	}
}

func (r *reader) required(name string, longest int) string {
	value := r.text(name, longest)
	switch {
	case !r.given(name):
		r.refuse("parameter_missing", name, "Missing required param: "+name+".")
	case value == "":
		r.refuse("parameter_invalid_empty", name, "You passed an empty string for '"+name+"'.")
	}
	return value
}

// integer returns a parameter between least and most, or fallback where it is not given.
func (r *reader) integer(name string, least, most, fallback int64) int64 {
	if !r.given(name) {
		return fallback
	}
	text := r.text(name, 40)
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		r.refuse("parameter_invalid_integer", name, "Invalid integer: "+text)
	case n < least:
		r.refuse("parameter_invalid_integer", name, "This value must be greater than or equal to "+strconv.FormatInt(least, 10)+".")
	case n > most:
		r.refuse("parameter_invalid_integer", name, "This value must be less than or equal to "+strconv.FormatInt(most, 10)+".")
	}
	return n
}

func (r *reader) boolean(name string) bool {
	value := r.text(name, 5)
	if r.given(name) && value != "true" && value != "false" {
		r.refuse("", name, "Invalid boolean: "+value)
	}
	return value == "true"
}

func (r *reader) oneOf(name, value string, allowed []string) {
	if r.given(name) && !slices.Contains(allowed, value) {
		r.refuse("", name, "Invalid "+name+": must be one of "+strings.Join(allowed, ", "))
	}
}

// address returns a URL that a buyer can be redirected to. A live session needs https, except on loopback.
func (r *reader) address(name string, live bool) string {
	value := r.text(name, 5000)
	if u, err := url.Parse(value); r.given(name) &&
		(err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || live && !loopback(u.Hostname()))) {
		r.refuse("url_invalid", name, "Not a valid URL")
	}
	return value
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// metadata reads at most 50 keys of 40 and values of 500 characters (https://docs.stripe.com/metadata).
func (r *reader) metadata(name string) map[string]string {
	found := make(map[string]string)
	for key := range r.params {
		inner, ok := strings.CutPrefix(key, name+"[")
		if !ok {
			continue
		}
		inner = strings.TrimSuffix(inner, "]")
		if utf8.RuneCountInString(inner) > 40 {
			r.refuse("", key, "Metadata keys are at most 40 characters")
		}
		r.refuseControls(key, inner)
		found[inner] = r.text(key, 500)
	}
	if len(found) > 50 {
		r.refuse("", name, "Metadata has at most 50 keys")
	}
	return found
}
