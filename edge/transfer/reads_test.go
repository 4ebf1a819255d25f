package transfer_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/idempotency"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// reads are the answers of a store through its ports, by the question.
type reads struct {
	store
	t       *testing.T
	ctx     context.Context
	answers map[string]string
}

// readsOf asks a store about everything in a list of entries: every list, every index, every counter.
func readsOf(t *testing.T, s store, entries []record.Entry) map[string]string {
	r := &reads{s, t, t.Context(), map[string]string{}}
	for _, e := range entries {
		r.entry(e)
	}
	for _, env := range []checkout.Environment{checkout.Test, checkout.Prod} {
		r.environment(env)
	}
	ask(r, "merchants")(s.Merchants(r.ctx, "", 1000))
	ask(r, "due")(s.Due(r.ctx, math.MaxInt32*1000, 1000))
	ask(r, "due mails")(s.DueMails(r.ctx, math.MaxInt32*1000, 1000))
	ask(r, "due checks")(s.DueVATChecks(r.ctx, math.MaxInt32*1000, 1000))
	ask(r, "due deliveries")(s.DueDeliveries(r.ctx, math.MaxInt32*1000, 1000))
	ask(r, "outbox")(s.Facts(r.ctx, 0, 1000))
	return r.answers
}

// ask returns a function that notes an answer. An error is an answer, unless it is one that no record explains.
func ask(r *reads, question ...any) func(any, error) {
	return func(answer any, err error) {
		r.t.Helper()
		text, failed := json.Marshal(answer)
		if failed != nil {
			r.t.Fatal(failed)
		}
		known := err == nil
		for _, e := range []error{orders.ErrNotFound, sessions.ErrNotFound, catalog.ErrNotFound, notify.ErrNotFound, invoices.ErrNotFound, idempotency.ErrNotFound, vies.ErrNotFound} {
			known = known || errors.Is(err, e)
		}
		if !known {
			r.t.Errorf("%v: %v", question, err)
		}
		if err != nil {
			text = []byte("not found")
		}
		r.answers[fmt.Sprint(question...)] = strings.ReplaceAll(string(text), "[]", "null")
	}
}

func (r *reads) environment(env checkout.Environment) {
	ask(r, "quarantined ", env)(r.Quarantined(r.ctx, env, "", 1000))
	ask(r, "refund due ", env)(r.RefundDue(r.ctx, env, "", 1000))
	ask(r, "open tickets ", env)(r.OpenTickets(r.ctx, env, "", 1000))
	ask(r, "unhandled ", env)(r.Unhandled(r.ctx, env))
	ask(r, "checks to review ", env)(r.VATChecksToReview(r.ctx, env, "", 1000))
	ask(r, "failed deliveries ", env)(r.FailedDeliveries(r.ctx, env, "", 1000))
	ask(r, "deliveries counted ", env)(r.CountDeliveries(r.ctx, env))
	ask(r, "endpoints ", env)(r.AllEndpoints(r.ctx, env, "", 1000))
	ask(r, "signing keys ", env)(r.SigningKeys(r.ctx, env))
	ask(r, "webhook key ", env)(r.WebhookKey(r.ctx, env, func() ([]byte, error) { return nil, errors.New("lost") }))
}

// tenant asks about the records of a store in an environment.
func (r *reads) tenant(env checkout.Environment, id string) {
	all := orders.List{Environment: env, Stores: []string{id}, Limit: 1000}
	ask(r, "orders ", env, id)(r.Orders(r.ctx, all))
	for _, status := range []string{"pending", "completed", "closed", "canceled"} {
		narrowed := all
		narrowed.Statuses = []string{status}
		ask(r, status, env, id)(r.CountOrders(r.ctx, narrowed))
	}
	ask(r, "payments ", env, id)(r.PaymentIDs(r.ctx, all, ""))
	ask(r, "payments counted ", env, id)(r.CountPayments(r.ctx, all, orders.Succeeded))
	ask(r, "tickets ", env, id)(r.TicketIDs(r.ctx, all, ""))
	ask(r, "tickets counted ", env, id)(r.CountTickets(r.ctx, all, ""))
	ask(r, "refunds ", env, id)(r.RefundIDs(r.ctx, all))
	ask(r, "refunds counted ", env, id)(r.CountRefunds(r.ctx, all))
	ask(r, "buyers ", env, id)(r.CountBuyers(r.ctx, env, id))
	ask(r, "sales ", env, id)(r.Sales(r.ctx, env, id, "", ""))
	ask(r, "sessions ", env, id)(r.Sessions(r.ctx, env, []string{id}, "", 1000))
	ask(r, "deliveries ", env, id)(r.Deliveries(r.ctx, env, id, "", 1000))
	ask(r, "endpoints ", env, id)(r.Endpoints(r.ctx, env, id))
}

// entry asks about one entry, and about what it belongs to.
func (r *reads) entry(e record.Entry) {
	env, rest, _ := strings.Cut(e.Key, "/")
	in := checkout.Environment(env)
	switch v := e.Value.(type) {
	case []byte:
		ask(r, "slug ", e.Key)(r.StoreBySlug(r.ctx, e.Key))
	case *catalog.Merchant:
		ask(r, "merchant ", e.Key)(r.Merchant(r.ctx, v.ID))
		ask(r, "stores of ", e.Key)(r.Stores(r.ctx, v.ID, 0, 1000))
	case *catalog.Store:
		ask(r, "products of ", e.Key)(r.Products(r.ctx, v.ID, 0, 1000))
		for _, origin := range v.Origins {
			ask(r, "origin ", origin)(r.OriginListed(r.ctx, origin))
		}
	case *catalog.Product:
		ask(r, "product ", e.Key)(r.Product(r.ctx, v.ID))
		ask(r, "versions of ", e.Key)(r.Versions(r.ctx, v.ID, 0, 1000))
	case *catalog.Version:
		ask(r, "version ", e.Key)(r.Version(r.ctx, env, v.ID))
	case *sessions.Session:
		ask(r, "session ", e.Key)(r.Session(r.ctx, v.ID))
		r.tenant(v.Environment, v.StoreID)
		if v.ExternalID != "" {
			ask(r, "external id ", v.Environment, v.StoreID, v.ExternalID)(r.Orders(r.ctx,
				orders.List{Environment: v.Environment, Stores: []string{v.StoreID}, ExternalID: v.ExternalID, Limit: 100}))
		}
	case *orders.Order:
		r.order(v)
	case *auth.TokenState:
		ask(r, "token ", e.Key)(r.Token(r.ctx, in, rest))
	case *idempotency.Answer:
		ask(r, "answer ", e.Key)(r.IdempotentAnswer(r.ctx, idempotency.ID{Environment: in, Hash: rest}))
	case *invoices.Document:
		ask(r, "document ", e.Key)(r.Document(r.ctx, v.Token))
		ask(r, "document of ", e.Key)(r.DocumentOf(r.ctx, v.Series.Environment, v.OrderID, v.EventID))
		ask(r, "last of ", v.Series)(r.LastNumber(r.ctx, v.Series))
		ask(r, "series ", v.Series)(r.Documents(r.ctx, v.Series, "", 1000))
	case *invoices.Mail:
		ask(r, "mail ", e.Key)(r.Mail(r.ctx, v.Token))
	case *vies.Check:
		ask(r, "check ", e.Key)(r.VATCheck(r.ctx, v.Environment, v.StoreID, v.OrderID))
	case *notify.Endpoints:
		r.tenant(v.Environment, v.StoreID)
		for _, item := range v.Items {
			ask(r, "store of ", item.ID)(r.EndpointStore(r.ctx, v.Environment, item.ID))
		}
	case *notify.Delivery:
		ask(r, "delivery ", e.Key)(r.Delivery(r.ctx, v.Environment, v.ID))
		r.tenant(v.Environment, v.StoreID)
	}
}

func (r *reads) order(o *orders.Order) {
	sold := o.Sold()
	ask(r, "order ", o.ID)(r.Order(r.ctx, o.Environment, o.ID))
	list := orders.List{Environment: o.Environment, Stores: []string{o.StoreID}, Limit: 100}
	byEmail, byIdentity := list, list
	byEmail.Email, byIdentity.Identity = sold.BuyerEmail, sold.BuyerIdentity
	ask(r, "e-mail ", list.Environment, list.Stores, byEmail.Email)(r.Orders(r.ctx, byEmail))
	ask(r, "identity ", list.Environment, list.Stores, byIdentity.Identity)(r.Orders(r.ctx, byIdentity))
	for _, p := range o.Payments {
		ask(r, "order of payment ", p.ID)(r.OrderOfPayment(r.ctx, o.Environment, p.ID))
		if p.Ref != "" {
			ask(r, "order paid by ", p.ID)(r.OrderPaidBy(r.ctx, o.Environment, p.Provider, p.Ref))
		}
	}
	for i := range o.Tickets {
		ask(r, "order of ticket ", o.Tickets[i].ID)(r.OrderOf(r.ctx, o.Environment, o.Tickets[i].ID))
	}
}
