// Package graph answers GraphQL queries: the reads of the API.
//
// [Service.Answer] takes a query and the caller whose credential was verified. The schema is schema.graphql, and each of its fields
// is a method or a field of a resolver in this package. There are no mutations.
//
// # Isolation
//
// A query runs as a [viewer]. The first line of every resolver that reads asks the viewer which stores or records the caller may
// see; what it may not see does not exist for it. No resolver reaches a store of records but through these lines.
//
// # Limits
//
// A query has at most 32 KiB, a depth of 7 and 1,000 selections. Lists have at most 100 entries and an offset of at most 10,000. A
// query that reads more than 10,000 records is stopped with an error. Introspection may be deeper than 7, up to what tools send,
// but not together with data.
package graph

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	graphql "github.com/graph-gophers/graphql-go"
	gqlerrors "github.com/graph-gophers/graphql-go/errors"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/auth"
	"github.com/crepe-checkout/crepe/edge/catalog"
	"github.com/crepe-checkout/crepe/edge/notify"
	"github.com/crepe-checkout/crepe/edge/orders"
	"github.com/crepe-checkout/crepe/edge/sessions"
	"github.com/crepe-checkout/crepe/edge/vies"
)

//go:embed schema.graphql
var schemaText string

// The limits of a query.
const (
	maxQuery         = 32 << 10
	maxDepth         = 7
	maxSchemaDepth   = 15 // of a query of the schema
	maxSelections    = 1000
	maxOverlapPairs  = 10_000
	maxRecords       = 10_000 // read for one query
	maxParallelReads = 4
)

// Records are the reads that a query needs.
type Records interface {
	orders.Reader
	catalog.Lists
	Order(ctx context.Context, env checkout.Environment, id string) (*orders.Order, error)
	Session(ctx context.Context, id string) (*sessions.Session, error)
	Merchant(ctx context.Context, id string) (*catalog.Merchant, error)
	Store(ctx context.Context, id string) (*catalog.Store, error)
	Product(ctx context.Context, id string) (*catalog.Product, error)
	Version(ctx context.Context, productID, id string) (*catalog.Version, error)
	notify.Reader
	VATCheck(ctx context.Context, env checkout.Environment, storeID, orderID string) (*vies.Check, error)
}

// Config is what a [Service] is made of. Every field is needed.
type Config struct {
	Records Records
	// ProdEnabled is whether there is a payment provider in prod.
	ProdEnabled bool
	Now         func() time.Time
	Log         *slog.Logger
}

// Service answers queries. It is safe for concurrent use.
type Service struct {
	config       Config
	data, schema *graphql.Schema // schema answers queries of the schema alone, which are deeper
}

// New returns a service.
func New(c Config) *Service {
	options := []graphql.SchemaOpt{graphql.UseStringDescriptions(), graphql.UseFieldResolvers(), graphql.MaxDepth(maxDepth),
		graphql.MaxSelections(maxSelections), graphql.MaxQueryLength(maxQuery), graphql.OverlapValidationLimit(maxOverlapPairs),
		graphql.MaxParallelism(maxParallelReads), graphql.Logger(panicLog{c.Log}), graphql.PanicHandler(panicLog{c.Log}),
		graphql.DisableFieldSelections()}
	data := graphql.MustParseSchema(schemaText, &query{}, options...)
	return &Service{config: c, data: data, schema: data.MustClone(&query{}, graphql.MaxDepth(maxSchemaDepth), graphql.MaxSelections(maxSelections))}
}

// Request is a query. Variables may be nil.
type Request struct {
	Query     string
	Operation string // "" if the query has one operation
	Variables map[string]any
}

// Answer is the outcome of a query.
type Answer struct {
	Data   json.RawMessage // "null" when nothing was executed
	Errors []Error
	// Refused reports that the query was not executed.
	Refused bool
}

// Error is one entry of an answer's errors.
type Error struct {
	Message   string     `json:"message"`
	Layer     string     `json:"layer"`
	Code      string     `json:"code,omitempty"`
	AIHint    string     `json:"aiHint,omitempty"`
	Locations []Location `json:"locations,omitempty"`
	Path      []any      `json:"path,omitempty"`
}

// Location is a place in the query, from 1.
type Location = gqlerrors.Location

// layer is the layer of every error.
const layer = "graphql"

var (
	errMissingQuery = problem.New(problem.Invalid, "query-required", "/query", "Missing required field: query")
	errMutation     = problem.New(problem.Forbidden, "mutation-unsupported", "/query", "Mutations are not supported: GraphQL is read-only")
	errSubscription = problem.New(problem.Forbidden, "subscription-unsupported", "/query", "Subscriptions are not supported: GraphQL is read-only")
	errSchemaCost   = problem.New(problem.Invalid, "introspection-too-large", "/query", "The query asks for too much of the schema at once")
)

// Answer executes a query for a caller with an API key or a customer's token. Refusals of the whole request are a
// [*problem.Problem].
func (s *Service) Answer(ctx context.Context, caller *auth.Caller, r *Request) (*Answer, error) {
	d := readDocument(r.Query)
	switch {
	case strings.TrimSpace(r.Query) == "":
		return nil, errMissingQuery
	case d.mutation:
		return nil, errMutation
	case d.subscription:
		return nil, errSubscription
	case !d.schemaWithin(maxSchemaWords):
		return nil, errSchemaCost
	}
	response := s.exec(withViewer(ctx, s.newViewer(caller)), s.data, &d, r)
	if d.asksForSchema() && d.schemaWithin(maxDeepSchemaWords) && tooDeep(response) {
		response = s.exec(ctx, s.schema, &d, r)
	}
	return s.answer(ctx, response), nil
}

// exec executes a document. The library's parser panics at some texts that are no GraphQL, "\70000" as a description for one.
func (s *Service) exec(ctx context.Context, schema *graphql.Schema, d *document, r *Request) (response *graphql.Response) {
	defer func() {
		if recover() != nil {
			response = &graphql.Response{Errors: []*gqlerrors.QueryError{{Message: "syntax error: the query cannot be read"}}}
		}
	}()
	return schema.Exec(ctx, d.text, r.Operation, r.Variables)
}

func tooDeep(r *graphql.Response) bool {
	for _, err := range r.Errors {
		if err.Rule == "MaxDepthExceeded" {
			return true
		}
	}
	return false
}

func (s *Service) answer(ctx context.Context, r *graphql.Response) *Answer {
	a := &Answer{Data: r.Data}
	for _, err := range r.Errors {
		a.Errors = append(a.Errors, s.entry(ctx, err))
	}
	empty := len(r.Data) == 0 || string(r.Data) == "{}" || string(r.Data) == "null"
	if empty && len(r.Errors) > 0 {
		a.Data = json.RawMessage("null")
		a.Refused = !slices.ContainsFunc(r.Errors, func(err *gqlerrors.QueryError) bool { return err.ResolverError != nil })
	}
	return a
}

// entry is an error as it is shown. What is not a problem is for the log only.
func (s *Service) entry(ctx context.Context, err *gqlerrors.QueryError) Error {
	e := Error{Message: err.Message, Layer: layer, Locations: err.Locations, Path: err.Path}
	if err.ResolverError == nil {
		if e.Code = "query-invalid"; errors.Is(err, graphql.ErrTooManySelections) || err.Rule == "MaxDepthExceeded" {
			e.Code, e.AIHint = "query-too-large", reduceHint
		}
		return e
	}
	p, ok := errors.AsType[*problem.Problem](err.ResolverError)
	switch {
	case ok:
	case errors.Is(err.ResolverError, orders.ErrTooSparse):
		p = errTooSparse
	default:
		s.config.Log.ErrorContext(ctx, "a query failed", "error", err.ResolverError)
		p = errInternal
	}
	if e.Message, e.Code = p.Message, p.Code; p == errTooCostly || p == errTooSparse {
		e.AIHint = reduceHint
	}
	return e
}

// reduceHint is the published hint for a query that costs too much.
const reduceHint = "REDUCE_QUERY_SIZE"

var (
	errInternal  = problem.New(problem.Internal, "internal", "", "Internal server error")
	errTooCostly = problem.New(problem.Invalid, "query-too-costly", "", "The query reads too many records: ask for less at once")
	errTooSparse = problem.New(problem.Invalid, "filter-too-sparse", "", "The filter matches too few of too many records: narrow it by createdAt or status")
)

// panicLog logs a panic of a resolver without its value, which may hold a buyer's data.
type panicLog struct{ log *slog.Logger }

// LogPanic implements log.Logger.
func (l panicLog) LogPanic(ctx context.Context, value any) {
	text := "a value"
	if err, ok := value.(interface{ RuntimeError() }); ok {
		text = err.(error).Error()
	}
	l.log.ErrorContext(ctx, "panic in a query", "reason", text)
}

// MakePanicError implements errors.PanicHandler.
func (panicLog) MakePanicError(context.Context, any) *gqlerrors.QueryError {
	return &gqlerrors.QueryError{Message: errInternal.Message, ResolverError: errInternal}
}
