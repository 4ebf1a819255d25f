package prove

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// configure checks what each member of the configuration does, and that a wrong configuration passes everything on.
func configure(t *testing.T, open Open) {
	const refused, passed = 400, 200
	origin := echo(t)
	wrong := `{"checkoutSessionId":"cs_1","billingDetail":{"country":"XX","isBusiness":false}}`
	long := wrong + strings.Repeat(" ", 9_000)
	with := func(more map[string]string) map[string]string {
		all := map[string]string{}
		for name, value := range credentials {
			all[name] = value
		}
		for name, value := range more {
			all[name] = value
		}
		return all
	}
	for _, c := range []struct {
		name, config, path, body string
		header                   map[string]string
		want                     int
	}{
		{"default", "", createOrder, wrong, credentials, refused},
		{"without a credential", "", createOrder, wrong, nil, passed},
		{"another path", "", "/v1/actions/checkout/quote", wrong, credentials, passed},
		{"longer than the default", "", createOrder, long, credentials, passed},
		{"a greater length", `{"maxBody":65536}`, createOrder, long, credentials, refused},
		{"a number as text", `{"maxBody":"65536"}`, createOrder, long, credentials, refused},
		{"a smaller length", `{"maxBody":20}`, createOrder, wrong, credentials, passed},
		{"paths", `{"paths":["/shop/order","/order"]}`, "/order", wrong, credentials, refused},
		{"not the default path", `{"paths":["/shop/order"]}`, createOrder, wrong, credentials, passed},
		{"report only", `{"reportOnly":true}`, createOrder, wrong, credentials, passed},
		{"report only as text", `{"reportOnly":"true"}`, createOrder, wrong, credentials, passed},
		{"report nothing", `{"reportOnly":"false"}`, createOrder, wrong, credentials, refused},
		{"no origins", `{}`, createOrder, wrong, with(map[string]string{"Origin": "https://a.example"}), passed},
		{"an origin", `{"origins":["https://a.example"]}`, createOrder, wrong, with(map[string]string{"Origin": "https://a.example"}), refused},
		{"unknown members", `{"a":{"b":[1]}}`, createOrder, wrong, credentials, refused},
		{"wrong type", `{"paths":"/order"}`, createOrder, wrong, credentials, passed},
		{"wrong element", `{"origins":[1]}`, createOrder, wrong, credentials, passed},
		{"too long a length", `{"maxBody":65537}`, createOrder, wrong, credentials, passed},
		{"neither true nor false", `{"reportOnly":"yes"}`, createOrder, wrong, credentials, passed},
		{"too many paths", `{"paths":[` + strings.Repeat(`"/order",`, 64) + `"/order"]}`, "/order", wrong, credentials, passed},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := open(t, c.config, origin.URL)
			for _, chunked := range []bool{false, true} {
				r := request{"POST", c.path, c.header, []byte(c.body), chunked}
				response, body := r.send(t, server)
				if response.StatusCode != c.want {
					t.Errorf("status %d, want %d: %s", response.StatusCode, c.want, body)
				}
				if c.want == passed && string(body) != digest(r.body) {
					t.Errorf("the origin got %s", body)
				}
			}
		})
	}
	t.Run("a repeated header", func(t *testing.T) { repeatHeaders(t, open(t, "", origin.URL), wrong) })
	t.Run("an endless body", func(t *testing.T) { endless(t, open, origin) })
}

// repeatHeaders sends each header that the API accepts once only twice.
func repeatHeaders(t *testing.T, server, body string) {
	for _, name := range []string{"", "Authorization", "X-Environment", "X-Merchant-Id", "X-Timestamp", "X-Signature", "X-Store-Slug", "X-Idempotency-Key", "Content-Type", "Content-Encoding"} {
		r, err := http.NewRequestWithContext(t.Context(), "POST", server+createOrder, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range credentials {
			r.Header.Set(name, value)
		}
		want := 400
		if name != "" {
			r.Header[name], want = []string{"a", "a"}, 200
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != want {
			t.Errorf("%s twice: status %d, want %d", name, response.StatusCode, want)
		}
	}
}

// endless sends a body without a length that is longer than what a host should keep. It is refused as the API refuses it, unless
// refusals are only reported.
func endless(t *testing.T, open Open, origin *httptest.Server) {
	body := bytes.Repeat([]byte("x"), 1<<20+1)
	for _, c := range []struct {
		config string
		size   int
		want   string
	}{
		{"", 1 << 20, digest(body[:1<<20])},
		{"", 1<<20 + 1, `{"data":null,"errors":[{"message":"Request body exceeds 64 KiB","layer":"gateway","code":"body-too-large"}]}`},
		{`{"reportOnly":true}`, 1<<20 + 1, digest(body)},
	} {
		r := request{"POST", createOrder, nil, body[:c.size], true}
		if response, got := r.send(t, open(t, c.config, origin.URL)); string(got) != c.want {
			t.Errorf("%s, %d bytes: %d %.200s", c.config, c.size, response.StatusCode, got)
		}
	}
}
