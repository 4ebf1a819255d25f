// Package host runs the core's WebAssembly module inside a Go program, with wazero and without cgo: for a program that wants
// the rules of this checkout as a browser sees them, or in a sandbox. A program that just wants the rules imports core.
//
// A [Module] is a pool of instances of the embedded module. Its typed methods mirror the core's functions; [Module.Call] is
// the same by JSON text. An error means that a call has failed: the context is done, the Module is closed or, which would be
// a bug of ours, the module has trapped. What the core refuses is no error but a [problem.List].
package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/wasm"
	"github.com/crepe-checkout/crepe/wasm/ops"
)

// memoryPages is the memory of an instance in pages of 64 KiB, at most. The module declares the same.
const memoryPages = 8

// Config says how much a Module may use. The zero value is a good one.
type Config struct {
	// Instances is how many calls can run at the same time; further ones wait. 0 stands for GOMAXPROCS. An instance is
	// made when it is needed and takes 64 to 512 KiB.
	Instances int

	// CacheDir is a folder in which the compiled module is kept, so that the next New, of this program or another one, need not
	// compile it. It is made if it is missing, and whoever can write to it decides what runs here. What is damaged in it is
	// found by a checksum and compiled again. Empty is none.
	CacheDir string

	// Rates are an operator's own, nil for none: they hold for all quotes and orders that come without. Their text
	// ([table.Table.Text]) has at most [ops.MaxRates] bytes; of more, give each call its [table.Table.Subset].
	Rates *table.Table

	// Uninterrupted lets an operation that has begun run to its end, whatever becomes of its context: some tens of
	// milliseconds for the longest input. That saves the module from looking up at every turn, and nine tenths of the
	// time of an ordinary call: 6 µs instead of 56.
	Uninterrupted bool
}

// Module answers calls from any number of goroutines.
type Module struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	cache    wazero.CompilationCache
	rates    []byte         // what an instance is given first, nil for nothing
	pool     chan *instance // Instances of them; nil for one that is yet to be made
}

// New compiles the module, which takes some tens of milliseconds. The context is for that alone.
func New(ctx context.Context, config Config) (*Module, error) {
	instances := config.Instances
	if instances == 0 {
		instances = runtime.GOMAXPROCS(0)
	}
	folder := cache(config.CacheDir)
	cache, err := folder.open()
	if err != nil {
		return nil, fmt.Errorf("host: the folder for the compiled module: %w", err)
	}
	limits := wazero.NewRuntimeConfig().WithCloseOnContextDone(!config.Uninterrupted).WithMemoryLimitPages(memoryPages).
		WithCompilationCache(cache)
	m := &Module{runtime: wazero.NewRuntimeWithConfig(ctx, limits), cache: cache, pool: make(chan *instance, instances)}
	for range instances {
		m.pool <- nil
	}
	if m.compiled, err = m.runtime.CompileModule(ctx, wasm.Module); err != nil {
		return nil, errors.Join(fmt.Errorf("host: compiling the module: %w", err), m.Close(ctx))
	}
	if err := folder.seal(); err != nil {
		return nil, errors.Join(fmt.Errorf("host: the folder for the compiled module: %w", err), m.Close(ctx))
	}
	if err := m.load(ctx, config.Rates); err != nil {
		return nil, errors.Join(err, m.Close(ctx))
	}
	return m, nil
}

// load makes sure that an instance takes the rates, and has all of them take them.
func (m *Module) load(ctx context.Context, rates *table.Table) error {
	text := rates.Text()
	if text == "" {
		return nil
	}
	_, problems, err := ask[struct{}](ctx, m, "rates", map[string]string{"rates": text})
	if err == nil && problems != nil {
		err = fmt.Errorf("host: %w: %d bytes, of at most %d", problems, len(text), ops.MaxRates)
	}
	if err != nil {
		return err
	}
	m.rates, err = json.Marshal(map[string]string{"rates": text})
	return err
}

// Close frees everything. Calls that are running or waiting fail.
func (m *Module) Close(ctx context.Context) error {
	return errors.Join(m.runtime.Close(ctx), m.cache.Close(ctx))
}

// Call runs an operation of package ops on one JSON object and returns its answer, which is the caller's. It waits for an
// instance and ends when the context does, even in the middle of the operation.
func (m *Module) Call(ctx context.Context, operation string, input []byte) (answer []byte, err error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("host: %s: %w", operation, context.Cause(ctx))
	}
	var in *instance
	select {
	case in = <-m.pool:
	case <-ctx.Done():
		return nil, fmt.Errorf("host: waiting for an instance: %w", context.Cause(ctx))
	}
	defer func() { m.pool <- in }()
	if in == nil {
		if in, err = m.instantiate(ctx); err != nil {
			return nil, err
		}
	}
	if answer, err = in.call(ctx, operation, input); err != nil {
		in.module.Close(context.WithoutCancel(ctx))
		in = nil // whatever has happened in there, the next call does not see it
		return nil, fmt.Errorf("host: %s: %w", operation, err)
	}
	return answer, nil
}

// instance is a running module. It is for one call at a time.
type instance struct {
	module     api.Module
	alloc      api.Function
	operations map[string]api.Function
}

func (m *Module) instantiate(ctx context.Context) (*instance, error) {
	// Without a name, so that there can be many. The start function is the one of a module that stays.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	module, err := m.runtime.InstantiateModule(ctx, m.compiled, config)
	if err != nil {
		return nil, fmt.Errorf("host: instantiating the module: %w", err)
	}
	in := &instance{module, module.ExportedFunction("alloc"), map[string]api.Function{}}
	for _, operation := range ops.Operations {
		in.operations[operation.Name] = module.ExportedFunction(operation.Name)
	}
	if m.rates != nil {
		if _, err := in.call(ctx, "rates", m.rates); err != nil {
			return nil, fmt.Errorf("host: rates: %w", err)
		}
	}
	return in, nil
}

var errMemory = errors.New("the module has named memory that it does not have")

func (in *instance) call(ctx context.Context, operation string, input []byte) ([]byte, error) {
	function := in.operations[operation]
	if function == nil {
		return nil, errors.New("there is no such operation")
	}
	input = input[:min(len(input), ops.MaxInput+1)] // it is refused, however long
	size := uint64(len(input))
	stack := [2]uint64{size}
	if err := in.alloc.CallWithStack(ctx, stack[:]); err != nil {
		return nil, err
	}
	if !in.module.Memory().Write(uint32(stack[0]), input) {
		return nil, errMemory
	}
	stack[1] = size
	if err := function.CallWithStack(ctx, stack[:]); err != nil {
		return nil, err
	}
	answer, ok := in.module.Memory().Read(uint32(stack[0]>>32), uint32(stack[0]))
	if !ok {
		return nil, errMemory
	}
	return append([]byte(nil), answer...), nil
}
