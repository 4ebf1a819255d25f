package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/catalog"
)

const (
	deployment = "https://pay.example"
	buyer      = "user-4711"
	sessionID  = "cs_550e8400-e29b-41d4-a716-446655440000"
)

// start is a moment in the middle of a second.
var start = time.Date(2026, 11, 23, 9, 0, 0, 500_000_000, time.UTC)

// demo and rival are two merchants; making their keys takes a while.
var (
	demo  = sync.OnceValue(newDemo)
	rival = sync.OnceValue(newDemo)
)

func newDemo() *catalog.Demo {
	d, err := catalog.NewDemo(start, rand.Reader)
	if err != nil {
		panic(err)
	}
	return d
}

// world is a service over a memory and a clock that stands still.
type world struct {
	*Service
	memory *memory
	now    time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{memory: newMemory(demo(), rival()), now: start}
	w.Service = w.another()
	if err := w.Rotate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

// another is a second process over the same memory.
func (w *world) another() *Service {
	return New(Config{
		Deployment: deployment, Catalog: w.memory, Keys: w.memory, Tokens: w.memory,
		Now: func() time.Time { return w.now }, Rand: rand.Reader,
	})
}

func (w *world) customer(t testing.TB, env checkout.Environment) string {
	t.Helper()
	issued, err := w.IssueCustomer(t.Context(), merchantIn(env), TokenRequest{BuyerIdentity: buyer, StoreID: demo().Store.ID})
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token
}

func (w *world) shopper(t testing.TB) string {
	t.Helper()
	issued, err := w.IssueShopper(t.Context(), visitor(), openSession())
	if err != nil {
		t.Fatal(err)
	}
	return issued.Token
}

// test shows a token in the test environment.
func (w *world) test(t testing.TB, token string) (Caller, error) {
	t.Helper()
	return w.Session(t.Context(), "Bearer "+token, "test")
}

func merchantIn(env checkout.Environment) Caller {
	return Caller{Role: Merchant, Environment: env, MerchantID: demo().Merchant.ID}
}

func visitor() Caller {
	return Caller{Role: Visitor, Environment: checkout.Test, StoreID: demo().Store.ID}
}

func openSession() *checkout.Session {
	return &checkout.Session{
		ID: sessionID, Environment: checkout.Test, StoreID: demo().Store.ID, ExpiresAt: start.Add(time.Hour).UnixMilli(),
	}
}

// checkRefused wants the very problem that the API answers with, a reason for the log, and no caller.
func checkRefused(t testing.TB, got Caller, err error, want *problem.Problem) {
	t.Helper()
	var p *problem.Problem
	var refusal *Refusal
	if !errors.As(err, &p) || p != want || !errors.As(err, &refusal) || refusal.Reason == "" {
		t.Errorf("got error %v, want %q and a reason", err, want.Message)
	}
	if got != (Caller{}) {
		t.Errorf("got a caller: %+v", got)
	}
}

// memory keeps every record of this package's ports.
type memory struct {
	mu        sync.Mutex
	merchants map[string]*catalog.Merchant
	stores    map[string]*catalog.Store
	products  map[string]*catalog.Product
	keys      map[string]SigningKey
	states    map[string]TokenState
	looks     int // at the signing keys
	touches   int
	fault     error // what every reading answers, if it is not nil
}

func newMemory(demos ...*catalog.Demo) *memory {
	m := &memory{
		merchants: map[string]*catalog.Merchant{}, stores: map[string]*catalog.Store{}, products: map[string]*catalog.Product{},
		keys: map[string]SigningKey{}, states: map[string]TokenState{},
	}
	for _, d := range demos {
		_ = m.Put(context.Background(), d.Change())
	}
	return m
}

func (m *memory) Merchant(_ context.Context, id string) (*catalog.Merchant, error) {
	return find(m, m.merchants, func(found *catalog.Merchant) bool { return found.ID == id })
}

func (m *memory) Merchants(context.Context, string, int) ([]*catalog.Merchant, error) {
	panic("unused")
}

func (m *memory) Store(_ context.Context, id string) (*catalog.Store, error) {
	return find(m, m.stores, func(found *catalog.Store) bool { return found.ID == id })
}

func (m *memory) StoreBySlug(_ context.Context, slug string) (*catalog.Store, error) {
	return find(m, m.stores, func(found *catalog.Store) bool { return found.Slug == slug })
}

func (m *memory) Product(_ context.Context, id string) (*catalog.Product, error) {
	return find(m, m.products, func(found *catalog.Product) bool { return found.ID == id })
}

func (m *memory) Version(context.Context, string, string) (*catalog.Version, error) {
	return nil, catalog.ErrNotFound
}

func find[T any](m *memory, records map[string]*T, wanted func(*T) bool) (*T, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fault != nil {
		return nil, m.fault
	}
	for _, record := range records {
		if wanted(record) {
			own := *record
			return &own, nil
		}
	}
	return nil, catalog.ErrNotFound
}

func (m *memory) Put(_ context.Context, c catalog.Change) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.merchants[c.Merchant.ID], m.stores[c.Store.ID] = c.Merchant, c.Store
	for _, p := range c.Products {
		m.products[p.ID] = p
	}
	return nil
}

func (m *memory) SigningKeys(_ context.Context, env checkout.Environment) ([]SigningKey, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks++
	keys := slices.Collect(maps.Values(m.keys))
	return slices.DeleteFunc(keys, func(k SigningKey) bool { return k.Environment != env }), m.fault
}

func (m *memory) AddSigningKey(_ context.Context, k SigningKey) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keys[k.ID] = k
	return nil
}

func (m *memory) RemoveSigningKey(_ context.Context, env checkout.Environment, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.keys, func(_ string, k SigningKey) bool { return k.Environment == env && k.ID == id })
	return nil
}

func (m *memory) Token(_ context.Context, env checkout.Environment, id string) (TokenState, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.states[string(env)+id], m.fault
}

func (m *memory) Touch(env checkout.Environment, t Token, at int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := m.states[string(env)+t.ID]
	state.LastUsed = max(state.LastUsed, at)
	m.states[string(env)+t.ID] = state
	m.touches++
}

// spend is what the order's transaction does.
func (m *memory) spend(env checkout.Environment, t Token) {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := m.states[string(env)+t.ID]
	state.Spent = true
	m.states[string(env)+t.ID] = state
}
