package host

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// PoolConfig limits the resources of a [Pool].
type PoolConfig struct {
	// Instances is the number of calls that run concurrently; further calls wait. 0 means GOMAXPROCS. An instance is created
	// on first use.
	Instances int

	// MemoryPages is the memory limit of an instance in pages of 64 KiB. It must be at least what the module starts with.
	MemoryPages uint32

	// MaxInput is the number of bytes of an input that are copied into the module, which is expected to refuse an input of that size.
	MaxInput int

	// CacheDir is a folder for the compiled module, so that the next NewPool, of this program or another one, need not compile
	// it. It is created if missing. Anyone who can write to it controls the code that runs here. Damaged files are detected
	// by a checksum and compiled again. An empty CacheDir caches nothing.
	CacheDir string

	// Fuel is the number of units that a call may use, of a module that package meter has instrumented: alloc and the operation
	// together, and _initialize. 0 means that nothing is counted, which is only for modules that are known to terminate.
	Fuel int64
}

// Pool runs calls in instances of one module. It may be used by any number of goroutines.
//
// The module has no imports and follows wasm/ABI.md: it exports memory, _initialize, alloc(size) and operations, which are its functions
// from an address and a size to both of the answer. An instance that traps is discarded.
type Pool struct {
	runtime    wazero.Runtime
	compiled   wazero.CompiledModule
	cache      wazero.CompilationCache
	operations []string
	maxInput   int
	fuel       int64
	start      func(context.Context, *instance) error // called for a new instance, nil for nothing
	instances  chan *instance                         // has Instances elements; nil for one that is not yet created
}

// NewPool compiles a module, which takes some tens of milliseconds for the core's. It uses ctx for that only.
func NewPool(ctx context.Context, module []byte, config PoolConfig) (*Pool, error) {
	instances := config.Instances
	if instances == 0 {
		instances = runtime.GOMAXPROCS(0)
	}
	folder := cache(config.CacheDir)
	cache, err := folder.open()
	if err != nil {
		return nil, fmt.Errorf("host: the folder for the compiled module: %w", err)
	}
	limits := wazero.NewRuntimeConfig().WithMemoryLimitPages(config.MemoryPages).WithCompilationCache(cache)
	p := &Pool{
		runtime: wazero.NewRuntimeWithConfig(ctx, limits), cache: cache, maxInput: config.MaxInput, fuel: config.Fuel,
		instances: make(chan *instance, instances),
	}
	for range instances {
		p.instances <- nil
	}
	if err := p.compile(ctx, module); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	if err := folder.seal(); err != nil {
		return nil, errors.Join(fmt.Errorf("host: the folder for the compiled module: %w", err), p.Close(ctx))
	}
	return p, nil
}

// The types of a module's exports.
var (
	allocType     = [2][]api.ValueType{{api.ValueTypeI32}, {api.ValueTypeI32}}
	operationType = [2][]api.ValueType{{api.ValueTypeI32, api.ValueTypeI32}, {api.ValueTypeI64}}
)

// compile compiles the module and checks its exports.
func (p *Pool) compile(ctx context.Context, module []byte) (err error) {
	if p.compiled, err = p.runtime.CompileModule(ctx, module); err != nil {
		return fmt.Errorf("host: compiling the module: %w", err)
	}
	hasAlloc := false
	for name, f := range p.compiled.ExportedFunctions() {
		hasAlloc = hasAlloc || name == "alloc" && isType(f, allocType)
		if isType(f, operationType) {
			p.operations = append(p.operations, name)
		}
	}
	if !hasAlloc || p.compiled.ExportedMemories()["memory"] == nil {
		return errors.New("host: the module does not export memory and alloc(i32) i32")
	}
	return nil
}

func isType(f api.FunctionDefinition, t [2][]api.ValueType) bool {
	return slices.Equal(f.ParamTypes(), t[0]) && slices.Equal(f.ResultTypes(), t[1])
}

// Close frees all resources. Running and waiting calls fail.
func (p *Pool) Close(ctx context.Context) error {
	return errors.Join(p.runtime.Close(ctx), p.cache.Close(ctx))
}

// Errors of calls that a module of another author can cause.
var (
	// ErrFuel is returned if a call has used up its fuel.
	ErrFuel = errors.New("the call used up its fuel")

	// ErrDepth is returned if functions called each other too deeply.
	ErrDepth = errors.New("the call went too deep: functions call each other without end")
)

// Usage is what a call took.
type Usage struct {
	Fuel   int64  // units; 0 if nothing is counted
	Memory uint32 // bytes of the instance's memory after the call
}

// Call runs an operation on an input and returns its answer, which the caller owns. It waits for a free instance, and gives up with the
// context's error when ctx is done before there is one. The operation itself ends when it has used up [PoolConfig.Fuel].
func (p *Pool) Call(ctx context.Context, operation string, input []byte) (answer []byte, err error) {
	answer, _, err = p.Measure(ctx, operation, input)
	return answer, err
}

// Measure is Call, and returns what the call took, also if it failed.
func (p *Pool) Measure(ctx context.Context, operation string, input []byte) (answer []byte, used Usage, err error) {
	if ctx.Err() != nil {
		return nil, used, fmt.Errorf("host: %s: %w", operation, context.Cause(ctx))
	}
	var in *instance
	select {
	case in = <-p.instances:
	default: // all are in use
		select {
		case in = <-p.instances:
		case <-ctx.Done():
			return nil, used, fmt.Errorf("host: waiting for an instance: %w", context.Cause(ctx))
		}
	}
	defer func() { p.instances <- in }()
	if in == nil {
		if in, err = p.instantiate(ctx); err != nil {
			return nil, used, err
		}
	}
	answer, err = in.call(ctx, operation, input)
	used = in.used()
	if err != nil {
		in.module.Close(context.WithoutCancel(ctx))
		in = nil // discard the instance: its state is unknown
		return nil, used, fmt.Errorf("host: %s: %w", operation, err)
	}
	return answer, used, nil
}
