package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	faults "github.com/crepe-checkout/crepe/edge/sandbox/fault"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

const (
	createTicketPath   = "/v1/actions/refund-ticket/create-ticket"
	resubmitTicketPath = "/v1/actions/refund-ticket/resubmit-ticket"
)

// paidOrder is an order of a buyer that is paid, in the test environment.
func (s *shop) paidOrder(t *testing.T, token string) (o *orders.Order) {
	t.Helper()
	id, url := s.orderOf(t, token)
	s.Pay(t, url)
	shoptest.Eventually(t, "the order is paid", func() bool {
		var err error
		if o, err = s.db.Order(t.Context(), checkout.Test, id); err != nil {
			t.Fatal(err)
		}
		return o.State == orders.Paid
	})
	return o
}

func ticketBody(payment, amount string) string {
	return fmt.Sprintf(`{"paymentId":"%s","reason":"Not as described","requestedAmount":{"amount":"%s","currency":"EUR"}}`, payment, amount)
}

// signedPost is a request with the merchant's API key.
func (s *shop) signedPost(t *testing.T, path, body string) shoptest.Reply {
	t.Helper()
	header, err := s.Merchant.Sign(path, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return s.Post(t, path, body, header)
}

// TestRefundTickets: a merchant's ticket is executed at once, whatever the sandbox does; a customer's waits, and is theirs only.
func TestRefundTickets(t *testing.T) {
	s := openShop(t)
	token := s.Token(t, "user-17")
	payment := s.paidOrder(t, token).Payments[0].ID
	for _, c := range []struct {
		name, body string
		header     map[string]string
		status     int
		text       string
	}{
		{"no credential", ticketBody(payment, "1.00"), nil, 401, `"message":"Missing authentication","layer":"user"`},
		{"a bad token", ticketBody(payment, "1.00"), shoptest.Bearer("x"), 401, `"message":"Authentication failed","layer":"user"`},
		{"no environment", ticketBody(payment, "1.00"), map[string]string{"Authorization": "Bearer " + token}, 400, `"message":"Incomplete JWT authentication headers","layer":"gateway"`},
		{"a shopper", ticketBody(payment, "1.00"), shoptest.Bearer(s.ShopperToken(t, s.Session(t, nil).SessionID)), 401, `"message":"Authentication failed"`},
		{"another buyer", ticketBody(payment, "1.00"), shoptest.Bearer(s.Token(t, "user-18")), 404, `"message":"Payment not found","layer":"ticket","code":"payment-not-found","path":"/paymentId"`},
		{"unknown", ticketBody("PAY_2aUyqjCzEIiEcYMKj7TZtw", "1.00"), shoptest.Bearer(token), 404, `"message":"Payment not found","layer":"ticket","code":"payment-not-found","path":"/paymentId"`},
		{"wrong type", `{"paymentId":7}`, shoptest.Bearer(token), 400, `"message":"Invalid JSON body","layer":"gateway","code":"invalid-json","path":"/paymentId"`},
		{"wrong type inside", `{"requestedAmount":{"amount":1}}`, shoptest.Bearer(token), 400, `"code":"invalid-json","path":"/requestedAmount/amount"`},
		{"nothing", `{}`, shoptest.Bearer(token), 400, `"message":"Missing required field: paymentId"`},
		{"too much", ticketBody(payment, "9999"), shoptest.Bearer(token), 400, `"message":"Refund amount exceeds the refundable amount: `},
	} {
		if r := s.Post(t, createTicketPath, c.body, c.header); r.Status != c.status || !strings.Contains(r.Body, c.text) {
			t.Errorf("%s: %s", c.name, r)
		}
	}
	asked := s.Post(t, createTicketPath, strings.Replace(ticketBody(payment, "2.00"), `{"paymentId"`, `{"metadata":{"n":1.50,"a":[null]},"more":{},"refundTicketMerchantExternalId":"slip-1","paymentId"`, 1), shoptest.Bearer(token))
	for _, text := range []string{`"type":"refund"`, `"status":"pending"`, `"subjectId":"` + payment + `"`, `"submitterId":"user-17"`, `"submitterType":"customer"`,
		`"reviewerId":null`, `"metadata":{"a":[null],"n":1.50}`, `"refundTicketMerchantExternalId":"slip-1"`, `"versionNumber":1`,
		`"versionData":{"reason":"Not as described","requestedAmount":{"amount":"2.00","currency":"EUR"}}`} {
		if !strings.Contains(asked.Body, text) {
			t.Errorf("no %s in %s", text, asked)
		}
	}
	if r := s.signedPost(t, createTicketPath, ticketBody(payment, "1.00")); r.Status != 409 {
		t.Errorf("a second open ticket: %s", r)
	}
	ticket := ticketID(t, asked)
	review := func(approve bool) {
		if _, _, err := s.orders.ReviewTicket(t.Context(), orders.Review{Environment: checkout.Test, TicketID: ticket, Approve: approve, Reviewer: "op", Note: "Completed."}); err != nil {
			t.Fatal(err)
		}
	}
	review(false)
	again := func(header map[string]string) shoptest.Reply {
		return s.Post(t, resubmitTicketPath, `{"ticketId":"`+ticket+`",`+ticketBody(payment, "1.50")[1:], header)
	}
	if r := again(shoptest.Bearer(s.Token(t, "user-18"))); r.Status != 404 {
		t.Errorf("another buyer's: %s", r)
	}
	if r := again(shoptest.Bearer(token)); r.Status != 200 || !strings.Contains(r.Body, `"versionNumber":2`) || !strings.Contains(r.Body, `"rejectReason":null`) {
		t.Errorf("submitted again: %s", r)
	}
	review(true)
	for _, fault := range []string{"none", "refund.lost_response", "refund.500_side_effect", "refund.429"} {
		if fault != "none" {
			s.sandboxes[checkout.Test].Script(faults.Spec(fault))
		}
		r := s.signedPost(t, createTicketPath, ticketBody(payment, "0.10"))
		if r.Status != 200 || !strings.Contains(r.Body, `"submitterType":"merchant"`) || !strings.Contains(r.Body, `"status":"succeeded"`) && !strings.Contains(r.Body, `"status":"processing"`) {
			t.Errorf("%s: %s", fault, r)
		}
		shoptest.Eventually(t, "the ticket is executed", func() bool {
			o, err := s.db.OrderOf(t.Context(), checkout.Test, ticketID(t, r))
			return err == nil && o.Ticket(ticketID(t, r)).Status == orders.TicketSucceeded
		})
	}
	made, err := s.sandboxes[checkout.Test].Refunds()
	if err != nil || len(made) != 5 {
		t.Errorf("%d refunds, %v", len(made), err)
	}
}

func ticketID(t *testing.T, r shoptest.Reply) string {
	t.Helper()
	var answer struct {
		Data struct{ Ticket struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(r.Body), &answer); err != nil || answer.Data.Ticket.ID == "" {
		t.Fatalf("no ticket: %s", r)
	}
	return answer.Data.Ticket.ID
}

// TestCountsOfGraphQL: the counts of the store are those of the lists, whatever the filter.
func TestCountsOfGraphQL(t *testing.T) {
	s := openShop(t)
	token := s.Token(t, "user-17")
	first, second := s.paidOrder(t, token).Payments[0].ID, s.paidOrder(t, token).Payments[0].ID
	s.signedPost(t, createTicketPath, ticketBody(first, "1.00"))
	s.signedPost(t, createTicketPath, ticketBody(first, "2.00"))
	s.Post(t, createTicketPath, ticketBody(second, "1.00"), shoptest.Bearer(token))
	shoptest.Eventually(t, "the refunds are made", func() bool {
		return strings.Count(s.query(t, queryBody(`{refunds(filter: {status: {eq: "succeeded"}}){id}}`)).Body, "REF_") == 2
	})
	for _, c := range []struct {
		list, filter string
		want         int
	}{
		{"refundTickets", ``, 3}, {"refundTickets", `{status: {eq: "pending"}}`, 1}, {"refundTickets", `{status: {eq: "succeeded"}}`, 2},
		{"refundTickets", `{status: {eq: "unheard"}}`, 0}, {"refundTickets", `{status: {eq: "pending", ne: "pending"}}`, 0},
		{"refundTickets", `{status: {eq: "pending"}, paymentId: {eq: "` + first + `"}}`, 0}, {"refundTickets", `{}`, 3},
		{"refunds", ``, 2}, {"refunds", `{}`, 2}, {"refunds", `{status: {eq: "succeeded"}}`, 2}, {"refunds", `{paymentId: {eq: "` + second + `"}}`, 0},
		{"webhookDeliveries", ``, 0}, {"webhookDeliveries", `{status: {eq: "failed"}}`, 0},
	} {
		arguments := ""
		if c.filter != "" {
			arguments = "(filter: " + c.filter + ")"
		}
		got := s.query(t, queryBody("{"+c.list+arguments+"{id} "+c.list+"Count"+arguments+"}"))
		if strings.Count(got.Body, `{"id"`) != c.want || !strings.Contains(got.Body, fmt.Sprintf(`"%sCount":%d}`, c.list, c.want)) {
			t.Errorf("%s%s: %s, want %d", c.list, arguments, got, c.want)
		}
	}
	long := s.query(t, queryBody(`{refundTicketsCount(filter: {status: {eq: "`+strings.Repeat("x", 3000)+`"}})}`))
	if !strings.Contains(long.Body, `"errors"`) || strings.Contains(long.Body, `"internal"`) {
		t.Errorf("a long status: %s", long)
	}
}
