package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// TestDrain: orders that the provider is still creating when SIGTERM comes are finished and answered before the process ends, on connections
// that are then closed. A second SIGTERM ends the process at once. Either way the next server has every order, with one checkout.
func TestDrain(t *testing.T) {
	t.Parallel()
	const n = 3
	for signals := 1; signals <= 2; signals++ {
		t.Run(fmt.Sprint(signals, " SIGTERM"), func(t *testing.T) {
			t.Parallel()
			data, address := t.TempDir(), freeAddress(t)
			first := start(t, data, address)
			s := shopOn(t, data)
			token := s.Token(t, "user-1")
			requests, answers := make([]map[string]any, n), make([]chan reply, n)
			for i := range n {
				requests[i], answers[i] = shoptest.OrderFor(s.Session(t, nil).SessionID), make(chan reply, 1)
				requests[i]["buyerEmail"] = "slow-5s@sandbox.test"
				go func() { answers[i] <- orderOrNot(s, token, requests[i]) }()
			}
			time.Sleep(time.Second) // all are at the provider, which takes five seconds
			began := time.Now()
			for range signals {
				if err := first.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				time.Sleep(200 * time.Millisecond)
			}
			err := first.Wait()
			killed, _ := errors.AsType[*exec.ExitError](err)
			switch {
			case signals == 1 && err != nil:
				t.Errorf("a drain ends with %v", err)
			case signals == 2 && (killed == nil || time.Since(began) > 3*time.Second):
				t.Errorf("after a second SIGTERM it ends with %v after %v", err, time.Since(began))
			}
			start(t, data, address)
			for i := range n {
				answer := <-answers[i]
				if signals == 1 && (answer.url == "" || !answer.closed) {
					t.Errorf("order %d in progress is answered %+v", i, answer)
				}
				again := s.CreateOrder(t, token, requests[i]).CheckoutURL(t)
				if answer.url != "" && again != answer.url {
					t.Errorf("order %d: %s, then %s", i, answer.url, again)
				}
			}
		})
	}
}

// reply is the answer to a create-order request that a stopping server may not give.
type reply struct {
	url    string
	closed bool // it closes the connection
}

func orderOrNot(s *shoptest.Shop, token string, request map[string]any) (r reply) {
	body, err := json.Marshal(request)
	if err != nil {
		return r
	}
	post, err := http.NewRequest("POST", s.URL+shoptest.CreateOrderPath, strings.NewReader(string(body)))
	if err != nil {
		return r
	}
	post.Header.Set("Content-Type", "application/json")
	for name, value := range shoptest.Bearer(token) {
		post.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(post)
	if err != nil {
		return r
	}
	defer answer.Body.Close()
	var created struct{ Data struct{ CheckoutURL string } }
	if json.NewDecoder(answer.Body).Decode(&created) != nil {
		return r
	}
	return reply{created.Data.CheckoutURL, answer.Close}
}

// TestSettle: a client that goes on using its connection after SIGTERM gets an answer that closes it; the connection is not closed under
// its next request.
func TestSettle(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	p := start(t, t.TempDir(), address)
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for _, stopped := range []bool{false, true} {
		if stopped {
			if err := p.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond)
		}
		fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", address)
		answer, err := http.ReadResponse(answers, nil)
		if err != nil || answer.StatusCode != http.StatusOK || answer.Close != stopped {
			t.Fatalf("after SIGTERM %v: %v, %+v", stopped, err, answer)
		}
		io.Copy(io.Discard, answer.Body)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}
