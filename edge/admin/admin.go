// Package admin serves the operations of an operator over HTTP, on a Unix socket that only the server's own user can open. There
// is no other credential. [Admin] is the server's side, [Client] that of the commands.
//
// An operation is a method and a line in [New]. A request is a POST of one JSON object; the response is a JSON object, or
// {"error": …} with a status of 4xx or 5xx. GET /metrics responds in Prometheus' text format.
package admin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/goccy/go-json"
	"github.com/valyala/fasthttp"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/api"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/invoices"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/plugins"
	"github.com/crepe-checkout/crepe/edge/vies"
)

// The paths of the operations.
const (
	ListQuarantined   = "/quarantine/list"
	HandleQuarantined = "/quarantine/handle"
	ListRefunds       = "/refunds/list"
	HandleRefund      = "/refunds/handle"
	ListVATChecks     = "/vat-checks/list"
	ListTickets       = "/tickets/list"
	CreateTicket      = "/tickets/create"
	ReviewTicket      = "/tickets/review"
	ListTokenKeys     = "/token-keys/list"
	RotateTokenKeys   = "/token-keys/rotate"
	RevokeTokenKey    = "/token-keys/revoke"
	CreateMerchant    = "/merchants/create"
	ListMerchants     = "/merchants/list"
	CreateKey         = "/keys/create"
	ListKeys          = "/keys/list"
	RotateKey         = "/keys/rotate"
	RevokeKey         = "/keys/revoke"
	ListEndpoints     = "/webhooks/endpoints"
	ListDeliveries    = "/webhooks/deliveries"
	ResendDelivery    = "/webhooks/resend"
	TestEndpoint      = "/webhooks/test"
	WebhookKeys       = "/webhooks/keys"
	CreateStore       = "/stores/create"
	ListStores        = "/stores/list"
	SetStore          = "/stores/set"
	ReportTax         = "/reports/tax"
	EraseBuyer        = "/erasures/run"
	ListErasures      = "/erasures/list"
	UploadRule        = "/rules/upload"
	PublishRule       = "/rules/publish"
	RemoveRule        = "/rules/remove"
	ListRules         = "/rules/list"
	StartBackup       = "/backup/start"
	GetBackupStatus   = "/backup/status"
	Metrics           = "/metrics"
	GetStatus         = "/status"
)

// Config configures an [Admin]. Every field but those of a running server is required.
type Config struct {
	Orders    *orders.Service
	Reviews   orders.ReviewStore
	VATChecks vies.Store
	Auth      *auth.Service
	Accounts  *catalog.Accounts
	Shops     *catalog.Service
	Lists     catalog.Lists
	Notify    *notify.Service
	Invoices  *invoices.Service
	Erasures  *erasure.Service
	Rules     *plugins.Service
	PublicURL string                    // of the server; "" where none runs
	Metrics   fasthttp.RequestHandler   // answers GET /metrics; nil where no server runs
	OpenFiles uint64                    // how many files the server may have open; 0 where none runs
	Prove     func(nonce string) string // see [Status]; nil where none runs
	Backups   Backups                   // nil with PostgreSQL
	Log       *slog.Logger
}

// Admin serves the operations. It is safe for concurrent use.
type Admin struct {
	config     Config
	operations map[string]fasthttp.RequestHandler
}

// New returns the operations.
func New(c Config) *Admin {
	a := &Admin{config: c}
	a.operations = map[string]fasthttp.RequestHandler{
		ListQuarantined:   serve(a, a.listQuarantined),
		HandleQuarantined: serve(a, a.handleQuarantined),
		ListRefunds:       serve(a, a.listRefunds),
		HandleRefund:      serve(a, a.handleRefund),
		ListVATChecks:     serve(a, a.listVATChecks),
		ListTickets:       serve(a, a.listTickets),
		CreateTicket:      serve(a, a.createTicket),
		ReviewTicket:      serve(a, a.reviewTicket),
		ListTokenKeys:     serve(a, a.listTokenKeys),
		RotateTokenKeys:   serve(a, a.rotateTokenKeys),
		RevokeTokenKey:    serve(a, a.revokeTokenKey),
		CreateMerchant:    serve(a, a.createMerchant),
		ListMerchants:     serve(a, a.listMerchants),
		CreateKey:         serve(a, a.createKey),
		ListKeys:          serve(a, a.listKeys),
		RotateKey:         serve(a, a.rotateKey),
		RevokeKey:         serve(a, a.revokeKey),
		ListEndpoints:     serve(a, a.listEndpoints),
		ListDeliveries:    serve(a, a.listDeliveries),
		ResendDelivery:    serve(a, a.resendDelivery),
		TestEndpoint:      serve(a, a.testEndpoint),
		WebhookKeys:       serve(a, a.webhookKeys),
		CreateStore:       serve(a, a.createStore),
		ListStores:        serve(a, a.listStores),
		SetStore:          serve(a, a.setStore),
		ReportTax:         serve(a, a.taxReport),
		EraseBuyer:        serve(a, a.erase),
		ListErasures:      serve(a, a.listErasures),
		UploadRule:        serve(a, a.uploadRule),
		PublishRule:       serve(a, a.publishRule),
		RemoveRule:        serve(a, a.removeRule),
		ListRules:         serve(a, a.listRules),
		GetStatus:         serve(a, a.status),
		StartBackup:       serve(a, a.startBackup),
		GetBackupStatus:   serve(a, a.backupStatus),
	}
	return a
}

// Handle serves one request.
func (a *Admin) Handle(ctx *fasthttp.RequestCtx) {
	path := string(ctx.Path())
	operation, ok := a.operations[path]
	switch {
	case path == Metrics && a.config.Metrics != nil && (ctx.IsGet() || ctx.IsHead()):
		a.config.Metrics(ctx)
	case !ok && path != Metrics:
		a.fail(ctx, refusef(problem.NotFound, "there is no operation %s; is the server of another version?", path))
	case !ok || !ctx.IsPost():
		a.fail(ctx, refusef(problem.Invalid, "%s does not take %s", path, ctx.Method()))
	default:
		operation(ctx)
	}
}

// Unreadable answers a request whose body could not be read: it has more than [MaxRequest] bytes, or did not arrive.
func Unreadable(ctx *fasthttp.RequestCtx, err error) {
	if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		write(ctx, fasthttp.StatusRequestEntityTooLarge, Failure{fmt.Sprintf("the request has more than %d KiB", MaxRequest>>10)})
		return
	}
	write(ctx, fasthttp.StatusBadRequest, Failure{fmt.Sprintf("the request did not arrive: %v", err)})
}

// serve returns the handler of an operation: it decodes the request, calls do and encodes the result. An unknown member is
// refused, because ignoring it could do something else than the caller meant.
func serve[In, Out any](a *Admin, do func(context.Context, In) (Out, error)) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		var in In
		d := json.NewDecoder(bytes.NewReader(ctx.PostBody()))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			a.fail(ctx, refusef(problem.Invalid, "the request is not understood: %v", err))
			return
		}
		out, err := do(context.Background(), in) // not the pooled request
		if err != nil {
			a.fail(ctx, err)
			return
		}
		write(ctx, fasthttp.StatusOK, out)
	}
}

// Failure is the response of a refused or failed operation.
type Failure struct {
	Error string `json:"error"`
}

// fail responds with an error. The operator may read every error's text.
func (a *Admin) fail(ctx *fasthttp.RequestCtx, err error) {
	var kind problem.Kind
	if p, ok := errors.AsType[*problem.Problem](err); ok {
		kind = p.Kind
	}
	if kind == problem.Internal {
		a.config.Log.Error("an operation failed", "path", string(ctx.Path()), "error", err)
	}
	write(ctx, api.Status(kind), Failure{err.Error()})
}

func write(ctx *fasthttp.RequestCtx, status int, answer any) {
	body, err := json.Marshal(answer)
	if err != nil {
		status, body = fasthttp.StatusInternalServerError, []byte(`{"error":"the answer cannot be encoded"}`)
	}
	ctx.SetStatusCode(status)
	ctx.SetContentType("application/json")
	ctx.SetBody(append(body, '\n'))
}

// parseEnvironments parses the environment of a request; "" is both.
func parseEnvironments(name string) ([]checkout.Environment, error) {
	if name == "" {
		return []checkout.Environment{checkout.Test, checkout.Prod}, nil
	}
	env, ok := checkout.ParseEnvironment(name)
	if !ok {
		return nil, refusef(problem.Invalid, "there is no environment %q: expected test or prod", name)
	}
	return []checkout.Environment{env}, nil
}

// inOneOf calls do for each environment until its error is not missing.
func inOneOf(name string, missing error, do func(checkout.Environment) error) (checkout.Environment, error) {
	envs, err := parseEnvironments(name)
	if err != nil {
		return "", err
	}
	for _, env := range envs {
		if err = do(env); !errors.Is(err, missing) {
			return env, err
		}
	}
	return "", err
}

// refusef returns an error that the operator can act on.
func refusef(kind problem.Kind, format string, args ...any) error {
	return problem.New(kind, kind.String(), "", fmt.Sprintf(format, args...))
}
