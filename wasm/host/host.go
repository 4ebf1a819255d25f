// Package host runs the core's WebAssembly module in a Go program, with wazero and without cgo. It is for programs that want
// the checkout's rules in a sandbox, or exactly as a browser runs them. Other programs import core.
//
// A [Module] is a pool of instances of the embedded module. Its typed methods mirror the core's functions; [Module.Call]
// takes and returns JSON. An error means that a call failed: the context is done, the Module is closed, or the module
// trapped, which is a bug. Refusals of the core are a [problem.List], not an error.
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

// memoryPages is the memory limit of an instance in pages of 64 KiB. The module declares the same limit.
const memoryPages = 8

// Config limits the resources of a Module. The zero value is usable.
type Config struct {
	// Instances is the number of calls that run concurrently; further calls wait. 0 means GOMAXPROCS. An instance is created
	// on first use and takes 64 to 512 KiB.
	Instances int

	// CacheDir is a folder for the compiled module, so that the next New, of this program or another one, need not compile
	// it. It is created if missing. Anyone who can write to it controls the code that runs here. Damaged files are detected
	// by a checksum and compiled again. An empty CacheDir caches nothing.
	CacheDir string

	// Rates are an operator's own, nil for none. They apply to all quotes and orders that come without rates. Their text
	// ([table.Table.Text]) has at most [ops.MaxRates] bytes; with a larger table, pass each call its [table.Table.Subset].
	Rates *table.Table

	// Uninterrupted runs an operation to its end even if its context is done: at most some tens of milliseconds, for the
	// longest input. The module then need not check the context in its loops, which takes nine tenths of an ordinary call: 6
	// µs instead of 56.
	Uninterrupted bool
}

// Module runs calls. It may be used by any number of goroutines.
type Module struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	cache    wazero.CompilationCache
	rates    []byte         // input of an instance's first call, nil for none
	pool     chan *instance // has Instances elements; nil for one that is not yet created
}

// New compiles the module, which takes some tens of milliseconds. It uses ctx for that only.
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

// load checks that an instance accepts the rates, and makes all instances load them.
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

// Close frees all resources. Running and waiting calls fail.
func (m *Module) Close(ctx context.Context) error {
	return errors.Join(m.runtime.Close(ctx), m.cache.Close(ctx))
}

// Call runs an operation of package ops on one JSON object and returns its answer, which the caller owns. It waits for a
// free instance, and ends with the context's error when ctx is done, even during the operation.
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
		in = nil // discard the instance: its state is unknown
		return nil, fmt.Errorf("host: %s: %w", operation, err)
	}
	return answer, nil
}

// instance is a running module. It runs one call at a time.
type instance struct {
	module     api.Module
	alloc      api.Function
	operations map[string]api.Function
}

func (m *Module) instantiate(ctx context.Context) (*instance, error) {
	// Without a name, so that several can exist. _initialize is the start function of a reactor.
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
	input = input[:min(len(input), ops.MaxInput+1)] // a longer input is refused anyway
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
