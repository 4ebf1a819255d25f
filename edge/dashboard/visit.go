package dashboard

import (
	"context"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
)

// pageSize is the number of entries of a page of a list.
const pageSize = 25

// section is a part of the dashboard. A nil method means that there is no such page.
type section struct {
	name  string // in the path; "" for the overview
	title string // in the navigation
	list  func(*Handler, *visit) (page, error)
	one   func(*Handler, *visit) (page, error)
	// act performs an action on a record and returns what to show afterwards.
	act func(h *Handler, v *visit, do, id string) (page, error)
}

// sections are the parts of the dashboard in the order of the navigation.
func sections() []*section {
	return []*section{
		{name: "", title: "Overview", list: (*Handler).overview},
		{name: "orders", title: "Orders", list: (*Handler).orders, one: (*Handler).order},
		{name: "refunds", title: "Refunds", list: (*Handler).refunds, one: (*Handler).newRefund, act: (*Handler).actOnRefunds},
		{name: "sessions", title: "Sessions", list: (*Handler).sessions, one: (*Handler).session},
		{name: "webhooks", title: "Webhooks", list: (*Handler).webhooks, one: (*Handler).delivery, act: (*Handler).actOnWebhooks},
		{name: "products", title: "Products", list: (*Handler).products, one: (*Handler).product},
		{name: "quarantine", title: "Quarantine", list: (*Handler).quarantine, act: (*Handler).handleQuarantined},
		{name: "refund-due", title: "Refund due", list: (*Handler).refundDue, act: (*Handler).handleRefundDue},
	}
}

// page is what a section shows.
type page struct {
	template, title string
	data            any
	status          int    // 0 is 200
	to              string // if not "", the path to redirect to instead
}

// visit is one request of a visitor with access.
type visit struct {
	*fasthttp.RequestCtx
	ctx     context.Context // for the services; the pooled RequestCtx is not handed on
	login   *login
	env     checkout.Environment
	section *section
	id      string // of one record, or ""
	stores  stores
}

// visit parses the path of a request. The error is [errNotFound] if there is no such page.
func (h *Handler) visit(ctx context.Context, request *fasthttp.RequestCtx, login *login, path string) (*visit, error) {
	name, rest, _ := strings.Cut(strings.TrimPrefix(path, Path+"/"), "/")
	env, ok := checkout.ParseEnvironment(name)
	if !ok {
		return nil, errNotFound
	}
	v := &visit{RequestCtx: request, ctx: ctx, login: login, env: env}
	name, v.id, _ = strings.Cut(rest, "/")
	for _, s := range sections() {
		if s.name == name {
			v.section = s
			var err error
			v.stores, err = h.readStores(ctx, v.query("store"))
			return v, err
		}
	}
	return nil, errNotFound
}

// query returns a parameter of the request's URL, without spaces around it. A longer one than any id or address is cut off.
func (v *visit) query(name string) string {
	value := strings.TrimSpace(string(v.QueryArgs().Peek(name)))
	if len(value) > maxQuery {
		value = value[:maxQuery]
	}
	return strings.ToValidUTF8(value, "")
}

const maxQuery = 256

// path returns the path of a page of the visit's environment and chosen store, with parameters given as name and value in turns.
// Empty ones are left out.
func (v *visit) path(section, id string, parameters ...string) string {
	path := Path + "/" + string(v.env)
	for _, part := range []string{section, id} {
		if part != "" {
			path += "/" + part
		}
	}
	var query fasthttp.Args
	if v.stores.chosen != nil {
		query.Add("store", v.stores.chosen.ID)
	}
	for i := 0; i+1 < len(parameters); i += 2 {
		if parameters[i+1] != "" {
			query.Add(parameters[i], parameters[i+1])
		}
	}
	if query.Len() > 0 {
		path += "?" + query.String()
	}
	return path
}
