package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/demo"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// ticketLine is a line of refund.mjs, or the answer to a merchant's request.
type ticketLine struct {
	OrderID, Status string
	Ticket          struct {
		ID, Type, Status, SubjectID, SubmitterID, SubmitterType, RejectReason, RefundTicketMerchantExternalID string
		VersionNumber                                                                                         int
		VersionData                                                                                           struct{ Reason string }
	}
	Data struct {
		Payments []struct{ ID, RefundStatus string }
	}
	Errors []struct{ Message string }
}

// refundCommand runs crepe refund.
func refundCommand[T any](t *testing.T, data string, args ...string) T {
	t.Helper()
	return operateJSON[T](t, append(append([]string{"refund"}, args...), "--data", data)...)
}

// TestSDKRefund: the public SDK cancels an order and asks for a refund, the operator rejects it and approves it when it is submitted
// again; an API key refunds at once; a refund that is approved while no server runs is made by the next start.
func TestSDKRefund(t *testing.T) {
	dir, data, address := npmInstall(t, "testdata/sdk"), t.TempDir(), freeAddress(t)
	running := start(t, data, address)
	shop := shopOn(t, data)
	token := shop.Token(t, "user-17")
	shop.CreateOrder(t, token, shoptest.OrderFor(shop.Session(t, nil).SessionID)).CheckoutURL(t)
	shop.Pay(t, shop.CreateOrder(t, token, shoptest.OrderFor(shop.Session(t, nil).SessionID)).CheckoutURL(t))
	var read struct {
		Payments      []struct{ ID string }
		OnetimeOrders []struct{ ID, Status string }
	}
	shoptest.Eventually(t, "the order is paid", func() bool {
		query := map[string]any{"query": `{payments(storeId: "` + shop.File.StoreID + `") {id} onetimeOrders(storeId: "` + shop.File.StoreID + `") {id status}}`}
		if err := shop.Merchant.Call("/v1/graphql", query, &read); err != nil {
			t.Fatal(err)
		}
		return len(read.Payments) == 1 && len(read.OnetimeOrders) == 2
	})
	unpaid, payment := "", read.Payments[0].ID
	for _, o := range read.OnetimeOrders {
		if o.Status == "pending" {
			unpaid = o.ID
		}
	}
	node := exec.Command("node", filepath.Join(dir, "refund.mjs"), filepath.Join(data, demo.FileName), unpaid, payment)
	node.Stderr = os.Stderr
	stdin, errIn := node.StdinPipe()
	stdout, errOut := node.StdoutPipe()
	if errIn != nil || errOut != nil || node.Start() != nil {
		t.Fatal(errIn, errOut)
	}
	t.Cleanup(func() { node.Process.Kill(); node.Wait() })
	lines := bufio.NewScanner(stdout)
	next := func() (line ticketLine) {
		t.Helper()
		if !lines.Scan() {
			t.Fatal("the customer's page has ended")
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%v in %s", err, lines.Bytes())
		}
		return line
	}
	if l := next(); l.OrderID != unpaid || l.Status != "canceled" {
		t.Errorf("canceling answers %+v", l)
	}
	asked := next().Ticket
	if asked.Status != "pending" || asked.SubjectID != payment || asked.SubmitterID != "user-17" || asked.SubmitterType != "customer" ||
		asked.RefundTicketMerchantExternalID != "REF-2026-00891" || asked.Type != "refund" || asked.VersionNumber != 1 {
		t.Errorf("the ticket is %+v", asked)
	}
	if listed := refundCommand[[]admin.Ticket](t, data, "list"); len(listed) != 1 || listed[0].ID != asked.ID || listed[0].Amount != "3.00" {
		t.Errorf("listed %+v", listed)
	}
	if got := refundCommand[admin.Ticket](t, data, "reject", asked.ID, "--reason", "Completed."); got.Status != "rejected" || got.RejectReason != "Completed." {
		t.Errorf("rejected %+v", got)
	}
	io.WriteString(stdin, "resubmit\n")
	if again := next().Ticket; again.ID != asked.ID || again.Status != "pending" || again.VersionNumber != 2 || again.VersionData.Reason != "Really not as described" {
		t.Errorf("submitted again %+v", again)
	}
	if got := refundCommand[admin.Ticket](t, data, "approve", asked.ID); got.Status != "succeeded" || got.RefundState != "succeeded" {
		t.Errorf("approved %+v", got)
	}
	io.WriteString(stdin, "payments\n")
	if l := next(); len(l.Data.Payments) != 1 || l.Data.Payments[0].RefundStatus != "refunded" {
		t.Errorf("the payments are %+v", l)
	}
	var merchant ticketLine
	request := map[string]any{"paymentId": payment, "reason": "Goodwill", "requestedAmount": map[string]string{"amount": "1.00", "currency": "EUR"}}
	if err := shop.Merchant.Call("/v1/actions/refund-ticket/create-ticket", request, &merchant); err != nil || merchant.Ticket.Status != "succeeded" ||
		merchant.Ticket.SubmitterType != "merchant" {
		t.Errorf("with an API key: %+v, %v", merchant, err)
	}
	running.kill()
	if got := refundCommand[admin.Ticket](t, data, "create", payment, "--amount", "0.50", "--reason", "Late"); got.Status != "approved" {
		t.Errorf("without a server: %+v", got)
	}
	start(t, data, address)
	shoptest.Eventually(t, "the next start makes the refund", func() bool {
		return len(refundCommand[[]admin.Ticket](t, data, "list")) == 0
	})
	if log := shop.Get(t, "/sandbox/log").Body; strings.Count(log, "POST /v1/refunds") != 1 {
		t.Errorf("the second server's log has not one refund: %d", strings.Count(log, "POST /v1/refunds"))
	}
}
