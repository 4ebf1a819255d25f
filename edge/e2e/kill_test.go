package e2e

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sandbox"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

var (
	kills    = flag.Int("kills", 5, "how often TestKill, TestKillWebhooks and TestKillRefunds kill the binary; TestFailover kills PostgreSQL a fifth as often")
	killSeed = flag.Uint64("kill-seed", uint64(time.Now().UnixNano()), "of the schedules of TestKill, TestKillWebhooks and TestKillRefunds")
)

// acknowledgement is a URL that a client received, and its request.
type acknowledgement struct {
	session, country, url string
	at                    time.Time // when it had received it
}

// TestKill kills the binary repeatedly while clients order. Everything that it acknowledged is stored afterwards, and no session
// has two checkouts that can be paid.
func TestKill(t *testing.T) {
	t.Logf("-kills=%d -kill-seed=%d", *kills, *killSeed)
	rng := rand.New(rand.NewPCG(*killSeed, 1))
	data, address := t.TempDir(), freeAddress(t)
	var acks []acknowledgement
	for range *kills {
		running := start(t, data, address)
		acks = append(acks, submitUntilKilled(t, shopOn(t, data), running, rng)...)
	}
	if len(acks) < 5**kills {
		t.Fatalf("only %d acknowledged orders: the test no longer tests", len(acks))
	}
	t.Logf("%d acknowledged", len(acks))
	audit(t, data, acks)
	if *kills >= 50 {
		keepFaultRows(t, "kill", "The binary under kill -9", "Four clients order and edit while the process is killed and started "+
			"again. Every URL that a client received must be stored afterwards, for the same request, and no order may have two open "+
			"checkouts at the provider.", "what\tkills\tacknowledged URLs\tstored afterwards",
			fmt.Sprintf("kill -9 under load\t%d\t%d\t%[2]d", *kills, len(acks)))
	}
}

// submitUntilKilled kills the server while clients order.
func submitUntilKilled(t *testing.T, s *shoptest.Shop, running *program, rng *rand.Rand) (acks []acknowledgement) {
	return submitWhile(t, s, rng, func() {
		time.Sleep(time.Duration(50+rng.IntN(400)) * time.Millisecond)
		running.kill()
	})
}

// submitWhile lets clients order, each from sessions of its own and with changing billing details, until do returns.
func submitWhile(t *testing.T, s *shoptest.Shop, rng *rand.Rand, do func()) (acks []acknowledgement) {
	token := s.Token(t, "user-1")
	sessions := make([]string, 12)
	for i := range sessions {
		sessions[i] = s.Session(t, nil).SessionID
	}
	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	told := make(chan acknowledgement, 10_000)
	for c := range 4 {
		rng := rand.New(rand.NewPCG(rng.Uint64(), uint64(c)))
		clients.Go(func() {
			for ctx.Err() == nil {
				a := acknowledgement{session: sessions[c*3+rng.IntN(3)], country: []string{"DE", "FR", "JP"}[rng.IntN(3)]}
				if a.url = tryOrder(ctx, s, token, a.session, a.country); a.url != "" {
					a.at = time.Now()
					told <- a
				}
			}
		})
	}
	do()
	stop()
	clients.Wait()
	close(told)
	for a := range told {
		acks = append(acks, a)
	}
	return acks
}

// tryOrder calls create-order and returns the URL; "" after any error.
func tryOrder(ctx context.Context, s *shoptest.Shop, token, session, country string) (url string) {
	var answer struct{ Data struct{ CheckoutURL string } }
	tryPost(ctx, s.URL+shoptest.CreateOrderPath, shoptest.OrderBodyTo(session, country), shoptest.Bearer(token), &answer)
	return answer.Data.CheckoutURL
}

// tryPost sends JSON and reads the answer, unless the server has vanished. It returns the status, 0 without an answer.
func tryPost(ctx context.Context, url, body string, headers map[string]string, answer any) (status int) {
	request, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || json.Unmarshal(text, answer) != nil {
		return 0
	}
	return response.StatusCode
}

// audit reads the databases of the killed server: every acknowledged URL is durable, for what was asked, and each order has at
// most one checkout open at the provider.
func audit(t *testing.T, data string, acks []acknowledgement) {
	t.Helper()
	r := openRecords(t, data)
	defer r.close()
	known, err := r.provider.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	checkouts := make(map[string]sandbox.Snapshot)
	for _, c := range known {
		checkouts[c.ID] = c
	}
	checked := make(map[string]bool)
	for _, a := range acks {
		_, order := r.order(t, a.session)
		if !knows(order, a) {
			t.Errorf("%s acknowledged %s for %s, and no attempt of %s has it", a.session, a.url, a.country, order.ID)
		}
		if checked[order.ID] {
			continue
		}
		checked[order.ID] = true
		open := 0
		for i := range order.Attempts {
			attempt := &order.Attempts[i]
			if attempt.Ref == "" {
				continue
			}
			c, ok := checkouts[attempt.Ref]
			if !ok || c.Order != order.ID || c.Amount != attempt.Placed.Quote.Assessment.Total {
				t.Errorf("%s attempt %d is %+v at the provider", order.ID, attempt.N, c)
			}
			if c.Status == "open" {
				open++
			}
		}
		if open > 1 {
			t.Errorf("%s has %d checkouts that could be paid", order.ID, open)
		}
	}
}

func knows(o *orders.Order, a acknowledgement) bool {
	for i := range o.Attempts {
		if attempt := &o.Attempts[i]; attempt.URL == a.url && string(attempt.Placed.Billing.Country) == a.country {
			return true
		}
	}
	return false
}
