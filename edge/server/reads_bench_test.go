package server

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// listedOrders is how many orders the store of BenchmarkReads has.
const listedOrders = 100_000

// BenchmarkReads measures queries over the loopback in a store with 100,000 orders, which are written by the database's own commits.
// The metrics are quantiles of the time of a request with one client.
func BenchmarkReads(b *testing.B) {
	s := openShop(b)
	s.fill(b)
	scope := `storeId: "` + s.File.StoreID + `"`
	for _, c := range []struct{ name, query string }{
		{"page of 20", `{onetimeOrders(` + scope + `, limit: 20){id status buyerEmail priceSnapshot{currency total} product{name} payments{id status} createdAt}}`},
		{"page of 100", `{onetimeOrders(` + scope + `, limit: 100){id status buyerEmail priceSnapshot{currency total} product{name} payments{id status} createdAt}}`},
		{"page of a rare status", `{onetimeOrders(` + scope + `, limit: 20, filter: {status: {eq: "canceled"}}){id status}}`},
		{"page behind 10000", `{onetimeOrders(` + scope + `, limit: 20, offset: 10000){id status}}`},
		{"counts", `{onetimeOrdersCount(` + scope + `) completed: onetimeOrdersCount(` + scope + `, filter: {status: {eq: "completed"}}) paymentsCount(` + scope + `)}`},
		{"payments", `{payments(` + scope + `, limit: 20){id orderId status snapshotDisplayAmount}}`},
		{"by external id", `{payments(filter: {orderMerchantExternalId: {eq: "number-50000"}}){id orderId}}`},
		{"sales", `{orderStatistics(` + scope + `){totalCount countByStatus{status count}} trendAnalysis(` + scope + `){revenueByPeriod{period amount}}}`},
		{"buyers", `{customerAnalysis(` + scope + `){totalCustomers}}`},
	} {
		b.Run(c.name, func(b *testing.B) { s.ask(b, c.query) })
	}
}

// fill copies one order of the demo store until it has listedOrders.
func (s *shop) fill(b *testing.B) {
	b.Helper()
	token := s.Token(b, "user-17")
	first := s.Session(b, nil).SessionID
	s.Pay(b, s.CreateOrder(b, token, shoptest.OrderFor(first)).CheckoutURL(b))
	shoptest.Eventually(b, "the order is paid", func() bool {
		session, err := s.db.Session(b.Context(), first)
		return err == nil && session.Closed
	})
	session, err := s.db.Session(b.Context(), first)
	if err != nil {
		b.Fatal(err)
	}
	order, err := s.db.Order(b.Context(), checkout.Test, session.OrderID)
	if err != nil {
		b.Fatal(err)
	}
	var next atomic.Int64
	var writers sync.WaitGroup
	for range 64 {
		writers.Go(func() {
			for n := next.Add(1); n < listedOrders; n = next.Add(1) {
				ownSession, o := *session, *order
				ownSession.ID, o.ID = fmt.Sprintf("cs_%08d", n), fmt.Sprintf("ORD_%022d", n)
				ownSession.ExternalID, ownSession.OrderID, o.SessionID = fmt.Sprintf("number-%d", n), o.ID, ownSession.ID
				o.Attempts, o.Payments = slices.Clone(order.Attempts), slices.Clone(order.Payments)
				o.Attempts[0].Placed.BuyerEmail = fmt.Sprintf("buyer-%d@example.com", n%5000)
				o.Payments[0].ID, o.Payments[0].At = fmt.Sprintf("PAY_%022d", n), order.Payments[0].At-n*60_000
				o.CreatedAt = order.CreatedAt - n*60_000
				if n%1000 == 0 {
					o.State, o.Payments = orders.Expired, nil
					o.Attempts[0].State = orders.Ended
				}
				ownSession.Version, o.Version = 0, 0
				if err := s.db.Commit(b.Context(), orders.Change{Session: &ownSession, Order: &o}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	writers.Wait()
}

// ask measures a query. Its signature is made once: a client's work is not measured.
func (s *shop) ask(b *testing.B, query string) {
	body := `{"query":"` + strings.ReplaceAll(query, `"`, `\"`) + `"}`
	header, err := s.Merchant.Sign("/v1/graphql", []byte(body))
	if err != nil {
		b.Fatal(err)
	}
	client := new(fasthttp.Client)
	var took []time.Duration
	for b.Loop() {
		req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		req.SetRequestURI(s.URL + "/v1/graphql")
		req.Header.SetMethod(fasthttp.MethodPost)
		req.Header.SetContentType("application/json")
		for name, value := range header {
			req.Header.Set(name, value)
		}
		req.SetBodyString(body)
		began := time.Now()
		err := client.Do(req, resp)
		took = append(took, time.Since(began))
		if err != nil || resp.StatusCode() != 200 || strings.Contains(string(resp.Body()), `"errors"`) {
			b.Fatalf("%v, %d %s", err, resp.StatusCode(), resp.Body())
		}
		fasthttp.ReleaseRequest(req)
		fasthttp.ReleaseResponse(resp)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
