package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/filefault"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// refundFaults are what goes wrong with refunds at the provider. A failure without a refund under the key is not among them: the server
// looks for such a refund for a quarter of an hour. TestFaults has it, with all others, in virtual time.
var refundFaults = strings.Fields("refund.timeout refund.lost_response refund.reset refund.reset_side_effect refund.502 refund.502_side_effect " +
	"refund.500_side_effect refund.malformed refund.truncated refund.slow:300ms refund.slow:1s refund.400 refund.409 refund.429")

// refundOutcomes are what buyers choose on the sandbox's page: a card whose refunds succeed at once, later, or fail afterwards.
var refundOutcomes = strings.Fields("succeeds succeeds succeeds refund_later refund_fails refund_later_fails")

// TestKillRefunds kills the binary while refund tickets are made, approved and executed at a provider that fails, at random and before
// durable writes. Afterwards each ticket that was acknowledged is there; each refund has one end, was made at most once, and is told as
// it ended; and credit notes have no gaps.
func TestKillRefunds(t *testing.T) {
	t.Parallel()
	t.Logf("-kills=%d -kill-seed=%d", *kills, *killSeed)
	k := &refundKills{T: t, data: t.TempDir(), address: freeAddress(t), merchant: newInbox(t), rng: rand.New(rand.NewPCG(*killSeed, 3))}
	for range *kills {
		k.refundUntilKilled(k.start())
	}
	atWrites := (*kills + 1) / 2
	writes := 0
	for range atWrites {
		writes += k.refundUntilWrite(1 + k.rng.IntN(30))
	}
	if len(k.accepted) < *kills {
		t.Fatalf("only %d tickets were accepted: the test no longer tests", len(k.accepted))
	}
	found := k.settle()
	t.Logf("%d kills, %d of them before a write: %d tickets accepted, %+v", *kills+atWrites, writes, len(k.accepted), found)
	if *kills >= 50 {
		keepFaultRows(t, "killrefund", "Refunds under kill -9", "Merchants and buyers ask for refunds and the operator approves them, while the provider "+
			"answers late, wrongly or not at all, and the process is killed and started again, at random or before a write of its database. Every "+
			"ticket that was acknowledged must be there, and every refund at its end: made at most once at the provider, never more than was paid, "+
			"told as it ended in one delivery, which can be sent more than once, and with one credit note, whose numbers have no gaps.",
			"what\tkills\tacknowledged tickets\tof them kept\trefunds\tmade twice\tcredit notes\tevents\tinvented\tsent more than once",
			fmt.Sprintf("kill -9 while refunding\t%d\t%d\t%[2]d\t%d\t0\t%d\t%d\t0\t%d", *kills+atWrites, len(k.accepted), found.refunds, found.notes,
				found.events, found.sent-found.events))
	}
}

// refundKills is a server that is killed again and again, with what it has acknowledged.
type refundKills struct {
	*testing.T
	data, address string
	merchant      *inbox
	rng           *rand.Rand

	webhook  bool // the merchant's endpoint is there
	mutex    sync.Mutex
	accepted map[string]string // the payments of tickets by their ids
	approved map[string]bool   // tickets that were executed, or are going to be
}

func (k *refundKills) start() *program {
	k.Helper()
	running := start(k.T, k.data, k.address)
	k.listen()
	return running
}

// listen adds the merchant's endpoint at the first start.
func (k *refundKills) listen() {
	k.Helper()
	if k.webhook {
		return
	}
	shop := shopOn(k.T, k.data)
	k.merchant.publicKey = shop.File.WebhookPublicKey[checkout.Test]
	if _, err := shop.Merchant.AddWebhook(shop.File.StoreID, k.merchant.URL); err != nil {
		k.Fatal(err)
	}
	k.webhook, k.accepted, k.approved = true, make(map[string]string), make(map[string]bool)
}

// refundUntilKilled lets clients refund, and kills the server meanwhile.
func (k *refundKills) refundUntilKilled(running *program) {
	payments := k.pay()
	wait := time.Duration(20+k.rng.IntN(500)) * time.Millisecond
	if k.rng.IntN(4) == 0 { // until the server has called again
		wait = time.Duration(1000+k.rng.IntN(2000)) * time.Millisecond
	}
	stop := k.refund(payments, func() {})
	time.Sleep(wait)
	running.kill()
	stop()
}

// refundUntilWrite lets clients refund, and kills the server before its n-th durable write. It returns 0 if there are not so many.
func (k *refundKills) refundUntilWrite(n int) int {
	var armed atomic.Bool
	var writes atomic.Int64
	ended := make(chan error, 1)
	p := filefault.Program{Cmd: exec.Command(binary.path, "dev", "--data", k.data, "--listen", k.address), Dir: filepath.Join(k.data, ownDatabase),
		Decide: func(op filefault.Op) filefault.Action {
			durable := op.Call == "msync" || op.Call == "fsync" || op.Call == "fdatasync"
			if durable && armed.Load() && writes.Add(1) >= int64(n) {
				return filefault.Kill
			}
			return filefault.Go
		}}
	go func() {
		_, err := p.Run()
		ended <- err
	}()
	waitReady(k.T, k.address)
	k.listen()
	payments := k.pay()
	stop := k.refund(payments, func() { armed.Store(true) })
	var err error
	reached := 1
	select {
	case err = <-ended:
	case <-time.After(20 * time.Second):
		reached = 0
		p.Process.Kill()
		err = <-ended
	}
	stop()
	if err != nil {
		k.Fatal(err)
	}
	return reached
}

// pay makes four orders and returns the ids of their payments, each with the identity of its buyer.
func (k *refundKills) pay() (payments []string) {
	k.Helper()
	shop := shopOn(k.T, k.data)
	token := shop.Token(k.T, "user-1")
	sessions := make(map[string]bool)
	for range 4 {
		session := shop.Session(k.T, nil).SessionID
		sessions[session] = true
		tryPay(k.Context(), tryOrder(k.Context(), shop, token, session, "DE"), refundOutcomes[k.rng.IntN(len(refundOutcomes))])
	}
	shoptest.Eventually(k.T, "the orders are paid", func() bool {
		var read struct {
			Payments []struct {
				ID           string
				OnetimeOrder struct{ CheckoutSessionID string }
			}
		}
		query := `{payments(storeId: "` + shop.File.StoreID + `", limit: 20) {id onetimeOrder {checkoutSessionId}}}`
		must(k.T, shop.Merchant.Call(graphPath, map[string]string{"query": query}, &read))
		payments = nil
		for _, p := range read.Payments {
			if sessions[p.OnetimeOrder.CheckoutSessionID] {
				payments = append(payments, p.ID)
			}
		}
		return len(payments) == len(sessions)
	})
	return payments
}

// refund lets a client for each payment ask for refunds, until it is stopped. It calls begin before the first asks.
func (k *refundKills) refund(payments []string, begin func()) (stop func()) {
	k.Helper()
	shop := shopOn(k.T, k.data)
	k.inject(shop)
	token := shop.Token(k.T, "user-1")
	ctx, cancel := context.WithCancel(k.Context())
	var clients sync.WaitGroup
	begin()
	for n, payment := range payments {
		rng := rand.New(rand.NewPCG(k.rng.Uint64(), uint64(n)))
		clients.Go(func() {
			for ctx.Err() == nil {
				body := fmt.Sprintf(`{"paymentId":%q,"reason":"r","requestedAmount":{"amount":"%d.%02d","currency":"EUR"}}`, payment, rng.IntN(4), 1+rng.IntN(99))
				if rng.IntN(2) == 0 {
					k.asMerchant(ctx, shop, body)
				} else {
					k.asBuyer(ctx, shop, token, body, rng.IntN(4) > 0)
				}
			}
		})
	}
	return func() { cancel(); clients.Wait() }
}

// inject queues faults of the provider's next calls, and of the webhooks about them: some arrive after the server has called again.
func (k *refundKills) inject(shop *shoptest.Shop) {
	k.Helper()
	faults := []string{}
	for range k.rng.IntN(5) {
		faults = append(faults, refundFaults[k.rng.IntN(len(refundFaults))])
		webhook := []string{"none", "twice", "late:25s", "late:25s"}[k.rng.IntN(4)]
		faults = append(faults, "webhook."+webhook, "webhook."+webhook)
	}
	body, err := json.Marshal(map[string][]string{"faults": faults})
	must(k.T, err)
	if got := shop.Post(k.T, "/sandbox/faults", string(body), nil); got.Status != http.StatusOK {
		k.Fatal(got)
	}
}

// ticketAnswer is the answer to create-ticket.
type ticketAnswer struct {
	Data struct {
		Ticket struct{ ID, SubjectID string }
	}
}

func (k *refundKills) asMerchant(ctx context.Context, shop *shoptest.Shop, body string) {
	headers, err := shop.Merchant.Sign(createTicketPath, []byte(body))
	if err != nil {
		k.Error(err)
		return
	}
	k.note(tryTicket(ctx, shop, body, headers), true)
}

// asBuyer asks for a refund, and the operator approves or rejects it.
func (k *refundKills) asBuyer(ctx context.Context, shop *shoptest.Shop, token, body string, approve bool) {
	asked := tryTicket(ctx, shop, body, shoptest.Bearer(token))
	k.note(asked, false)
	operator := admin.Dial(k.data)
	if asked.Data.Ticket.ID == "" || operator == nil {
		return
	}
	defer operator.Close()
	_, err := admin.Perform[admin.Ticket](operator, admin.ReviewTicket, admin.ReviewRequest{ID: asked.Data.Ticket.ID, Approve: approve})
	if err == nil {
		k.note(asked, approve)
	}
}

func tryTicket(ctx context.Context, shop *shoptest.Shop, body string, headers map[string]string) (answer ticketAnswer) {
	if tryPost(ctx, shop.URL+createTicketPath, body, headers, &answer) != http.StatusOK {
		return ticketAnswer{}
	}
	return answer
}

// note keeps what the server has acknowledged.
func (k *refundKills) note(a ticketAnswer, approved bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if id := a.Data.Ticket.ID; id != "" {
		k.accepted[id] = a.Data.Ticket.SubjectID
		k.approved[id] = k.approved[id] || approved
	}
}
