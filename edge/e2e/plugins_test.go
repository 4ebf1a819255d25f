package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/shoptest"
)

// rulesFolder has the sample rules.
const rulesFolder = "../../wasm/rules/"

// ruled is a shop whose store gets rules by the command line.
type ruled struct {
	*shoptest.Shop
	*testing.T
	flags []string // that name the database
}

func (r *ruled) plugin(args ...string) []string {
	return append(append([]string{"plugin"}, append(args, "--store-id", r.File.StoreID)...), r.flags...)
}

// upload uploads a sample with a config, and returns the number of its version.
func (r *ruled) upload(sample, config string, more ...string) int {
	r.Helper()
	file := filepath.Join(r.TempDir(), "config.json")
	must(r.T, os.WriteFile(file, []byte(config), 0o600))
	return operateJSON[admin.Rule](r, r.plugin(append([]string{"upload", rulesFolder + sample + ".wasm", "--rule-config", file}, more...)...)...).Version
}

func (r *ruled) publish(version int, env checkout.Environment) {
	r.Helper()
	operate(r, r.plugin("publish", "--version", strconv.Itoa(version), "--env", string(env))...)
}

// order places an order in a session of its own.
func (r *ruled) order() shoptest.Reply {
	r.Helper()
	return r.CreateOrder(r, r.Token(r, "user-1"), shoptest.OrderFor(r.Session(r, nil).SessionID))
}

func (r *ruled) want(what string, reply shoptest.Reply, status int, text string) {
	r.Helper()
	if reply.Status != status || !strings.Contains(reply.Body, text) {
		r.Errorf("%s: %s, want %d and %q", what, reply, status, text)
	}
}

// follow uploads and publishes rules, and places orders that they decide about.
func (r *ruled) follow() {
	first := r.upload("limits", `{"EUR":{"max":"20.00"}}`)
	r.want("an uploaded rule that is not published", r.order(), 200, "checkoutUrl")
	refused(r.T, nil, "never published in test", r.plugin("publish", "--version", strconv.Itoa(first), "--env", "prod")...)
	r.publish(first, checkout.Test)
	r.want("a rule in test", r.order(), 400, `"message":"The largest order is 20.00 EUR."`)
	r.want("its code", r.order(), 400, `"code":"rule-order-too-large"`)
	r.publish(first, checkout.Prod)
	if again := r.upload("limits", `{ "EUR": {"max": "20.00"} }`); again != first {
		r.Errorf("the same rule again is version %d", again)
	}
	second := r.upload("limits", `{"EUR":{"max":"50.00"}}`, "--name", "higher limit")
	r.publish(second, checkout.Test)
	r.want("the next version", r.order(), 200, "checkoutUrl")
	list := operateJSON[[]admin.Rule](r, r.plugin("list")...)
	if len(list) != 2 || list[0].Version != second || !list[0].Test || list[0].Prod || !list[1].Prod || list[1].Test {
		r.Errorf("listed: %+v", list)
	}
	refused(r.T, nil, "is published", r.plugin("remove", "--version", strconv.Itoa(second))...)
	operate(r, r.plugin("unpublish", "--env", "prod")...)
	operate(r, r.plugin("remove", "--version", strconv.Itoa(first))...)
	if list := operateJSON[[]admin.Rule](r, r.plugin("list")...); len(list) != 1 {
		r.Errorf("after a removal: %+v", list)
	}
}

// discounts gives a buyer a coupon, who orders and pays. It returns the session.
func (r *ruled) discounts() (session string) {
	r.Helper()
	sum := sha256.Sum256([]byte("ada@example.com"))
	coupon := r.upload("coupon", `{"label":"Spring coupon","percent":10,"addresses":["`+hex.EncodeToString(sum[:8])+`"]}`)
	r.publish(coupon, checkout.Test)
	session = r.Session(r, nil).SessionID
	request := shoptest.OrderFor(session)
	request["buyerEmail"] = "Ada@example.com"
	token := r.Token(r, "user-2")
	r.Pay(r, r.CreateOrder(r, token, request).CheckoutURL(r))
	sold(r.T, r.Shop, token, request)
	return session
}

// fails publishes a rule that fails for orders in USD.
func (r *ruled) fails() {
	r.Helper()
	inUSD := func() shoptest.Reply {
		return r.CreateOrder(r, r.Token(r, "user-3"), shoptest.OrderFor(r.Session(r, map[string]any{"currency": "USD"}).SessionID))
	}
	const wrong = `{"USD":{"maximum":"1.00"}}`
	r.publish(r.upload("limits", wrong), checkout.Test)
	r.want("a rule that fails", inUSD(), 503, `"code":"rule-failed"`)
	r.want("the same rule for another order", r.order(), 200, "checkoutUrl")
	r.publish(r.upload("limits", wrong, "--on-failure", "continue"), checkout.Test)
	r.want("one that orders go on without", inUSD(), 200, "checkoutUrl")
	if metrics := ask(r.T, r.flags[1], "GET", "/metrics", "").Body; !strings.Contains(metrics, `crepe_rule_failures_total{reason="trap"} 2`) {
		r.Error("the failures are not counted")
	}
}

// TestAssemblyScript: the committed rule in AssemblyScript is what its source compiles to.
func TestAssemblyScript(t *testing.T) {
	t.Parallel()
	dir, built := npmInstall(t, rulesFolder+"assemblyscript"), filepath.Join(t.TempDir(), "freemail.wasm")
	build := exec.Command("npm", "run", "--silent", "build", "--", "--outFile", built)
	build.Dir = dir
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	got, err := os.ReadFile(built)
	must(t, err)
	committed, err := os.ReadFile(filepath.Join(dir, "freemail.wasm"))
	must(t, err)
	if !bytes.Equal(got, committed) {
		t.Error("freemail.wasm differs from what index.ts compiles to; run npm ci && npm run build in wasm/rules/assemblyscript")
	}
}

// TestRules: a store's rules on a running server, with the database of its directory, and after it has stopped.
func TestRules(t *testing.T) {
	t.Parallel()
	data, address := t.TempDir(), freeAddress(t)
	running := start(t, data, address)
	r := &ruled{shopOn(t, data), t, []string{"--data", data}}
	r.follow()
	discounted := r.discounts()
	r.fails()
	for want, args := range map[string][]string{
		"there is no store":      {"plugin", "list", "--store-id", "STO_x", "--data", data},
		"--store-id is needed":   {"plugin", "list"},
		"there is no such":       r.plugin("publish", "--version", "99", "--env", "test"),
		"there is no environ":    r.plugin("publish", "--version", "1", "--env", "staging"),
		"cannot be a rule":       {"plugin", "check", "../../wasm/plugins/httpwasm/plugin.wasm"},
		"is not a JSON object":   r.plugin("upload", rulesFolder+"limits.wasm", "--rule-config", rulesFolder+"limits.wasm"),
		"has more than 262144":   r.plugin("upload", binary.path),
		"not a WebAssembly":      r.plugin("upload", "plugins_test.go"),
		"which of its commands?": {"plugin"},
	} {
		refused(t, nil, want, args...)
	}
	running.kill()
	records := openRecords(t, data)
	session, err := records.db.Session(t.Context(), discounted)
	must(t, err)
	order, err := records.db.Order(t.Context(), checkout.Test, session.OrderID)
	must(t, err)
	records.close()
	quote := order.Sold().Quote
	if price := quote.ListPrice; quote.Discount.Label != "Spring coupon" || quote.Discount.Minor != price/10 || quote.Assessment.Subtotal != price-price/10 {
		t.Errorf("the order with a coupon has %+v", quote)
	}
	limited := r.upload("limits", `{"EUR":{"max":"1.00"},"message":"Not today."}`)
	r.publish(limited, checkout.Test)
	start(t, data, address)
	r.want("a rule that was published on the stopped server", r.order(), 400, "Not today.")
}
