// Package host runs WebAssembly modules in a Go program, with wazero and without cgo.
//
// A [Pool] runs any module that follows wasm/ABI.md, in a limited number of instances with limited memory, and ends each call
// after a limited amount of work. A [Module] is a Pool of the core's embedded module, of which it runs the one compiled for speed. It is for programs that want the
// checkout's rules in a sandbox, or exactly as a browser runs them; other programs import core. Its typed methods mirror the core's functions.
//
// An error means that a call failed: the context was done before it began, the Pool is closed, the call used up its fuel, or the module
// trapped, which is a bug of the module.
// Refusals of the core are a [problem.List], not an error.
package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/wasm"
	"github.com/crepe-checkout/crepe/wasm/meter"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

// memoryPages is the memory limit that the core's module declares, in pages of 64 KiB.
const memoryPages = 8

// fuel is the limit of a call of the core. A form takes less than a ten-thousandth of it; the most that any input is known to take, an
// e-mail address of 64 KiB, somewhat more than a third.
const fuel = 5_000_000_000

// Config limits the resources of a [Module]. The zero value is usable.
type Config struct {
	// Instances is the number of calls that run concurrently; further calls wait. 0 means GOMAXPROCS. An instance is created
	// on first use and takes 64 to 512 KiB.
	Instances int

	// CacheDir is [PoolConfig.CacheDir].
	CacheDir string

	// Wasm is another build of the module, such as [wasm.Module], which is compiled for size; nil means [wasm.Fast].
	Wasm []byte

	// Rates are an operator's own, nil for none. They apply to all quotes and orders that come without rates. Their text
	// ([table.Table.Text]) has at most [ops.MaxRates] bytes; with a larger table, pass each call its [table.Table.Subset].
	Rates *table.Table
}

// Module runs calls of the core. [Pool.Call] takes and returns the JSON of package ops.
type Module struct{ *Pool }

// New compiles the module, which takes some tens of milliseconds. It uses ctx for that only.
func New(ctx context.Context, config Config) (*Module, error) {
	module := config.Wasm
	if module == nil {
		module = wasm.Fast
	}
	metered, err := meter.Instrument(module, meter.Limits{Size: len(module), Pages: memoryPages, Start: fuel})
	if err != nil {
		return nil, fmt.Errorf("host: instrumenting the module: %w", err)
	}
	pool, err := NewPool(ctx, metered, PoolConfig{
		Instances: config.Instances, MemoryPages: memoryPages, MaxInput: ops.MaxInput + 1, CacheDir: config.CacheDir, Fuel: fuel,
	})
	if err != nil {
		return nil, err
	}
	m := &Module{pool}
	if err := m.load(ctx, config.Rates); err != nil {
		return nil, errors.Join(err, m.Close(ctx))
	}
	return m, nil
}

// load checks that an instance accepts the rates, and makes all instances load them.
func (m *Module) load(ctx context.Context, rates *table.Table) error {
	text := rates.Text()
	if text == "" {
		return nil
	}
	input := map[string]string{"rates": text}
	_, problems, err := ask[struct{}](ctx, m, "rates", input)
	if err == nil && problems != nil {
		err = fmt.Errorf("host: %w: %d bytes, of at most %d", problems, len(text), ops.MaxRates)
	}
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(input)
	m.start = func(ctx context.Context, in *instance) error {
		if _, err := in.call(ctx, "rates", encoded); err != nil {
			return fmt.Errorf("host: rates: %w", err)
		}
		return nil
	}
	return err
}
