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

	// Uninterrupted runs a call to its end even if its context is done, so it is only for modules that are known to terminate. The
	// module then need not check the context in its loops.
	Uninterrupted bool
}

// Pool runs calls in instances of one module. It may be used by any number of goroutines.
//
// The module has no imports and follows wasm/ABI.md: it exports memory, _initialize, alloc(size) and operations, which are its functions
// from an address and a size to both of the answer. An instance that traps, or whose call is interrupted, is discarded.
type Pool struct {
	runtime    wazero.Runtime
	compiled   wazero.CompiledModule
	cache      wazero.CompilationCache
	operations []string
	maxInput   int
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
	limits := wazero.NewRuntimeConfig().WithCloseOnContextDone(!config.Uninterrupted).WithMemoryLimitPages(config.MemoryPages).
		WithCompilationCache(cache)
	p := &Pool{
		runtime: wazero.NewRuntimeWithConfig(ctx, limits), cache: cache, maxInput: config.MaxInput, instances: make(chan *instance, instances),
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

// Call runs an operation on an input and returns its answer, which the caller owns. It waits for a free instance, and ends with the
// context's error when ctx is done, even during the operation.
func (p *Pool) Call(ctx context.Context, operation string, input []byte) (answer []byte, err error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("host: %s: %w", operation, context.Cause(ctx))
	}
	var in *instance
	select {
	case in = <-p.instances:
	case <-ctx.Done():
		return nil, fmt.Errorf("host: waiting for an instance: %w", context.Cause(ctx))
	}
	defer func() { p.instances <- in }()
	if in == nil {
		if in, err = p.instantiate(ctx); err != nil {
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
	maxInput   int
}

func (p *Pool) instantiate(ctx context.Context) (*instance, error) {
	// Without a name, so that several can exist. _initialize is the start function of a reactor.
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize")
	module, err := p.runtime.InstantiateModule(ctx, p.compiled, config)
	if err != nil {
		return nil, fmt.Errorf("host: instantiating the module: %w", err)
	}
	in := &instance{module, module.ExportedFunction("alloc"), make(map[string]api.Function), p.maxInput}
	for _, operation := range p.operations {
		in.operations[operation] = module.ExportedFunction(operation)
	}
	if p.start == nil {
		return in, nil
	}
	if err := p.start(ctx, in); err != nil {
		module.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return in, nil
}

var errMemory = errors.New("the module has named memory that it does not have")

func (in *instance) call(ctx context.Context, operation string, input []byte) ([]byte, error) {
	function := in.operations[operation]
	if function == nil {
		return nil, errors.New("there is no such operation")
	}
	input = input[:min(len(input), in.maxInput)]
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
