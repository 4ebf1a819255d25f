package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// forger writes tokens with one of our own keys, so that an attack is refused for what it is and not for its signature.
type forger struct {
	secret []byte
	header string
	claims map[string]any
}

func newForger(t testing.TB, w *world, token string) *forger {
	t.Helper()
	ring, err := w.ring(t.Context(), checkout.Test)
	if err != nil {
		t.Fatal(err)
	}
	header, payload, _ := strings.Cut(token, ".")
	payload, _, _ = strings.Cut(payload, ".")
	f := &forger{secret: ring.signer.secret, header: decoded(header)}
	if err := json.Unmarshal([]byte(decoded(payload)), &f.claims); err != nil {
		t.Fatal(err)
	}
	f.claims["iat"], f.claims["exp"] = int64(f.claims["iat"].(float64)), int64(f.claims["exp"].(float64))
	return f
}

// payload writes the claims in our order, with some replaced by raw JSON; an empty text leaves one out.
func (f *forger) payload(replace map[string]string) string {
	var members []string
	for _, name := range []string{"iss", "aud", "jti", "iat", "exp", "env", "role", "store", "identity", "session"} {
		value, replaced := replace[name]
		if own, has := f.claims[name]; has && !replaced {
			text, _ := json.Marshal(own)
			value = string(text)
		}
		if value != "" {
			members = append(members, strconv.Quote(name)+":"+value)
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (f *forger) sign(header, payload string) string {
	return f.signSegments(encoded(header), encoded(payload))
}

func (f *forger) signSegments(header, payload string) string {
	mac := hmac.New(sha256.New, f.secret)
	mac.Write([]byte(header + "." + payload))
	return header + "." + payload + "." + encoded(string(mac.Sum(nil)))
}

func encoded(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

func decoded(s string) string {
	text, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestForgerIsBelieved is the control of the attacks below: unchanged, its tokens pass.
func TestForgerIsBelieved(t *testing.T) {
	w := newWorld(t)
	for _, token := range []string{w.customer(t, checkout.Test), w.shopper(t)} {
		f := newForger(t, w, token)
		if forged := f.sign(f.header, f.payload(nil)); forged != token {
			t.Errorf("forged %s\nissued %s", forged, token)
		}
		if _, err := w.test(t, token); err != nil {
			t.Error(err)
		}
	}
}

// TestAttacksOnClaims: claims that we would not issue are no token even under our signature.
func TestAttacksOnClaims(t *testing.T) {
	w := newWorld(t)
	issued := start.Unix()
	at := func(d time.Duration) string { return strconv.FormatInt(issued+int64(d/time.Second), 10) }
	customer, shopper := w.customer(t, checkout.Test), w.shopper(t)
	for _, c := range []struct {
		name    string
		token   string
		replace map[string]string
	}{
		// J3: time.
		{"no exp", customer, map[string]string{"exp": ""}},
		{"exp 0", customer, map[string]string{"exp": "0"}},
		{"exp null", customer, map[string]string{"exp": "null"}},
		{"exp as a string", customer, map[string]string{"exp": `"` + at(time.Hour) + `"`}},
		{"exp as a float", customer, map[string]string{"exp": at(time.Hour) + ".0"}},
		{"exp with an exponent", customer, map[string]string{"exp": "1e309"}},
		{"exp below zero", customer, map[string]string{"exp": "-1"}},
		{"exp 2^62", customer, map[string]string{"exp": "4611686018427387904"}},
		{"exp 2^63-1", customer, map[string]string{"exp": "9223372036854775807"}},
		{"exp 2^63", customer, map[string]string{"exp": "9223372036854775808"}},
		{"expired", customer, map[string]string{"exp": at(0)}},
		{"a life too long", customer, map[string]string{"exp": at(time.Hour + time.Second)}},
		{"a shopper's life too long", shopper, map[string]string{"exp": at(time.Minute + time.Second)}},
		{"no iat", customer, map[string]string{"iat": ""}},
		{"iat in the future", customer, map[string]string{"iat": at(clockSkew + time.Second)}},
		{"iat 2^63-1", customer, map[string]string{"iat": "9223372036854775807"}},
		{"iat -2^63", customer, map[string]string{"iat": "-9223372036854775808"}},
		{"iat as a string", customer, map[string]string{"iat": `"` + at(0) + `"`}},

		// J4: the right key, the other environment.
		{"env of the other key", customer, map[string]string{"env": `"prod"`}},
		{"no env", customer, map[string]string{"env": ""}},

		// J5: who, where, for whom.
		{"no iss", customer, map[string]string{"iss": ""}},
		{"another deployment's", customer, map[string]string{"iss": `"https://pay.example.net"`}},
		{"another deployment's spelling", customer, map[string]string{"iss": `"https://pay.example/"`}},
		{"no aud", customer, map[string]string{"aud": ""}},
		{"for another deployment", customer, map[string]string{"aud": `"https://pay.example.net"`}},
		{"aud as a list", customer, map[string]string{"aud": `["https://pay.example"]`}},
		{"merchant", customer, map[string]string{"role": `"merchant"`}},
		{"visitor", customer, map[string]string{"role": `"visitor"`}},
		{"no role", customer, map[string]string{"role": ""}},
		{"a capital role", customer, map[string]string{"role": `"Customer"`}},
		{"no store", customer, map[string]string{"store": ""}},
		{"stores", customer, map[string]string{"store": `["` + demo().Store.ID + `"]`}},
		{"something like a store", customer, map[string]string{"store": `"STO_*"`}},
		{"a customer without identity", customer, map[string]string{"identity": ""}},
		{"identity null", customer, map[string]string{"identity": "null"}},
		{"a customer with a session", customer, map[string]string{"session": `"` + sessionID + `"`}},
		{"a shopper without session", shopper, map[string]string{"session": ""}},
		{"a shopper with identity", shopper, map[string]string{"identity": `"x"`}},
		{"a shopper made customer", shopper, map[string]string{"role": `"customer"`}},
		{"no id", customer, map[string]string{"jti": ""}},
		{"id of a path", customer, map[string]string{"jti": `"../prod"`}},
	} {
		f := newForger(t, w, c.token)
		t.Run(c.name, func(t *testing.T) {
			got, err := w.test(t, f.sign(f.header, f.payload(c.replace)))
			checkRefused(t, got, err, checkout.AuthenticationFailed)
		})
	}
}

// TestAttacksOnSpelling (J6): the same claims, validly signed, written otherwise.
func TestAttacksOnSpelling(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	f := newForger(t, w, token)
	payload := f.payload(nil)
	whole := strings.Split(token, ".")
	identity := strconv.Quote(buyer)
	for name, attack := range map[string]string{
		"a member twice":         f.sign(f.header, strings.Replace(payload, "{", `{"role":"shopper",`, 1)),
		"a member folded":        f.sign(f.header, strings.Replace(payload, "{", `{"STORE":"STO_0000000000000000000000",`, 1)),
		"a member of its own":    f.sign(f.header, strings.Replace(payload, "{", `{"admin":true,`, 1)),
		"nbf in the future":      f.sign(f.header, strings.Replace(payload, "{", `{"nbf":99999999999,`, 1)),
		"members in another row": f.sign(f.header, lastFirst(payload)),
		"white space":            f.sign(f.header, strings.Replace(payload, ":", ": ", 1)),
		"a line break after":     f.sign(f.header, payload+"\n"),
		"an escaped letter":      f.sign(f.header, strings.Replace(payload, identity, `"\u0075ser-4711"`, 1)),
		"half a code point":      f.sign(f.header, strings.Replace(payload, identity, `"\ud800"`, 1)),
		"invalid UTF-8":          f.sign(f.header, strings.Replace(payload, identity, "\"\xff\"", 1)),
		"an array":               f.sign(f.header, "["+payload+"]"),
		"null":                   f.sign(f.header, "null"),
		"nothing":                f.sign(f.header, ""),
		"deeply nested":          f.sign(f.header, strings.Repeat("[", 1500)),
		"padded claims":          f.signSegments(whole[0], base64.URLEncoding.EncodeToString([]byte(payload+" "))),
		"a line break inside":    f.signSegments(whole[0], whole[1][:20]+"\n"+whole[1][20:]),
		"loose bits":             whole[0] + "." + whole[1] + "." + loosened(whole[2]),
		"padded signature":       token + "==",
		"the other alphabet":     whole[0] + "." + whole[1] + "." + standard(t, f, whole),
		"too long":               f.sign(f.header, f.payload(map[string]string{"identity": strconv.Quote(strings.Repeat("x", 3000))})),
	} {
		if attack == token {
			t.Errorf("%s: no attack", name)
		}
		t.Run(name, func(t *testing.T) {
			got, err := w.test(t, attack)
			checkRefused(t, got, err, checkout.AuthenticationFailed)
		})
	}
}

// lastFirst writes the last member of an object before the others.
func lastFirst(object string) string {
	comma := strings.LastIndexByte(object, ',')
	return "{" + object[comma+1:len(object)-1] + "," + object[1:comma] + "}"
}

// loosened sets bits of the last character that no octet uses.
func loosened(segment string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(alphabet, segment[len(segment)-1])
	return segment[:len(segment)-1] + string(alphabet[last^1])
}

// standard signs until the signature has a character that the two alphabets write differently.
func standard(t *testing.T, f *forger, segments []string) string {
	signature, err := base64.RawURLEncoding.DecodeString(segments[2])
	if err != nil {
		t.Fatal(err)
	}
	if text := base64.RawStdEncoding.EncodeToString(signature); text != segments[2] {
		return text
	}
	return strings.Replace(segments[2], segments[2][:1], "+", 1)
}

// TestAttacksOnHeader (J1, J2, J6): the header chooses nothing. Every token is signed with our own key or a key that the
// header offers.
func TestAttacksOnHeader(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	f := newForger(t, w, token)
	payload := f.payload(nil)
	whole := strings.Split(token, ".")
	kid := decodedKid(t, f.header)
	thief := &forger{secret: bytes.Repeat([]byte{7}, secretSize)}
	jwk := `{"kty":"oct","k":"` + encoded(string(thief.secret)) + `"}`
	head := func(alg, more string) string {
		return `{"alg":"` + alg + `","kid":"` + kid + `","typ":"JWT"` + more + `}`
	}
	unsigned := func(alg string) string { return encoded(head(alg, "")) + "." + whole[1] + "." }

	attacks := map[string]string{
		// J1: the algorithm.
		"none":               unsigned("none"),
		"None":               unsigned("None"),
		"nOnE":               unsigned("nOnE"),
		"none, but signed":   f.sign(head("none", ""), payload),
		"no secret":          (&forger{}).sign(f.header, payload),
		"the kid for secret": (&forger{secret: []byte(kid)}).sign(f.header, payload),
		"HS512":              f.sign(head("HS512", ""), payload),
		"RS256":              f.sign(head("RS256", ""), payload),
		"ES256":              f.sign(head("ES256", ""), payload),
		"EdDSA":              f.sign(head("EdDSA", ""), payload),
		"no alg":             f.sign(`{"kid":"`+kid+`","typ":"JWT"}`, payload),
		"empty signature":    whole[0] + "." + whole[1] + ".",
		"two parts":          whole[0] + "." + whole[1],
		"four parts":         token + "." + whole[2],
		"five parts":         token + ".." + whole[2],
		"one part":           whole[0],
		"another signature":  whole[0] + "." + whole[1] + "." + encoded(strings.Repeat("\x00", 64)),
		"a longer signature": whole[0] + "." + whole[1] + "." + encoded(decoded(whole[2])+"\x00"),
		"signed by a thief":  thief.sign(f.header, payload),
		"half a signature":   whole[0] + "." + whole[1] + "." + encoded(decoded(whole[2])[:16]),

		// J2: the key.
		"kid of a file":      f.sign(`{"alg":"HS256","kid":"../../dev/null","typ":"JWT"}`, payload),
		"kid of SQL":         f.sign(`{"alg":"HS256","kid":"' OR 1=1 --","typ":"JWT"}`, payload),
		"kid of 10 KB":       f.sign(`{"alg":"HS256","kid":"`+strings.Repeat("k", 10_000)+`","typ":"JWT"}`, payload),
		"kid of the other":   f.sign(strings.Replace(f.header, kid, otherKid(t, w), 1), payload),
		"kid as a number":    f.sign(`{"alg":"HS256","kid":1,"typ":"JWT"}`, payload),
		"no kid":             f.sign(`{"alg":"HS256","typ":"JWT"}`, payload),
		"jwk":                f.sign(head("HS256", `,"jwk":`+jwk), payload),
		"jwk of a thief":     thief.sign(head("HS256", `,"jwk":`+jwk), payload),
		"jku":                f.sign(head("HS256", `,"jku":"https://evil.example/jwks"`), payload),
		"x5u":                f.sign(head("HS256", `,"x5u":"https://evil.example/cert"`), payload),
		"crit":               f.sign(head("HS256", `,"crit":["exp"]`), payload),
		"another typ":        f.sign(strings.Replace(f.header, "JWT", "at+jwt", 1), payload),
		"header of nothing":  f.sign("", payload),
		"header of an array": f.sign("["+f.header+"]", payload),

		// J6: the spelling.
		"alg twice":          f.sign(strings.Replace(f.header, "{", `{"alg":"none",`, 1), payload),
		"alg twice the same": f.sign(strings.Replace(f.header, "{", `{"alg":"HS256",`, 1), payload),
		"Alg beside alg":     f.sign(strings.Replace(f.header, "{", `{"Alg":"none",`, 1), payload),
		"white space":        f.sign(f.header+" ", payload),
		"padded header":      f.signSegments(whole[0]+"=", whole[1]),
		"a megabyte of dots": strings.Repeat(".", 1<<20),
		"4 KB of dots":       strings.Repeat(".", 4096),
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			got, err := w.test(t, attack)
			checkRefused(t, got, err, checkout.AuthenticationFailed)
		})
	}
}

func decodedKid(t *testing.T, header string) string {
	t.Helper()
	var h struct{ Alg, Kid, Typ string }
	if err := json.Unmarshal([]byte(header), &h); err != nil || h.Alg != "HS256" || h.Typ != "JWT" {
		t.Fatalf("header %s: %v", header, err)
	}
	if len(h.Kid) > 32 || strings.Trim(h.Kid, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		t.Fatalf("kid %q", h.Kid)
	}
	return h.Kid
}

func otherKid(t *testing.T, w *world) string {
	t.Helper()
	ring, err := w.ring(t.Context(), checkout.Prod)
	if err != nil {
		t.Fatal(err)
	}
	return decodedKid(t, decoded(ring.signer.header))
}
