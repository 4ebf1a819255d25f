package e2e

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// routes are what the paths begin with that package page and package server tell apart, each with what holds it to its place. A new one
// needs a row: TestIsolationPages compares the table with the packages' sources.
var routes = map[string]string{
	"/store/":     "foreignPages",
	"/checkout/":  "foreignPages",
	"/product/":   "foreignPages",
	"/orders/":    "foreignDocuments",
	"/receipt":    "foreignDocuments",
	"/theme/":     "public: the colours are in the path",
	"/rates/":     "public: the operator's tax rates, the same for all stores",
	"/rules/":     "public: the module of a rule that runs in the page; the digest is in the path",
	"/sandbox":    "the provider's, whose pages belong to no merchant",
	"/sandbox/":   "the provider's, whose pages belong to no merchant",
	"/v1/":        "the API of the provider of crepe sandbox, behind its key",
	"/healthz":    "of crepe sandbox: says nothing",
	"/log":        "the provider's, of crepe dev only",
	"/trigger":    "the provider's, of crepe dev only",
	"/faults":     "the provider's, of crepe dev only",
	"/demo/":      "of crepe dev only",
	"/buyerEmail": "no path: a member of a form",
	"/demo":       "no path: a route's name in logs and metrics",

	"/sandbox/prod":          "the provider's, whose pages belong to no merchant",
	"/billingDetail/":        "no path: a member of a form",
	"/billingDetail/country": "no path: a member of a form",
	"/billingDetail/state":   "no path: a member of a form",

	"/store/<slug>/checkout/<session>":          "no path: a route's name in logs and metrics",
	"/store/<slug>/checkout/<session>/complete": "no path: a route's name in logs and metrics",
	"/store/<slug>/product/<product>":           "no path: a route's name in logs and metrics",
	"/orders/<token>/receipt":                   "no path: a route's name in logs and metrics",
}

// TestIsolationPages: the table routes has every path that the sources of the pages name, and no other.
func TestIsolationPages(t *testing.T) {
	t.Parallel()
	named := map[string]bool{"/demo/": true} // demo.Pages has the paths of the demo's shop
	for _, dir := range []string{"../page", "../server"} {
		for _, path := range pathsIn(t, dir) {
			named[path] = true
			if routes[path] == "" {
				t.Errorf("%s serves %q, which needs a row in the table routes", dir, path)
			}
		}
	}
	for path := range routes {
		if !named[path] {
			t.Errorf("no page has the path %q", path)
		}
	}
}

// pathsIn are the texts in the sources of a package that can be the beginning of a path.
func pathsIn(t *testing.T, dir string) (paths []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	must(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		must(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				text, err := strconv.Unquote(literal.Value)
				must(t, err)
				if regexp.MustCompile(`^/[a-z]`).MatchString(text) {
					paths = append(paths, text)
				}
			}
			return true
		})
	}
	return paths
}

// foreignPages: under a store's slug, a session or a product of another store has the page of an unknown one, and its own has another.
func (w *isolation) foreignPages(t *testing.T) {
	t.Helper()
	for _, page := range []struct {
		path   string
		object func(*place) (id, unknown string)
	}{{"/checkout/%s", sessionOf}, {"/checkout/%s/complete", sessionOf}, {"/product/%s?currency=EUR&test=true", productOf},
		{"/product/%s?currency=EUR", productOf}} {
		for _, from := range w.places {
			_, unknownID := page.object(from)
			unknown := w.get(t, "/store/"+from.slug+fmt.Sprintf(page.path, unknownID))
			for _, to := range w.places {
				id, _ := page.object(to)
				got := w.get(t, "/store/"+from.slug+fmt.Sprintf(page.path, id))
				if own := from.storeID == to.storeID; own == (got == unknown) || own != (got[0] != '4') {
					t.Errorf("%s under the slug of %s with an id of %s:\n%.400s\nan unknown id:\n%.400s", page.path, from, to, got, unknown)
				}
			}
		}
	}
}

// get returns the status and the body of a path, and follows no redirect.
func (w *isolation) get(t *testing.T, path string) string {
	t.Helper()
	noRedirect := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := noRedirect.Get(w.shop.URL + path)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return response.Status + "\n" + string(body)
}

// rejectTickets pays a third order of the place's buyer, who asks for a refund again and again. The operator rejects each ticket.
func (w *isolation) rejectTickets(t *testing.T, p *place) {
	t.Helper()
	payment, order := p.paymentID, p.orderID
	w.pay(t, p)
	p.ticketPaymentID, p.ticketOrderID = p.paymentID, p.orderID
	p.paymentID, p.orderID = payment, order
	operator := admin.Dial(w.data)
	defer operator.Close()
	for range 4 {
		var asked struct {
			Data struct{ Ticket struct{ ID string } }
		}
		ticket := fmt.Sprintf(`{"paymentId":%q,"reason":"of %s","requestedAmount":{"amount":"1.00","currency":"EUR"}}`, p.ticketPaymentID, p)
		got := w.shop.Post(t, createTicketPath, ticket, w.headers(t, asCustomer, p, createTicketPath, ticket))
		must(t, json.Unmarshal([]byte(got.Body), &asked))
		id := asked.Data.Ticket.ID
		_, err := admin.Perform[admin.Ticket](operator, admin.ReviewTicket, admin.ReviewRequest{Environment: string(p.env), ID: id, Note: "no"})
		must(t, err)
		p.ticketIDs = append(p.ticketIDs, id)
	}
}

var documentPath = regexp.MustCompile(`/orders/[a-z2-7]{32}/receipt`)

// readReceipts finds the receipt and the credit note of the place's paid order, as the operator does.
func (w *isolation) readReceipts(t *testing.T, p *place) {
	t.Helper()
	shoptest.Eventually(t, "the receipt and the credit note are there", func() bool {
		found := make(map[string]bool)
		for _, path := range documentPath.FindAllString(w.get(t, "/dashboard/"+string(p.env)+"/orders/"+p.paidOrderID), -1) {
			found[path] = true
		}
		p.receipts = found
		return len(found) == 2
	})
}

// foreignDocuments: a receipt or credit note shows what is of its own place only. Whoever has another id, but not the document's token,
// gets the answer of an unknown token.
func (w *isolation) foreignDocuments(t *testing.T) {
	t.Helper()
	for _, p := range w.places {
		for path := range p.receipts {
			for _, form := range []string{"", ".json"} {
				got := w.get(t, path+form)
				if !strings.HasPrefix(got, "200") || !strings.Contains(got, p.paidOrderID) {
					t.Errorf("%s of %s: %s", form, p, got)
				}
				for _, other := range w.places {
					for _, id := range []string{other.orderID, other.paidOrderID, other.paymentID, other.sessionID, other.storeID, other.productID} {
						if other.storeID != p.storeID && strings.Contains(got, id) {
							t.Errorf("a document of %s shows %s of %s", p, id, other)
						}
					}
				}
			}
			own := strings.Split(path, "/")[2]
			for _, token := range []string{p.orderID, p.paidOrderID, p.paymentID, p.sessionID, p.ticketIDs[0], own[1:], own + "a", strings.ToUpper(own)} {
				for _, form := range []string{"/receipt", "/receipt.json"} {
					unknown := w.get(t, "/orders/"+strings.Repeat("a", len(own))+form)
					if got := w.get(t, "/orders/"+token+form); got != unknown || got[0] != '4' {
						t.Errorf("the document at %s%s of %s: %s\nan unknown one: %s", token, form, p, got, unknown)
					}
				}
			}
		}
	}
}

// dashboardLists are the sections of the dashboard, each with the ids that its list shows of a place. A new section needs a row.
var dashboardLists = map[string]struct {
	shows func(*place) []string
	pages bool // each id has a page, in its environment
}{
	"":           {shows: func(*place) []string { return nil }},
	"orders":     {shows: func(p *place) []string { return []string{p.orderID, p.paidOrderID, p.ticketOrderID} }, pages: true},
	"sessions":   {shows: func(p *place) []string { return []string{p.sessionID} }, pages: true},
	"webhooks":   {shows: func(p *place) []string { return []string{p.webhookID} }},
	"products":   {shows: func(p *place) []string { return []string{p.productID} }},
	"refunds":    {shows: func(*place) []string { return nil }}, // no ticket is open
	"quarantine": {shows: func(*place) []string { return nil }}, // these belong to no store
	"refund-due": {shows: func(*place) []string { return nil }},
}

// foreignSections: the operator sees all merchants, and each page the environment in its path and the store in its query only.
func (w *isolation) foreignSections(t *testing.T) {
	t.Helper()
	source, err := os.ReadFile("../dashboard/visit.go")
	must(t, err)
	sections := regexp.MustCompile(`{name: "([a-z-]*)"`).FindAllStringSubmatch(string(source), -1)
	if len(sections) != len(dashboardLists) {
		t.Errorf("the dashboard has %d sections, dashboardLists %d", len(sections), len(dashboardLists))
	}
	for _, section := range sections {
		row, ok := dashboardLists[section[1]]
		if !ok {
			t.Errorf("the section %s of the dashboard needs a row in dashboardLists", section[1])
			continue
		}
		for _, p := range w.places {
			w.foreignSection(t, section[1], p)
			list := w.get(t, "/dashboard/"+string(p.env)+"/"+section[1]+"?store="+p.storeID)
			for _, id := range row.shows(p) {
				if !strings.Contains(list, id) {
					t.Errorf("%s of %s does not show %s", section[1], p, id)
				}
				own := w.get(t, "/dashboard/"+string(p.env)+"/"+section[1]+"/"+id)
				foreign := w.get(t, "/dashboard/"+string(p.otherEnvironment())+"/"+section[1]+"/"+id)
				if row.pages && (own[0] != '2' || !strings.HasPrefix(foreign, "404")) {
					t.Errorf("the page of %s, of %s: %.40s; in the other environment %.40s", id, p, own, foreign)
				}
			}
		}
	}
}

// foreignSection: the list of a section shows no id of another environment, and none of another store than the chosen one.
func (w *isolation) foreignSection(t *testing.T, section string, p *place) {
	t.Helper()
	path := "/dashboard/" + string(p.env) + "/" + section
	all, ofStore := w.get(t, path), w.get(t, path+"?store="+p.storeID)
	if all[0] != '2' || ofStore[0] != '2' {
		t.Fatalf("%s: %.40s; of one store %.40s", path, all, ofStore)
	}
	for _, other := range w.places {
		for _, id := range append([]string{other.orderID, other.paidOrderID, other.ticketOrderID, other.sessionID, other.paymentID, other.webhookID}, other.ticketIDs...) {
			if other.env != p.env && strings.Contains(all, id) || (other.env != p.env || other.storeID != p.storeID) && strings.Contains(ofStore, id) {
				t.Errorf("%s of %s shows %s of %s", path, p, id, other)
			}
		}
		if other.storeID != p.storeID && strings.Contains(ofStore, other.productID) {
			t.Errorf("%s of %s shows the product of %s", path, p, other)
		}
	}
}

// operatorsPaths: no path of the operator's socket is served to merchants, whatever their credential.
func (w *isolation) operatorsPaths(t *testing.T) {
	t.Helper()
	source, err := os.ReadFile("../admin/admin.go")
	must(t, err)
	paths := regexp.MustCompile(`(?m)^\t\w+ += "(/[^"]+)"$`).FindAllStringSubmatch(string(source), -1)
	if len(paths) < 25 {
		t.Fatalf("package admin has %d operations only", len(paths))
	}
	const body = `{"environment":"test"}`
	for _, path := range paths {
		for _, by := range []credential{asMerchant, asCustomer, asVisitor} {
			for _, prefix := range []string{"", "/v1", "/v1/actions", "/admin"} {
				if got := w.shop.Post(t, prefix+path[1], body, w.headers(t, by, w.places[0], prefix+path[1], body)); got.Status != 404 {
					t.Errorf("the operation %s answers the %s: %v", prefix+path[1], by, got)
				}
			}
		}
		if got := w.get(t, path[1]); !strings.HasPrefix(got, "404") {
			t.Errorf("GET %s: %.200s", path[1], got)
		}
	}
}
