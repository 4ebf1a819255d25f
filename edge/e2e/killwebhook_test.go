package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// inbox is a merchant's server that outlives the binary. It answers some deliveries slowly, so that the binary dies while they
// are under way.
type inbox struct {
	*httptest.Server
	publicKey string

	mutex  sync.Mutex
	bodies map[string][]string // by the event's id
	wrong  []string
}

func newInbox(t *testing.T) *inbox {
	i := &inbox{bodies: make(map[string][]string)}
	i.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		i.add(r.Header.Get("X-Waffo-Signature"), body)
		time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *inbox) add(signature string, body []byte) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	var event struct{ ID string }
	err := notify.Verify(i.publicKey, signature, body, time.Now())
	if err == nil {
		err = json.Unmarshal(body, &event)
	}
	if err != nil {
		i.wrong = append(i.wrong, fmt.Sprintf("%v: %s", err, body))
	}
	i.bodies[event.ID] = append(i.bodies[event.ID], string(body))
}

// events returns the ids of the deliveries of each event, by its type and the id of the refund or order, and how many times any was sent.
func (i *inbox) events(t *testing.T) (deliveries map[string][]string, sent int) {
	t.Helper()
	i.mutex.Lock()
	defer i.mutex.Unlock()
	deliveries = make(map[string][]string)
	for id, bodies := range i.bodies {
		var event struct {
			EventType string
			Data      struct{ OrderID, RefundID string }
		}
		if err := json.Unmarshal([]byte(bodies[0]), &event); err != nil {
			t.Errorf("%s: %v", bodies[0], err)
		}
		for _, again := range bodies[1:] {
			if again != bodies[0] {
				t.Errorf("delivery %s was\n%s, then\n%s", id, bodies[0], again)
			}
		}
		about := event.EventType + " " + cmp.Or(event.Data.RefundID, event.Data.OrderID)
		deliveries[about] = append(deliveries[about], id)
		sent += len(bodies)
	}
	if len(i.wrong) > 0 {
		t.Errorf("the merchant got %d that do not verify: %s", len(i.wrong), i.wrong[0])
	}
	return deliveries, sent
}

// TestKillWebhooks: the binary is killed again and again while buyers pay and merchants are told. Afterwards the merchant has heard of
// every order that was paid, in one delivery that may have come more than once, and of no other. Each has one receipt, and the numbers
// have no gaps.
func TestKillWebhooks(t *testing.T) {
	t.Logf("-kills=%d -kill-seed=%d", *kills, *killSeed)
	rng := rand.New(rand.NewPCG(*killSeed, 2))
	data, address, merchant := t.TempDir(), freeAddress(t), newInbox(t)
	for round := range *kills {
		running := start(t, data, address)
		shop := shopOn(t, data)
		if round == 0 {
			merchant.publicKey = shop.File.WebhookPublicKey[checkout.Test]
			if _, err := shop.Merchant.AddWebhook(shop.File.StoreID, merchant.URL); err != nil {
				t.Fatal(err)
			}
		}
		payUntilKilled(t, shop, running, rng)
	}
	paid := paidOrders(t, data)
	if len(paid) < *kills {
		t.Fatalf("only %d orders were paid: the test no longer tests", len(paid))
	}
	running := start(t, data, address)
	shoptest.Eventually(t, "the merchant hears of every order", func() bool {
		got, _ := merchant.events(t)
		return !slices.ContainsFunc(paid, func(id string) bool { return len(got[completed+id]) == 0 })
	})
	running.kill()
	if again := paidOrders(t, data); len(again) != len(paid) {
		t.Errorf("%d orders were paid, then %d", len(paid), len(again))
	}
	auditReceipts(t, data, readDevFile(t, data).StoreID, paid)
	got, sent := merchant.events(t)
	for event, deliveries := range got {
		id, isCompleted := strings.CutPrefix(event, completed)
		if !isCompleted || !slices.Contains(paid, id) || len(deliveries) != 1 {
			t.Errorf("%s, paid %t, has the deliveries %v", event, slices.Contains(paid, id), deliveries)
		}
	}
	t.Logf("%d orders paid, %d events, sent %d times", len(paid), len(got), sent)
	if *kills >= 50 {
		keepFaultRows(t, "killwebhook", "Webhooks to merchants under kill -9", "Four buyers pay; meanwhile the process is killed and started again. The "+
			"merchant must hear of every order that the provider has as paid, in one delivery, which can be sent more than once, "+
			"with the same id and bytes, and of no other order.", "what\tkills\tpaid orders\tof them told\tevents invented\tsent more than once",
			fmt.Sprintf("kill -9 while delivering\t%d\t%d\t%d\t0\t%d", *kills, len(paid), len(got), sent-len(got)))
	}
}

// completed begins the name of the event of a paid order.
const completed = "order.completed "

// payUntilKilled lets buyers order and pay, and kills the server meanwhile.
func payUntilKilled(t *testing.T, s *shoptest.Shop, running *program, rng *rand.Rand) {
	token := s.Token(t, "user-1")
	var sessions []string
	for range 24 {
		sessions = append(sessions, s.Session(t, nil).SessionID)
	}
	ctx, stop := context.WithCancel(t.Context())
	var buyers sync.WaitGroup
	for b := range 4 {
		buyers.Go(func() {
			for _, session := range sessions[b*6 : b*6+6] {
				if url := tryOrder(ctx, s, token, session, "DE"); url != "" {
					tryPay(ctx, url, "succeeds")
				}
			}
		})
	}
	time.Sleep(time.Duration(30+rng.IntN(300)) * time.Millisecond)
	running.kill()
	stop()
	buyers.Wait()
}

// tryPay chooses an outcome on the sandbox's page, unless the server has vanished.
func tryPay(ctx context.Context, url, outcome string) {
	request, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader("outcome="+outcome))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if response, err := client.Do(request); err == nil {
		response.Body.Close()
	}
}

// paidOrders returns the ids of the orders that the provider of the killed server has as paid.
func paidOrders(t *testing.T, data string) (ids []string) {
	t.Helper()
	r := openRecords(t, data)
	defer r.close()
	known, err := r.provider.Sessions()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range known {
		if c.Paid {
			ids = append(ids, c.Order)
		}
	}
	return ids
}
