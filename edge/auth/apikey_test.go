package auth

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

const path = "/v1/actions/checkout/create-session"

var body = []byte(`{"productId":"PROD_2aUyqjCzEIiEcYMKj7TZtw","currency":"EUR"}`)

// signed is the demo merchant's request in test.
func signed(at time.Time, path string, body []byte) Signed {
	return signedBy(demo(), checkout.Test, at, path, body)
}

func signedBy(d *catalog.Demo, env checkout.Environment, at time.Time, path string, body []byte) Signed {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	hash := sha256.Sum256(body)
	canonical := "POST\n" + path + "\n" + timestamp + "\n" + base64.StdEncoding.EncodeToString(hash[:])
	return Signed{
		MerchantID: d.Merchant.ID, Timestamp: timestamp, Path: path, Body: body,
		Signature: base64.StdEncoding.EncodeToString(signature(privateKey(d, env), canonical)),
	}
}

func signature(private *rsa.PrivateKey, text string) []byte {
	digest := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return signature
}

func privateKey(d *catalog.Demo, env checkout.Environment) *rsa.PrivateKey {
	block, _ := pem.Decode([]byte(d.PrivateKeys[env]))
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	return private.(*rsa.PrivateKey)
}

// TestAPIKey: the key that verifies decides the environment (R1), and what is sent again is verified again (R2).
func TestAPIKey(t *testing.T) {
	w := newWorld(t)
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		request := signedBy(demo(), env, w.now, path, body)
		for range 2 {
			got, err := w.APIKey(t.Context(), request)
			if err != nil || got != merchantIn(env) {
				t.Errorf("%s: %+v, %v", env, got, err)
			}
		}
	}
	if got, err := w.APIKey(t.Context(), signed(w.now, path, nil)); err != nil {
		t.Errorf("an empty body: %+v, %v", got, err)
	}
}

func TestAttacksOnAPIKey(t *testing.T) {
	w := newWorld(t)
	good := signed(w.now, path, body)
	foreign := signedBy(rival(), checkout.Test, w.now, path, body)
	raw, _ := base64.StdEncoding.DecodeString(good.Signature)
	bytesOf := func(change func([]byte)) string {
		b := []byte(string(raw))
		change(b)
		return base64.StdEncoding.EncodeToString(b)
	}
	for _, c := range []struct {
		name  string
		spoil func(*Signed)
		want  *problem.Problem
	}{
		{"nothing", func(r *Signed) { r.MerchantID, r.Timestamp, r.Signature = "", "", "" }, ErrNoCredential},
		{"no merchant", func(r *Signed) { r.MerchantID = "" }, badAPIKey},
		{"no timestamp", func(r *Signed) { r.Timestamp = "" }, badAPIKey},
		{"no signature", func(r *Signed) { r.Signature = "" }, badAPIKey},

		// R1: the merchant id is not signed; it chooses the keys and so cannot be another's.
		{"another merchant's name", func(r *Signed) { r.MerchantID = rival().Merchant.ID }, badAPIKey},
		{"another merchant's signature", func(r *Signed) { r.Signature = foreign.Signature }, badAPIKey},
		{"an unknown merchant", func(r *Signed) { r.MerchantID = "MER_0000000000000000000000" }, badAPIKey},
		{"a store", func(r *Signed) { r.MerchantID = demo().Store.ID }, badAPIKey},
		{"a path for a merchant", func(r *Signed) { r.MerchantID = "../../" + r.MerchantID }, badAPIKey},
		{"merchants", func(r *Signed) { r.MerchantID += "," + rival().Merchant.ID }, badAPIKey},

		// R4: the path as it came, and the body.
		{"query", func(r *Signed) { r.Path += "?x=1" }, badAPIKey},
		{"empty query", func(r *Signed) { r.Path += "?" }, badAPIKey},
		{"trailing slash", func(r *Signed) { r.Path += "/" }, badAPIKey},
		{"double slash", func(r *Signed) { r.Path = "/" + r.Path }, badAPIKey},
		{"dot segment", func(r *Signed) { r.Path = "/." + r.Path }, badAPIKey},
		{"escaped slash", func(r *Signed) { r.Path = strings.Replace(path, "/create", "%2fcreate", 1) }, badAPIKey},
		{"escaped letter", func(r *Signed) { r.Path = strings.Replace(path, "v1", "%761", 1) }, badAPIKey},
		{"parameter", func(r *Signed) { r.Path += ";x" }, badAPIKey},
		{"capital", func(r *Signed) { r.Path = strings.ToUpper(path) }, badAPIKey},
		{"another path", func(r *Signed) { r.Path = "/v1/actions/auth/issue-session-token" }, badAPIKey},
		{"path and line", func(r *Signed) { r.Path += "\n" + r.Timestamp }, badAPIKey},
		{"another body", func(r *Signed) { r.Body = []byte(`{}`) }, badAPIKey},
		{"no body", func(r *Signed) { r.Body = nil }, badAPIKey},
		{"body with a line break", func(r *Signed) { r.Body = append([]byte(nil), string(body)+"\n"...) }, badAPIKey},

		// R5: one spelling of base64.
		{"line break inside", func(r *Signed) { r.Signature = r.Signature[:64] + "\n" + r.Signature[64:] }, badAPIKey},
		{"line break after", func(r *Signed) { r.Signature += "\r\n" }, badAPIKey},
		{"space before", func(r *Signed) { r.Signature = " " + r.Signature }, badAPIKey},
		{"no padding", func(r *Signed) { r.Signature = strings.TrimRight(r.Signature, "=") }, badAPIKey},
		{"loose bits", func(r *Signed) { r.Signature = looseBits(r.Signature) }, badAPIKey},
		{"the other alphabet", func(r *Signed) { r.Signature = "-_" + r.Signature[2:] }, badAPIKey},
		{"hex", func(r *Signed) { r.Signature = new(big.Int).SetBytes(raw).Text(16) }, badAPIKey},
		{"very long", func(r *Signed) { r.Signature = strings.Repeat("A", 1<<20) }, badAPIKey},
		{"a bit turned", func(r *Signed) { r.Signature = bytesOf(func(b []byte) { b[100] ^= 1 }) }, badAPIKey},
		{"zero", func(r *Signed) { r.Signature = bytesOf(func(b []byte) { clear(b) }) }, badAPIKey},
		{"one byte more", func(r *Signed) { r.Signature = base64.StdEncoding.EncodeToString(append([]byte{0}, raw...)) }, badAPIKey},
		{"two signatures", func(r *Signed) { r.Signature += "," + r.Signature }, badAPIKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			request := good
			c.spoil(&request)
			got, err := w.APIKey(t.Context(), request)
			checkRefused(t, got, err, c.want)
		})
	}
	if _, err := w.APIKey(t.Context(), good); err != nil {
		t.Errorf("the control: %v", err)
	}
}

// looseBits sets bits of the last character that no octet uses; a signature of 256 octets ends in "==".
func looseBits(s string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := len(s) - 3
	return s[:last] + string(alphabet[strings.IndexByte(alphabet, s[last])|1]) + s[last+1:]
}

// TestWindow (R3): five minutes back, one ahead, in plain decimal.
func TestWindow(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		away time.Duration
		in   bool
	}{
		{0, true}, {-299 * time.Second, true}, {-300 * time.Second, true}, {-301 * time.Second, false},
		{60 * time.Second, true}, {61 * time.Second, false}, {-24 * time.Hour, false}, {24 * time.Hour, false},
	} {
		request := signed(w.now.Add(c.away), path, body)
		got, err := w.APIKey(t.Context(), request)
		if c.in && err != nil {
			t.Errorf("%v away: %v", c.away, err)
		} else if !c.in {
			checkRefused(t, got, err, badAPIKey)
		}
	}
	plain := strconv.FormatInt(w.now.Unix(), 10)
	for _, timestamp := range []string{
		" " + plain, plain + " ", "+" + plain, "-" + plain, "0" + plain, plain + ".0", plain + "000", "1e9", "0x6a1", "1_795_424_400",
		"", "0", "-1", "9223372036854775807", "9223372036854775808", "NaN", "１７９５", plain + "\n", w.now.Format(time.RFC3339),
	} {
		if inWindow(timestamp, w.now) {
			t.Errorf("%q is in the window", timestamp)
		}
	}
	// Signed by the merchant, too, a timestamp is read in one way only.
	request := signed(w.now, path, body)
	request.Timestamp = "0" + plain
	hash := sha256.Sum256(body)
	request.Signature = base64.StdEncoding.EncodeToString(signature(privateKey(demo(), checkout.Test),
		"POST\n"+path+"\n"+request.Timestamp+"\n"+base64.StdEncoding.EncodeToString(hash[:])))
	got, err := w.APIKey(t.Context(), request)
	checkRefused(t, got, err, badAPIKey)
}

// TestOneKeyOneEnvironment: a key that stands in both proves neither.
func TestOneKeyOneEnvironment(t *testing.T) {
	w := newWorld(t)
	merchant := *demo().Merchant
	both := merchant.Keys[0].PublicKey
	merchant.Keys = []catalog.APIKey{
		{Environment: checkout.Test, PublicKey: both}, {Environment: checkout.Prod, PublicKey: both + "\n"},
	}
	w.memory.merchants[merchant.ID] = &merchant
	got, err := w.APIKey(t.Context(), signed(w.now, path, body))
	checkRefused(t, got, err, badAPIKey)

	merchant.Keys = []catalog.APIKey{
		{Environment: checkout.Test, PublicKey: both}, {Environment: checkout.Test, PublicKey: both + "\n"},
	}
	if _, err := w.APIKey(t.Context(), signed(w.now, path, body)); err != nil {
		t.Errorf("twice in one environment is harmless: %v", err)
	}
	merchant.Keys = nil
	got, err = w.APIKey(t.Context(), signed(w.now, path, body))
	checkRefused(t, got, err, badAPIKey)
}

// TestLiveKeys: each live key of a merchant verifies, and one that has expired or was revoked does not, in every process from the next
// request on.
func TestLiveKeys(t *testing.T) {
	w := newWorld(t)
	other := w.another()
	merchant := *demo().Merchant
	test, prod := demo().Merchant.Keys[0], demo().Merchant.Keys[1]
	next := rival().Merchant.Keys[0]
	for _, c := range []struct {
		name string
		keys []catalog.APIKey
		ok   bool
	}{
		{"the only key", []catalog.APIKey{test}, true},
		{"beside the next key", []catalog.APIKey{next, test, prod}, true},
		{"a key about to end", []catalog.APIKey{next, endingAt(test, w.now.Add(time.Millisecond))}, true},
		{"a key that has ended", []catalog.APIKey{next, endingAt(test, w.now), prod}, false},
		{"a key that ended long ago", []catalog.APIKey{endingAt(test, w.now.Add(-time.Hour))}, false},
		{"a revoked key", []catalog.APIKey{revoked(test), next, prod}, false},
		{"a revoked key that would end later", []catalog.APIKey{revoked(endingAt(test, w.now.Add(time.Hour)))}, false},
		{"a key revoked in the other environment", []catalog.APIKey{test, revoked(in(test, checkout.Prod))}, true},
		{"no key", nil, false},
		{"the only key again", []catalog.APIKey{test}, true},
	} {
		merchant.Keys = c.keys
		w.memory.merchants[merchant.ID] = &merchant
		for _, process := range []*Service{w.Service, other} {
			got, err := process.APIKey(t.Context(), signed(w.now, path, body))
			if c.ok && (err != nil || got != merchantIn(checkout.Test)) {
				t.Errorf("%s: %+v, %v", c.name, got, err)
			} else if !c.ok {
				checkRefused(t, got, err, badAPIKey)
			}
		}
	}
}

func endingAt(k catalog.APIKey, at time.Time) catalog.APIKey {
	k.ExpiresAt = at.UnixMilli()
	return k
}

func revoked(k catalog.APIKey) catalog.APIKey {
	k.RevokedAt = 1
	return k
}

func in(k catalog.APIKey, env checkout.Environment) catalog.APIKey {
	k.Environment = env
	return k
}

// TestPublicKeysAreBounded: the memory of parsed keys forgets rather than grows.
func TestPublicKeysAreBounded(t *testing.T) {
	var c publicKeys
	text := demo().Merchant.Keys[0].PublicKey
	first, err := c.parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := c.parse(text); again != first {
		t.Error("parsed twice")
	}
	for i := range maxParsed {
		c.parsed[strconv.Itoa(i)] = first
	}
	if _, err := c.parse(text + "\n"); err != nil || len(c.parsed) > maxParsed {
		t.Errorf("%d keys, %v", len(c.parsed), err)
	}
	if _, err := c.parse("no key"); err == nil || len(c.parsed) != 1 {
		t.Errorf("a failure was remembered: %d keys", len(c.parsed))
	}
}

func TestStorefront(t *testing.T) {
	w := newWorld(t)
	slug := demo().Store.Slug
	if got, err := w.Storefront(t.Context(), slug, "test"); err != nil || got != visitor() {
		t.Errorf("%+v, %v", got, err)
	}
	for _, unknown := range []string{"", "x", slug + "/", strings.ToUpper(slug), demo().Store.ID} {
		got, err := w.Storefront(t.Context(), unknown, "test")
		checkRefused(t, got, err, unknownStore)
	}
	for _, environment := range []string{"", "TEST", "live"} {
		got, err := w.Storefront(t.Context(), slug, environment)
		checkRefused(t, got, err, incompleteSlug)
	}
}
