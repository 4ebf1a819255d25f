package plugins

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/wasm/host"
	"github.com/crepe-checkout/crepe/wasm/meter"
)

// The functions of a rule.
const (
	validate = "validate"
	adjust   = "adjust"
)

// Fuel is the number of units of package wasm/meter that one call may use, alloc and the function together: at most a millisecond.
const Fuel = 1_000_000

const (
	// instances of one version run concurrently.
	instances = 2
	// maxInput is the size of the longest draft in bytes.
	maxInput = MaxConfig + 4<<10
)

// machine runs one version. It may be used by any number of goroutines.
type machine struct {
	pool   *host.Pool
	config []byte
}

// Usage is what a call has used.
type Usage struct {
	Function string        // validate or adjust
	Fuel     int64         // of [Fuel]
	Memory   uint32        // of the instance in bytes, after the call
	Time     time.Duration // wall-clock
}

// Verdict is what a rule has decided.
type Verdict struct {
	Problems problem.List      // the order is refused; nil for none
	Discount checkout.Discount // the zero value is none
	Usages   []Usage           // of each call
}

// failure is why a rule has failed. Its text has no data of a buyer.
type failure struct {
	reason string // a label of the metric
	err    error
}

func (f *failure) Error() string { return f.reason + ": " + f.err.Error() }

func (f *failure) Unwrap() error { return f.err }

// The reasons of failures.
const (
	outOfFuel = "fuel"
	trapped   = "trap"
	answered  = "answer" // with something else than a rule may answer
	unready   = "unready"
	busy      = "busy"
)

var reasons = []string{outOfFuel, trapped, answered, unready, busy}

// newMachine compiles a module.
func newMachine(ctx context.Context, module, config []byte) (*machine, error) {
	metered, err := Meter(module)
	if err != nil {
		return nil, err
	}
	pool, err := host.NewPool(ctx, metered, host.PoolConfig{Instances: instances, MemoryPages: meter.Rule.Pages, MaxInput: maxInput, Fuel: Fuel})
	if err != nil {
		return nil, err
	}
	return &machine{pool, config}, nil
}

func (m *machine) close() error { return m.pool.Close(context.Background()) }

// decide runs both functions on a draft of an order at a price. Its error is a *failure.
func (m *machine) decide(ctx context.Context, draft []byte, price money.Amount) (v Verdict, err error) {
	functions := m.pool.Operations()
	if slices.Contains(functions, validate) {
		answer, err := m.call(ctx, validate, draft, &v)
		if err != nil {
			return v, err
		}
		if v.Problems, err = readProblems(answer); err != nil {
			return v, &failure{answered, fmt.Errorf("%s: %w", validate, err)}
		}
	}
	if v.Problems != nil || !slices.Contains(functions, adjust) {
		return v, nil
	}
	answer, err := m.call(ctx, adjust, draft, &v)
	if err != nil {
		return v, err
	}
	if v.Discount, err = readDiscount(answer, price); err != nil {
		return v, &failure{answered, fmt.Errorf("%s: %w", adjust, err)}
	}
	return v, nil
}

func (m *machine) call(ctx context.Context, function string, input []byte, v *Verdict) ([]byte, error) {
	began := time.Now()
	answer, used, err := m.pool.Measure(ctx, function, input)
	v.Usages = append(v.Usages, Usage{function, used.Fuel, used.Memory, time.Since(began)})
	switch {
	case err == nil:
		return answer, nil
	case errors.Is(err, host.ErrFuel), errors.Is(err, host.ErrDepth):
		return nil, &failure{outOfFuel, err}
	case ctx.Err() != nil:
		return nil, &failure{busy, err}
	}
	text, _, _ := strings.Cut(err.Error(), "\n") // without the stack
	return nil, &failure{trapped, errors.New(text)}
}
