package prove

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// compareAnswers sends random requests to the edge and through the gateway to the edge: the answers must be the same. The plugin must
// answer those with a credential whose bodies the edge cannot accept, and no others.
func compareAnswers(t *testing.T, open Open) {
	e := startEdge(t)
	server := open(t, `{"maxBody":65536,"origins":["`+listed+`"]}`, e.counted.URL)
	rng, details := random(2), vectors(t)
	answered := 0
	first := longest(e)
	for i := range *answers {
		r := randomRequest(rng, e, details)
		if i < len(first) {
			r = first[i]
		}
		want, wantBody := r.send(t, e.URL)
		before := e.requests.Load()
		got, gotBody := r.send(t, server)
		byPlugin := e.requests.Load() == before
		if byPlugin {
			answered++
		}
		if byPlugin && bytes.Contains(wantBody, []byte(`"code":"session-invalid"`)) {
			continue // of a session that does not exist, the edge says that first
		}
		if got.StatusCode != want.StatusCode || !bytes.Equal(gotBody, wantBody) || !sameHeaders(got.Header, want.Header) {
			t.Fatalf("request %d, answered by the plugin: %v\n%v %s\n%q\ngot  %d %s %v\nwant %d %s %v", i, byPlugin, r.header, r.path, r.body, got.StatusCode, gotBody, got.Header,
				want.StatusCode, wantBody, want.Header)
		}
		if expected := forEveryone(r, want.StatusCode, wantBody); byPlugin != expected {
			t.Fatalf("request %d, answered by the plugin: %v\n%v %s\n%q\n%d %s", i, byPlugin, r.header, r.path, r.body, want.StatusCode, wantBody)
		}
	}
	t.Logf("the plugin answered %d of %d requests", answered, *answers)
	if answered < *answers/10 || answered > *answers*9/10 {
		t.Errorf("the plugin answered %d of %d requests", answered, *answers)
	}
}

// sameHeaders compares the headers of two answers but those that a server adds to each.
func sameHeaders(a, b http.Header) bool {
	a, b = maps.Clone(a), maps.Clone(b)
	if len(a["X-Request-Id"]) == 0 || len(b["X-Request-Id"]) == 0 || len(b.Get("X-Request-Id")) == 26 { // the edge's own, by rand.Text
		delete(a, "X-Request-Id")
		delete(b, "X-Request-Id")
	}
	for _, own := range []string{"Date", "Content-Length", "Server"} {
		delete(a, own)
		delete(b, own)
	}
	return maps.EqualFunc(a, b, slices.Equal)
}

// forEveryone reports whether an answer of the edge's is one that the plugin gives.
func forEveryone(r *request, status int, answer []byte) bool {
	var refusal struct{ Errors []struct{ Code, Path string } }
	if status != 400 || json.Unmarshal(answer, &refusal) != nil || len(refusal.Errors) == 0 || r.path != createOrder {
		return false
	}
	if origin := r.header["Origin"]; origin != "" && origin != listed {
		return false
	}
	first := refusal.Errors[0]
	return first.Code == "invalid-json" || first.Code == "checkout-session-id-required" || strings.HasPrefix(first.Path, "/billingDetail/")
}

// vectors are the billing details of the core's vectors, valid and invalid.
func vectors(t *testing.T) (all []string) {
	t.Helper()
	files, err := filepath.Glob(root(t) + "/core/testdata/vectors/billing*.json")
	if err != nil || len(files) < 50 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v struct{ In json.RawMessage }
		if err := json.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		if len(v.In) > 0 {
			all = append(all, string(v.In))
		}
	}
	return all
}

// root is the folder of Crêpe's module.
func root(t *testing.T) string {
	t.Helper()
	for dir := "."; len(dir) < 100; dir = filepath.Join(dir, "..") {
		if _, err := os.Stat(filepath.Join(dir, "core", "testdata", "vectors")); err == nil {
			return dir
		}
	}
	t.Fatal("the test runs outside of Crêpe's folder")
	return ""
}

// randomRequest returns a request that differs from a good one in none or some ways.
func randomRequest(rng *rand.Rand, e *edge, details []string) *request {
	r := &request{"POST", createOrder, map[string]string{"Authorization": "Bearer " + e.token, "X-Environment": "test", "Content-Type": "application/json"},
		randomOrder(rng, e, details), rng.IntN(2) == 0}
	odd := func(n int, change func()) {
		if rng.IntN(n) == 0 {
			change()
		}
	}
	odd(20, func() { delete(r.header, pick(rng, "Authorization", "X-Environment", "Content-Type")) })
	odd(20, func() { r.header["Authorization"] = pick(rng, "Bearer ", "Basic YTpi", "bearer "+e.token) })
	odd(20, func() { r.header["X-Environment"] = pick(rng, "Prod", "Test", "") })
	odd(20, func() {
		r.header["Content-Type"] = pick(rng, "text/plain", "application/json; charset=utf-8", "APPLICATION/JSON", ";", "application/jsonx", " application/json ;x")
	})
	odd(20, func() { r.header["Content-Encoding"] = pick(rng, "gzip", "identity", "Identity") })
	odd(10, func() { r.header["Origin"] = pick(rng, listed, "https://elsewhere.example", "null") })
	odd(10, func() {
		r.header["X-Idempotency-Key"] = pick(rng, fmt.Sprintf("key-%d", rng.Uint64()), "wrong key", strings.Repeat("a", 257), "ä")
	})
	odd(10, func() { r.header["X-Request-Id"] = pick(rng, "a.b-C_9", "wrong id", strings.Repeat("a", 65), ".") })
	odd(20, func() { r.path += pick(rng, "?", "?a=b", "/", "%2F", "x") })
	return r
}

// longest are requests with the bodies of [Longest].
func longest(e *edge) (all []*request) {
	for _, body := range Longest(e.session, 64<<10) {
		all = append(all, &request{"POST", createOrder, map[string]string{"Authorization": "Bearer " + e.token, "X-Environment": "test"}, body, false})
	}
	return all
}

// Longest returns bodies that cost the plugin the most memory: of a size, with as many members or elements as possible, whose type is the
// last thing that is wrong with them.
func Longest(session string, size int) [][]byte {
	session = `{"checkoutSessionId":"` + session + `",`
	members := func(before, after string) []byte {
		var b strings.Builder
		b.WriteString(session + before)
		for i := 0; b.Len() < size-len(after)-10; i++ {
			b.WriteString(`"` + strconv.FormatInt(int64(i), 36) + `":0,`)
		}
		return []byte(b.String() + after)
	}
	fill := func(before, piece, after string) []byte {
		before = session + before
		return []byte(before + strings.Repeat(piece, (size-len(before)-len(after))/len(piece)) + after)
	}
	return [][]byte{
		members(``, `"consents":[1]}`),
		members(``, `"consents":[]}`),
		members(`"billingDetail":{`, `"taxId":1}}`),
		members(`"billingDetail":{`, `"country":"XX"}}`),
		members(`"billingDetail":{},"billingAddress":{`, `"city":1}}`),
		fill(`"consents":[`, "0,", `0]}`),
		fill(`"consents":[`, `"",`, `0]}`),
		fill(`"billingDetail":{"country":"`, `\u0130`, `"}}`),
		bytes.Repeat([]byte("["), size),
	}
}

// randomOrder returns the body of an order, often invalid. Its e-mail address is invalid, so that no order is made.
func randomOrder(rng *rand.Rand, e *edge, details []string) []byte {
	members := []string{`"buyerEmail":"nobody"`, `"checkoutSessionId":"` + e.session + `"`, `"billingDetail":` + pick(rng, details...)}
	switch rng.IntN(12) {
	case 0:
		members[1] = pick(rng, `"checkoutSessionId":""`, `"checkoutSessionId":null`, `"checkoutsessionid":"x"`, `"checkoutSessionId":7`, `"checkoutSessionId":"cs_unknown"`)
	case 1:
		members[2] = pick(rng, `"billingDetail":null`, `"billingDetail":[]`, `"billingDetail":{}`, `"billingDetail":{"country":7}`, `"billingDetail":{"isBusiness":"true","country":1}`,
			`"billingDetail":{"country":"DE","isBusiness":false,"taxId":{}}`)
	case 2:
		members = append(members, pick(rng, `"billingAddress":{"name":1}`, `"billingAddress":""`, `"billingAddress":{"street":"a","city":null}`, `"billingAddress":{"city":[]}`))
	case 3:
		members = append(members, pick(rng, `"consents":[]`, `"consents":["a",null]`, `"consents":["a",1]`, `"consents":{}`, `"consents":[["a"]]`, `"consents":"a"`, `"consents":[true]`,
			`"consents":["\ud83e\udd5e"]`, `"consents":[`+strings.Repeat(`"a",`, 1000)+`{}]`))
	case 4:
		members = append(members, pick(rng, `"buyerIp":1`, `"successUrl":false`, `"buyerIp":"x"`, `"successUrl":"javascript:0"`, `"consents":null`, `"buyerEmail":"twice"`, `"other":"\ud800"`))
	case 5:
		members = append(members, `"note":"`+strings.Repeat("x", rng.IntN(70_000))+`"`)
	}
	rng.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	body := []byte("{" + strings.Join(members, ",") + "}")
	switch rng.IntN(12) {
	case 0:
		return body[:rng.IntN(len(body))]
	case 1:
		at := rng.IntN(len(body))
		body[at] ^= 1 << rng.IntN(8)
	case 2:
		return []byte(pick(rng, "", "null", "[]", "{}", " {} ", "{}x", "\xef\xbb\xbf{}", "{\"a\":"+strings.Repeat("[", 40)+strings.Repeat("]", 40)+"}"))
	}
	return body
}

func pick(rng *rand.Rand, of ...string) string { return of[rng.IntN(len(of))] }
