package e2e

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/crepe-checkout/crepe/"

// arrows lists the project's packages and which of them each may import, with the reason where it is not obvious. A top-level
// folder stands for all of its packages. Tests may import any of the project's packages.
var arrows = map[string][]string{
	"core/problem":   {},
	"core/money":     {},
	"core/fold":      {},
	"core/country":   {"core/fold"},
	"core/email":     {"core/fold"},
	"core/vatid":     {"core/fold"},
	"core/billing":   {"core/problem", "core/fold", "core/country", "core/email", "core/vatid"},
	"core/civil":     {},
	"core/tax/table": {"core/civil", "core/money", "core/country"},
	"core/tax":       {"core/problem", "core/civil", "core/money", "core/country", "core/billing", "core/tax/table"},
	"core/checkout":  {"core/problem", "core/fold", "core/civil", "core/money", "core/country", "core/email", "core/billing", "core/tax", "core/tax/table"},

	// The explanation of the rules embeds their sources. It is not part of the WebAssembly module.
	"core/tax/data":     {},
	"core/tax/rulebook": {"core/tax/data"},

	"wasm":       {},
	"wasm/ops":   {"core"},
	"wasm/guest": {"wasm/ops", "wasm/guest/arena"},
	"wasm/meter": {},
	"wasm/host":  {"wasm", "core"},

	"wasm/guest/arena":      {},
	"wasm/gateway":          {"core", "wasm/ops"},
	"wasm/plugins":          {},
	"wasm/rules":            {"wasm/guest/arena"}, // an SDK for stores' own rules, and samples
	"wasm/rules/addresses":  {"wasm/rules"},
	"wasm/rules/countries":  {"wasm/rules"},
	"wasm/rules/coupon":     {"wasm/rules"},
	"wasm/rules/limits":     {"wasm/rules"},
	"wasm/rules/vatid":      {"wasm/rules"},
	"wasm/plugins/httpwasm": {"wasm/gateway", "wasm/guest/arena"},
	"wasm/plugins/extism":   {"wasm/ops", "wasm/guest/arena"},

	"web": {},

	"edge/shortid":  {},
	"edge/geoip":    {"core"},
	"edge/psp":      {"core"},
	"edge/catalog":  {"core", "edge/shortid"},
	"edge/auth":     {"core", "edge/shortid", "edge/catalog"},
	"edge/sessions": {"core", "edge/shortid", "edge/psp", "edge/catalog"}, // a checkout session is opened from a product's version
	"edge/plugins":  {"core", "edge/metrics", "wasm/host", "wasm/meter"},  // stores' own rules
	"edge/orders":   {"core", "edge/metrics", "edge/shortid", "edge/psp", "edge/psp/limit", "edge/sessions"},

	"edge/vies":          {"core", "edge/psp", "edge/catalog", "edge/orders"}, // the number with which an order was not taxed
	"edge/vies/viestest": {},                                                  // a VIES, in tests

	"edge/invoices": {"core", "edge/vies", "edge/locale", "edge/psp", "edge/sessions", "edge/orders", "edge/catalog"},                                   // what was sold, to whom, by whom
	"edge/notify":   {"core", "edge/metrics", "edge/vies", "edge/invoices", "edge/shortid", "edge/psp", "edge/catalog", "edge/sessions", "edge/orders"}, // facts about orders become deliveries

	// Requests of buyers to be forgotten.
	"edge/erasure": {"core", "edge/vies", "edge/invoices", "edge/shortid", "edge/psp", "edge/sessions", "edge/orders", "edge/notify", "edge/idempotency"},

	"edge/quoteview":   {"core", "wasm/ops"},
	"edge/idempotency": {"core"},
	"edge/lease":       {},
	"edge/locale":      {"core"},
	"edge/throttle":    {"core", "edge/metrics"},
	"edge/http1":       {},
	"edge/metrics":     {},
	"edge/requestid":   {},
	"edge/certificate": {},

	"edge/certificate/certtest": {}, // certificates, in tests

	"edge/metrics/metricstest": {}, // reads metrics, in tests

	// What is stored of the services' types, and the ports of a store.
	"edge/record": {"core", "edge/plugins", "edge/erasure", "edge/vies", "edge/invoices", "edge/psp", "edge/sessions", "edge/orders", "edge/catalog", "edge/auth", "edge/notify", "edge/idempotency", "edge/lease"},

	"edge/durable": {"core", "edge/metrics"}, // a database that knows no record
	"edge/backup":  {"edge/durable"},         // nor do its backups

	// Adapters see the ports that they implement, never each other.
	"edge/badgerstore":   {"core", "edge/plugins", "edge/metrics", "edge/erasure", "edge/vies", "edge/invoices", "edge/durable", "edge/record", "edge/psp", "edge/sessions", "edge/orders", "edge/catalog", "edge/auth", "edge/notify", "edge/idempotency", "edge/lease"},
	"edge/pgstore":       {"core", "edge/plugins", "edge/metrics", "edge/erasure", "edge/vies", "edge/invoices", "edge/record", "edge/psp", "edge/sessions", "edge/orders", "edge/catalog", "edge/auth", "edge/notify", "edge/idempotency", "edge/lease"},
	"edge/transfer":      {"edge/plugins", "edge/record"},                                                                                                                                                                                   // copies one store to another
	"edge/pgtest":        {},                                                                                                                                                                                                                // PostgreSQL servers, in tests
	"edge/storetest":     {"core", "edge/plugins", "edge/erasure", "edge/vies", "edge/invoices", "edge/shortid", "edge/record", "edge/psp", "edge/sessions", "edge/orders", "edge/catalog", "edge/auth", "edge/notify", "edge/idempotency"}, // the tests of a store
	"edge/filefault":     {},                                                                                                                                                                                                                // a tracer, in tests
	"edge/psp/limit":     {"core", "edge/metrics", "edge/psp"},
	"edge/psp/stripe":    {"core", "edge/psp"},
	"edge/smtp":          {"edge/invoices"}, // e-mail
	"edge/smtp/smtptest": {},                // an SMTP server, in tests
	"edge/sandbox":       {"core", "edge/durable", "edge/sandbox/fault"},

	"edge/sandbox/fault": {},
	"edge/sandbox/page":  {"edge/sandbox", "edge/sandbox/fault"}, // its entry point for buyers and testers

	// Entry points import services, never adapters.
	"edge/graph": {"core", "edge/vies", "edge/psp", "edge/catalog", "edge/auth", "edge/sessions", "edge/orders", "edge/notify"}, // the reads of the API
	"edge/api":   {"core", "edge/requestid", "edge/graph", "edge/shortid", "edge/psp", "edge/sessions", "edge/orders", "edge/notify", "edge/catalog", "edge/auth", "edge/quoteview", "edge/geoip", "edge/http1", "edge/idempotency", "edge/throttle", "wasm/ops", "web"},
	"edge/page":  {"core", "edge/plugins", "edge/requestid", "edge/invoices", "edge/sessions", "edge/orders", "edge/catalog", "edge/geoip", "edge/locale", "edge/throttle", "wasm/ops", "web"},

	"edge/verifypage": {"edge/page", "edge/psp/stripe", "web"}, // compares a live page

	"edge/dashboard": {"core", "edge/requestid", "edge/vies", "edge/shortid", "edge/psp", "edge/orders", "edge/catalog", "edge/notify", "edge/invoices", "edge/sessions", "edge/quoteview", "edge/geoip", "edge/throttle", "web"}, // the operator's pages

	"edge/admin": {"core", "edge/plugins", "edge/erasure", "edge/vies", "edge/invoices", "edge/api", "edge/psp", "edge/orders", "edge/auth", "edge/catalog", "edge/notify"}, // an operator's entry point, on a socket of its own

	"edge":           {},                                                  // doc.go only: how the parts work together
	"edge/demo":      {"core", "edge/api", "edge/catalog", "edge/notify"}, // the merchant of crepe dev, a client of the API
	"edge/server":    {"core", "edge", "web", "wasm"},                     // wires all of them
	"edge/cmd/crepe": {"core", "edge/plugins", "edge/requestid", "edge/erasure", "edge/server", "edge/admin", "edge/catalog", "edge/demo", "edge/durable", "edge/geoip", "edge/notify", "edge/page", "edge/pgstore", "edge/psp", "edge/psp/stripe", "edge/quoteview", "edge/sandbox", "edge/smtp", "edge/verifypage", "web"},

	"edge/shoptest": {"core", "edge/demo", "edge/sessions", "edge/orders", "edge/shortid"}, // drives a server, in tests
	"edge/e2e":      {},                                                                    // tests of the binary
}

// thirdParty lists the packages that may import a third-party module.
var thirdParty = map[string][]string{
	"github.com/valyala/fasthttp":             {"edge/server", "edge/demo", "edge/cmd/crepe", "edge/admin", "edge/api", "edge/page", "edge/dashboard", "edge/psp/stripe", "edge/sandbox", "edge/sandbox/fault", "edge/sandbox/page"},
	"github.com/goccy/go-json":                {"edge/server", "edge/demo", "edge/shoptest", "edge/cmd/crepe", "edge/admin", "edge/api", "edge/page", "edge/dashboard", "edge/psp/stripe", "edge/sandbox", "edge/sandbox/page", "edge/notify", "edge/erasure", "edge/plugins", "edge/record", "edge/backup", "wasm/host"},
	"github.com/dgraph-io/badger/v4":          {"edge/durable"},
	"github.com/jackc/pgx/v5":                 {"edge/pgstore", "edge/pgtest"},
	"github.com/pressly/goose/v3":             {"edge/pgstore"},
	"google.golang.org/protobuf":              {"edge/durable"}, // Badger's MANIFEST and checksums
	"github.com/klauspost/compress":           {"edge/durable"}, // Badger's blocks
	"github.com/sony/gobreaker/v2":            {"edge/psp/limit"},
	"golang.org/x/time":                       {"edge/psp/limit", "edge/throttle", "edge/cmd/crepe"},
	"golang.org/x/text":                       {"edge/server", "edge/cmd/crepe"}, // UTF-16 files, as spreadsheets write them
	"golang.org/x/net":                        {"edge/verifypage"},               // an HTML parser
	"golang.org/x/sys":                        {"edge/durable"},                  // locks and free space on Windows
	"go.yaml.in/yaml/v3":                      {},                                // reads compose.yaml, in tests
	"pgregory.net/rapid":                      {},                                // generates schedules, in tests
	"github.com/anishathalye/porcupine":       {},                                // checks histories, in tests
	"github.com/wneessen/go-mail":             {"edge/smtp"},
	"github.com/emersion/go-smtp":             {"edge/smtp/smtptest"}, // an SMTP server, in tests
	"github.com/emersion/go-sasl":             {"edge/smtp/smtptest"}, // its logins
	"github.com/VictoriaMetrics/metrics":      {"edge/metrics"},
	"github.com/tetratelabs/wazero":           {"wasm/host"},
	"github.com/evanw/esbuild":                {}, // builds web/dist, in a module of its own
	"github.com/tinygo-org/tinygo":            {}, // builds the guest, in a module of its own
	"github.com/oschwald/maxminddb-golang/v2": {"edge/geoip"},
	"github.com/graph-gophers/graphql-go":     {"edge/graph"},
	"github.com/pelletier/go-toml/v2":         {"edge/cmd/crepe"},
}

// coreImports are the packages of the standard library that the core may import. They read no clock, random numbers, files or
// network, use no reflection, and add little to the size of the WebAssembly module.
var coreImports = []string{"cmp", "errors", "iter", "maps", "math/bits", "slices", "strconv", "strings", "unicode", "unicode/utf16", "unicode/utf8"}

// TestArrows reads the source files. A test that ran go list would be cached, and would pass after a violation.
func TestArrows(t *testing.T) {
	found := 0
	walkImports(t, "../..", func(pkg, file, path string) {
		found++
		if problem := forbidden(pkg, path, strings.HasSuffix(file, "_test.go")); problem != "" {
			t.Errorf("%s imports %s: %s", file, path, problem)
		}
	})
	if found < 50 {
		t.Fatalf("read %d imports only: the test no longer finds the sources", found)
	}
}

// TestForbidden: the rules refuse imports that they are meant to refuse.
func TestForbidden(t *testing.T) {
	for _, c := range []struct{ pkg, path string }{
		{"core/tax", "time"}, {"core/email", "fmt"}, {"core/money", module + "core/tax"}, {"core/vatid", "github.com/goccy/go-json"},
		{"edge/orders", module + "edge/badgerstore"}, {"edge/server", "github.com/jackc/pgx/v5"}, {"edge/psp/stripe", module + "edge/sandbox"}, {"edge/api", module + "edge/psp/stripe"},
		{"edge/orders", module + "edge/psp/stripe"}, {"edge/orders", "github.com/valyala/fasthttp"}, {"edge/unheard", "strings"}, {"wasm/guest", "fmt"},
	} {
		if forbidden(c.pkg, c.path, false) == "" {
			t.Errorf("%s may import %s", c.pkg, c.path)
		}
	}
}

// forbidden returns why pkg may not import path; "" if it may.
func forbidden(pkg, path string, test bool) string {
	allowed, known := arrows[pkg]
	own, isOwn := strings.CutPrefix(path, module)
	switch {
	case !known:
		return "the package is not listed"
	case isOwn && test, own == pkg:
		return ""
	case isOwn:
		if !slices.ContainsFunc(allowed, func(a string) bool { return own == a || !strings.Contains(a, "/") && strings.HasPrefix(own, a+"/") }) {
			return "not an allowed import"
		}
	case strings.Contains(strings.Split(path, "/")[0], "."):
		return allowedThirdParty(pkg, path, test)
	case pure(pkg) && !test && !slices.Contains(coreImports, path) && !(path == "unsafe" && isGuest(pkg)):
		return "not on the core's list"
	}
	return ""
}

// pure reports whether a package is part of a WebAssembly module.
func pure(pkg string) bool {
	return strings.HasPrefix(pkg, "core/") && pkg != "core/tax/data" && pkg != "core/tax/rulebook" || pkg == "wasm/ops" || pkg == "wasm/gateway" || isGuest(pkg)
}

// isGuest reports whether a package is for modules that TinyGo compiles.
func isGuest(pkg string) bool {
	return pkg == "wasm/guest" || strings.HasPrefix(pkg, "wasm/guest/") || strings.HasPrefix(pkg, "wasm/plugins/") ||
		pkg == "wasm/rules" || strings.HasPrefix(pkg, "wasm/rules/")
}

func allowedThirdParty(pkg, path string, test bool) string {
	for module, packages := range thirdParty {
		if path == module || strings.HasPrefix(path, module+"/") {
			if slices.Contains(packages, pkg) || test {
				return ""
			}
			return "not one of the packages that may import it"
		}
	}
	return "an unknown third-party module"
}

// walkImports visits the imports of every Go file of the module. Nested modules and generators (build-ignored) are not part of the
// product.
func walkImports(t *testing.T, root string, visit func(pkg, file, path string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); base == "node_modules" || base == "testdata" || base == ".git" || hasModule(name) && name != root {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		for _, group := range file.Comments {
			if group.Pos() < file.Package && strings.Contains(group.List[0].Text, "//go:build ignore") {
				return nil
			}
		}
		pkg, _ := filepath.Rel(root, filepath.Dir(name))
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			visit(filepath.ToSlash(pkg), name, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func hasModule(dir string) bool {
	matches, _ := filepath.Glob(filepath.Join(dir, "go.mod"))
	return len(matches) > 0
}
