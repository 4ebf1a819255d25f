package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
)

func TestCustomer(t *testing.T) {
	w := newWorld(t)
	issued, err := w.IssueCustomer(t.Context(), merchantIn(checkout.Test),
		TokenRequest{BuyerIdentity: buyer, ProductID: demo().Products[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	if want := start.Truncate(time.Second).Add(5 * time.Minute).UnixMilli(); issued.ExpiresAt != want {
		t.Errorf("expires at %d, want %d", issued.ExpiresAt, want)
	}
	got, err := w.test(t, issued.Token)
	if err != nil {
		t.Fatal(err)
	}
	want := Caller{Role: Customer, Environment: checkout.Test, StoreID: demo().Store.ID, Identity: buyer, Token: got.Token}
	if got != want || got.Token.ID == "" {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if want := start.Truncate(time.Second).Add(time.Hour).UnixMilli(); got.Token.ExpiresAt != want {
		t.Errorf("the token ends at %d, want %d", got.Token.ExpiresAt, want)
	}
	if got := got.Checkout(); got != (checkout.Caller{Environment: checkout.Test, StoreID: demo().Store.ID, Identity: buyer}) {
		t.Errorf("create-order sees %+v", got)
	}
}

func TestShopper(t *testing.T) {
	w := newWorld(t)
	issued, err := w.IssueShopper(t.Context(), visitor(), openSession())
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.test(t, issued.Token)
	if err != nil {
		t.Fatal(err)
	}
	end := start.Truncate(time.Second).Add(time.Minute).UnixMilli()
	want := Caller{
		Role: Shopper, Environment: checkout.Test, StoreID: demo().Store.ID, SessionID: sessionID,
		Token: Token{ID: got.Token.ID, ExpiresAt: end},
	}
	if got != want || got.Token.ID == "" || issued.ExpiresAt != end {
		t.Errorf("got %+v until %d, want %+v", got, issued.ExpiresAt, want)
	}
}

// TestShopperEnds: a minute, or one order.
func TestShopperEnds(t *testing.T) {
	w := newWorld(t)
	token := w.shopper(t)
	for _, at := range []time.Duration{0, 30 * time.Second, 59*time.Second + 499*time.Millisecond} {
		w.now = start.Add(at)
		if _, err := w.test(t, token); err != nil {
			t.Errorf("after %v: %v", at, err)
		}
	}
	w.now = start.Add(59*time.Second + 500*time.Millisecond) // a minute after the second in which it was issued
	got, err := w.test(t, token)
	checkRefused(t, got, err, checkout.AuthenticationFailed)

	token = w.shopper(t)
	caller, err := w.test(t, token)
	if err != nil {
		t.Fatal(err)
	}
	w.memory.spend(checkout.Test, caller.Token)
	if got, err = w.test(t, token); err != nil || !got.Spent || caller.Spent {
		t.Errorf("a token that has had its order: %+v, %v; before: %+v", got, err, caller)
	}
	if w.memory.touches != 0 {
		t.Errorf("a shopper's token was renewed %d times", w.memory.touches)
	}
}

// TestCustomerLives walks through a token's life: what it is asked, and how long after issue it must still answer.
func TestCustomerLives(t *testing.T) {
	const tick = time.Millisecond
	begin := start.Truncate(time.Second)
	for name, steps := range map[string][]struct {
		at    time.Duration // since begin
		alive bool
	}{
		"unused":                {{5*time.Minute - tick, true}},
		"unused for too long":   {{5 * time.Minute, false}},
		"renewed":               {{4 * time.Minute, true}, {8 * time.Minute, true}, {12 * time.Minute, true}},
		"renewed at once":       {{time.Second, true}, {5 * time.Minute, true}},
		"renewed, then too old": {{4 * time.Minute, true}, {9*time.Minute + touchEvery, false}},
		"never early":           {{time.Minute, true}, {69 * time.Second, true}, {6*time.Minute + 8*time.Second, true}},
		"dead stays dead":       {{6 * time.Minute, false}, {6*time.Minute + tick, false}},
		"an hour in all": {{4 * time.Minute, true}, {8 * time.Minute, true}, {12 * time.Minute, true}, {16 * time.Minute, true},
			{20 * time.Minute, true}, {24 * time.Minute, true}, {28 * time.Minute, true}, {32 * time.Minute, true},
			{36 * time.Minute, true}, {40 * time.Minute, true}, {44 * time.Minute, true}, {48 * time.Minute, true},
			{52 * time.Minute, true}, {56 * time.Minute, true}, {time.Hour - tick, true}, {time.Hour, false}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			token := w.customer(t, checkout.Test)
			for _, step := range steps {
				w.now = begin.Add(step.at)
				got, err := w.test(t, token)
				if step.alive != (err == nil) {
					t.Fatalf("after %v: %v, want alive: %t", step.at, err, step.alive)
				}
				if !step.alive {
					checkRefused(t, got, err, checkout.AuthenticationFailed)
				}
			}
		})
	}
}

// TestTouchesAreFew: a burst of calls is written down once.
func TestTouchesAreFew(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	for range 100 {
		w.now = w.now.Add(200 * time.Millisecond) // 20 s in all
		if _, err := w.test(t, token); err != nil {
			t.Fatal(err)
		}
	}
	if w.memory.touches != 2 {
		t.Errorf("%d touches, want 2", w.memory.touches)
	}
}

// TestSessionHeaders: what stands in the two headers before anything is verified.
func TestSessionHeaders(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	if _, err := w.Session(t.Context(), "bearer "+token, "test"); err != nil {
		t.Errorf("the scheme is not case-sensitive (RFC 9110 §11.1): %v", err)
	}
	for _, environment := range []string{"", "Test", "production", "test,prod", " test"} {
		got, err := w.Session(t.Context(), "Bearer "+token, environment)
		checkRefused(t, got, err, incompleteHeaders)
	}
	for _, authorization := range []string{
		"", "Bearer", "Bearer ", token, "Basic " + token, "Bearer\t" + token, "Bearer  " + token, "Bearer " + token + " ",
		"Bearer " + token + ", Bearer " + token,
	} {
		got, err := w.Session(t.Context(), authorization, "test")
		checkRefused(t, got, err, checkout.AuthenticationFailed)
	}
	got, err := w.Session(t.Context(), "", "")
	checkRefused(t, got, err, checkout.AuthenticationFailed)
}

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

// TestEnvironmentsApart (J4): the header chooses the keys, and the keys of one know nothing of the other's tokens.
func TestEnvironmentsApart(t *testing.T) {
	w := newWorld(t)
	for token, elsewhere := range map[string]string{w.customer(t, checkout.Test): "prod", w.customer(t, checkout.Prod): "test"} {
		got, err := w.Session(t.Context(), "Bearer "+token, elsewhere)
		checkRefused(t, got, err, checkout.AuthenticationFailed)
	}
	if got, err := w.Session(t.Context(), "Bearer "+w.customer(t, checkout.Prod), "prod"); err != nil ||
		got.Environment != checkout.Prod {
		t.Errorf("at home: %+v, %v", got, err)
	}
}

// TestOneTextForAll (J7): whatever is wrong, the caller reads the same, and the reason holds no credential.
func TestOneTextForAll(t *testing.T) {
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	for _, attack := range []string{"", "x", token + "x", token[:len(token)-2]} {
		_, err := w.test(t, attack)
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Problem.Error() != "Authentication failed" {
			t.Errorf("%q: %v", attack, err)
		} else if strings.Contains(refusal.Error(), token[:20]) {
			t.Errorf("the log would hold the token: %v", refusal)
		}
	}
}

// TestStoreFailures: a database that is down is not the caller's fault.
func TestStoreFailures(t *testing.T) {
	down := errors.New("the disk is gone")
	w := newWorld(t)
	token := w.customer(t, checkout.Test)
	request := signed(w.now, "/v1/actions/x", nil)
	w.memory.fault = down
	_, session := w.test(t, token)
	_, key := w.APIKey(t.Context(), request)
	_, store := w.Storefront(t.Context(), demo().Store.Slug, "test")
	_, issue := w.IssueCustomer(t.Context(), merchantIn(checkout.Test), TokenRequest{BuyerIdentity: buyer, StoreID: demo().Store.ID})
	_, fresh := w.another().Session(t.Context(), "Bearer "+token, "test")
	for name, err := range map[string]error{
		"session": session, "key": key, "store": store, "issue": issue, "fresh": fresh, "rotate": w.Rotate(t.Context()),
	} {
		var refusal *Refusal
		if !errors.Is(err, down) || errors.As(err, &refusal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzSession: whatever is shown, only a token that was issued is believed, and everything else is refused in one way.
func FuzzSession(f *testing.F) {
	w := newWorld(f)
	issued := map[string]bool{w.customer(f, checkout.Test): true, w.shopper(f): true}
	for token := range issued {
		forge := newForger(f, w, token)
		f.Add(token)
		f.Add(forge.sign(forge.header, forge.payload(map[string]string{"exp": "1e309"})))
		f.Add(forge.sign(strings.Replace(forge.header, "{", `{"alg":"none",`, 1), forge.payload(nil)))
		f.Add((&forger{secret: []byte("x")}).sign(forge.header, forge.payload(nil)))
		f.Add(token[:strings.LastIndexByte(token, '.')+1])
	}
	f.Add("")
	f.Add("..")
	f.Add(strings.Repeat(".", 5000))
	f.Add(string(bytes.Repeat([]byte{0xff}, 100)))
	f.Fuzz(func(t *testing.T, token string) {
		got, err := w.test(t, token)
		if issued[token] {
			if err != nil {
				t.Errorf("our own token: %v", err)
			}
			return
		}
		checkRefused(t, got, err, checkout.AuthenticationFailed)
	})
}
