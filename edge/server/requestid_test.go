package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/edge/requestid"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestRequestID: a response has the id of its request, also after a panic, and so has each record of the log about the request.
func TestRequestID(t *testing.T) {
	s := openTuned(t, func(s *server) {
		s.extra = map[string]fasthttp.RequestHandler{"/panic": func(*fasthttp.RequestCtx) { panic("a test") }}
	})
	token := s.Token(t, "user-1")
	for path, c := range map[string]struct {
		status              int
		body, token, record string
	}{
		"/panic":                                 {500, "", token, "msg=panic at=/panic"},
		shoptest.CreateOrderPath:                 {200, "an order", token, `msg="provider called"`},
		"/v1/actions/store/nobody":               {404, "{}", token, "msg=request route=unknown"},
		"/v1/actions/onetime-order/cancel-order": {401, "{}", "eyJ", `msg="credential refused"`},
	} {
		for given, kept := range map[string]bool{"proxy-1.a_B" + path[len(path)-3:]: true, "": false, "a b": false, strings.Repeat("x", 65): false} {
			body := c.body
			if body == "an order" {
				body = shoptest.OrderBody(s.Session(t, nil).SessionID)
			}
			request, err := http.NewRequestWithContext(t.Context(), "POST", s.PublicURL+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header = http.Header{"Content-Type": {"application/json"}, requestid.Header: {given}}
			for name, value := range shoptest.Bearer(c.token) {
				request.Header.Set(name, value)
			}
			got := s.Do(t, request)
			id := got.Header.Get(requestid.Header)
			if id == "" || (id == given) != kept || got.Status != c.status {
				t.Errorf("%s: %q is answered as %q: %s", path, given, id, got)
			}
			if kept && !recorded(s.log.String(), c.record, id) {
				t.Errorf("%s: no record %s with the id %s in\n%s", path, c.record, id, s.log)
			}
		}
	}
}

// recorded reports whether a log has a record that contains a text, with a request's id.
func recorded(log, text, id string) bool {
	for line := range strings.Lines(log) {
		if strings.Contains(line, text) && strings.HasSuffix(line, " request="+id+"\n") {
			return true
		}
	}
	return false
}
