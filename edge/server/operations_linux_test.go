package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/badgerstore"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/psp"
	"github.com/crepe-checkout/crepe/edge/record"
	"github.com/crepe-checkout/crepe/edge/shoptest"
	"github.com/crepe-checkout/crepe/wasm/host"
)

// costly is a server with orders, and a connection to it.
type costly struct {
	*testing.T
	*benchShop
	conn   net.Conn // in memory
	reader *bufio.Reader
	answer fasthttp.Response
}

// operations returns what TestCosts measures, in the order of the table.
func operations(t *testing.T) []*operation {
	shop := openBench(t, false)
	conn, err := shop.client.Dial("")
	if err != nil {
		t.Fatal(err)
	}
	c := &costly{T: t, benchShop: shop, conn: conn, reader: bufio.NewReader(conn)}
	sessions := c.copies(t, 20)
	for _, session := range sessions {
		c.ask(c.creation(session, consumer), fasthttp.StatusOK)
	}
	return []*operation{
		{name: "place", about: "core: a request becomes an order", calls: 2000, prepare: c.place()},
		{name: "assess", about: "core: the tax of a sale", calls: 4000, prepare: c.assess()},
		{name: "token", about: "the verification of a session token that was not seen before", calls: 200, prepare: c.tokens},
		{name: "body", about: "create-order with a body that cannot be decoded", calls: 60, prepare: c.same(c.creation(sessions[0], malformed), fasthttp.StatusBadRequest)},
		{name: "encode", about: "an order becomes a record", calls: 1500, prepare: c.encode(sessions[0])},
		{name: "decode", about: "a record becomes an order", calls: 700, prepare: c.decode(sessions[0])},
		{name: "commit", about: "Badger: a commit of an order, without sync", calls: 40, prepare: c.commits()},
		{name: "again", about: "create-order with the URL of an earlier request", calls: 40, prepare: c.same(c.creation(sessions[0], consumer), fasthttp.StatusOK)},
		{name: "durable", about: "create-order with two durable commits, the sandbox provider in the same process", calls: 10, prepare: c.creations},
		{name: "page", about: "GraphQL: the first 20 orders with product and payments", calls: 8, prepare: c.pages},
		{name: "wasm", about: "checkout.wasm in wasm/host: a billing detail", calls: 1500, prepare: c.module()},
	}
}

// Billing details of a create-order request.
const (
	consumer  = `{"country":"DE","isBusiness":false}`
	malformed = `{"country":"DE","isBusiness":false,"taxId":1}`
)

// each returns the preparation of an operation that needs none.
func (c *costly) each(call func() error) func(int) func() {
	return func(calls int) func() {
		return func() {
			for range calls {
				if err := call(); err != nil {
					c.Fatal(err)
				}
			}
		}
	}
}

func (c *costly) place() func(int) func() {
	now := time.Now().UnixMilli()
	natural := false
	r := &checkout.Request{Caller: checkout.Caller{Environment: checkout.Test, StoreID: c.file.StoreID, Identity: "bench"}, SessionID: c.session.ID,
		Billing: &billing.Input{Country: "DE", IsBusiness: &natural}, BuyerEmail: "ada@example.com"}
	return c.each(func() error {
		if _, refused := checkout.Place(&c.session.Session, r, now); refused != nil {
			return refused
		}
		return nil
	})
}

func (c *costly) assess() func(int) func() {
	natural := false
	buyer, problems := billing.Check(billing.Input{Country: "DE", IsBusiness: &natural})
	if problems != nil {
		c.Fatal(problems)
	}
	price, _ := money.ParseAmount("29.00", "EUR")
	sale := &tax.Sale{Seller: &c.session.Terms.Seller, Buyer: &buyer, Category: tax.SaaS, Price: price, Step: 1, On: civil.DateOf(time.Now().UnixMilli())}
	return c.each(func() error {
		if _, p := tax.Assess(sale); p != nil {
			return p
		}
		return nil
	})
}

// tokens are of shoppers: the use of one is not stored.
func (c *costly) tokens(calls int) func() {
	visitor := auth.Caller{Role: auth.Visitor, Environment: checkout.Test, StoreID: c.file.StoreID}
	var all []string
	for range calls {
		issued, err := c.s.auth.IssueShopper(c.Context(), visitor, &c.session.Session)
		if err != nil {
			c.Fatal(err)
		}
		all = append(all, "Bearer "+issued.Token)
	}
	return func() {
		for _, token := range all {
			if _, err := c.s.auth.Session(c.Context(), token, "test"); err != nil {
				c.Fatal(err)
			}
		}
	}
}

// stored returns the order of a session.
func (c *costly) stored(session string) *orders.Order {
	s, err := c.s.db.Session(c.Context(), session)
	if err != nil {
		c.Fatal(err)
	}
	o, err := c.s.db.Order(c.Context(), checkout.Test, s.OrderID)
	if err != nil {
		c.Fatal(err)
	}
	return o
}

func (c *costly) encode(session string) func(int) func() {
	o := c.stored(session)
	return c.each(func() error {
		_, err := record.Marshal(o)
		return err
	})
}

func (c *costly) decode(session string) func(int) func() {
	text, err := record.Marshal(c.stored(session))
	if err != nil {
		c.Fatal(err)
	}
	return c.each(func() error { return record.Unmarshal(text, new(orders.Order)) })
}

func (c *costly) commits() func(int) func() {
	db, err := badgerstore.Open(c.TempDir(), badgerstore.Options{NoSync: true})
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() {
		if err := db.Close(); err != nil {
			c.Error(err)
		}
	})
	n := 0
	return c.each(func() error {
		n++
		return db.Commit(c.Context(), orders.Change{Order: &orders.Order{ID: fmt.Sprintf("ORD_%019d", n), StoreID: "STO_bench", Environment: checkout.Test,
			Attempts: []orders.Attempt{{N: 1, State: orders.Sent, Request: psp.RenderedRequest{Path: "/pay", Body: make([]byte, 1200)}}}}})
	})
}

// module calls the module in one instance.
func (c *costly) module() func(int) func() {
	m, err := host.New(c.Context(), host.Config{Instances: 1})
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { m.Close(context.Background()) })
	return c.each(func() error {
		_, err := m.Call(c.Context(), "billing", []byte(consumer))
		return err
	})
}

// creation is a create-order request as it is sent.
func (c *costly) creation(session, billing string) []byte {
	body := `{"checkoutSessionId":"` + session + `","buyerEmail":"ada@example.com","billingDetail":` + billing + `}`
	return post(shoptest.CreateOrderPath, body, shoptest.Bearer(c.token))
}

// post is a request as it is sent.
func post(path, body string, header map[string]string) []byte {
	var r fasthttp.Request
	r.SetRequestURI(path)
	r.Header.SetMethod(fasthttp.MethodPost)
	r.Header.SetHost("crepe.example")
	r.Header.SetContentType("application/json")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	r.SetBodyString(body)
	return []byte(r.String())
}

// ask sends a request and reads its response, without allocations of its own.
func (c *costly) ask(request []byte, want int) {
	_, err := c.conn.Write(request)
	if err = errors.Join(err, c.answer.Read(c.reader)); err != nil || c.answer.StatusCode() != want {
		c.Fatalf("%v, %d %s", err, c.answer.StatusCode(), c.answer.Body())
	}
}

// same sends one request.
func (c *costly) same(request []byte, want int) func(int) func() {
	return c.each(func() error {
		c.ask(request, want)
		return nil
	})
}

// creations create an order of a session of its own.
func (c *costly) creations(calls int) func() {
	var requests [][]byte
	for _, session := range c.copies(c, calls) {
		requests = append(requests, c.creation(session, consumer))
	}
	return func() {
		for _, request := range requests {
			c.ask(request, fasthttp.StatusOK)
		}
	}
}

// pages are read with a signature of now, which expires.
func (c *costly) pages(calls int) func() {
	const path = "/v1/graphql"
	query := `{onetimeOrders(storeId: \"` + c.file.StoreID + `\", limit: 20){id status buyerEmail priceSnapshot{currency total} product{name} payments{id status} createdAt}}`
	body := `{"query":"` + query + `"}`
	header, err := shoptest.New(c, c.s.PublicURL, c.file).Merchant.Sign(path, []byte(body))
	if err != nil {
		c.Fatal(err)
	}
	return c.same(post(path, body, header), fasthttp.StatusOK)(calls)
}
