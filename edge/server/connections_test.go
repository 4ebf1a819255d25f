package server

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestBodies: bodies of every length and framing are read completely; longer ones are refused.
func TestBodies(t *testing.T) {
	s := openShop(t)
	token, session := s.Token(t, "user-1"), s.Session(t, nil)
	url := ""
	for _, padding := range []int{0, bodyAhead - 300, bodyAhead, 5 * bodyAhead, 9 << 10, maxBody - 1 - len(shoptest.OrderBody(session.SessionID))} {
		body := shoptest.OrderBody(session.SessionID) + strings.Repeat(" ", padding)
		for _, length := range []int64{int64(len(body)), -1} { // announced, and in chunks
			request, err := http.NewRequest("POST", s.PublicURL+shoptest.CreateOrderPath, io.NopCloser(strings.NewReader(body)))
			if err != nil {
				t.Fatal(err)
			}
			request.ContentLength = length
			request.Header.Set("Content-Type", "application/json")
			for name, value := range shoptest.Bearer(token) {
				request.Header.Set(name, value)
			}
			got := s.Do(t, request).CheckoutURL(t)
			if url == "" {
				url = got
			}
			if got != url {
				t.Errorf("%d bytes more, length %d: another order", padding, length)
			}
			request.Body = io.NopCloser(strings.NewReader(body + strings.Repeat(" ", maxBody)))
			if length > 0 {
				request.ContentLength = length + maxBody
			}
			if r := s.Do(t, request); r.Status != http.StatusRequestEntityTooLarge {
				t.Errorf("%d bytes: %d %s", len(body)+maxBody, r.Status, r.Body)
			}
		}
	}
}
