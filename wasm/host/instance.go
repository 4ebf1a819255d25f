package host

import (
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/crepe-checkout/crepe/wasm/meter"
)

// instance is a running module. It runs one call at a time.
type instance struct {
	module     api.Module
	alloc      api.Function
	operations map[string]api.Function
	counter    api.MutableGlobal // nil if nothing is counted
	fuel       int64
	maxInput   int
}

func (p *Pool) instantiate(ctx context.Context) (*instance, error) {
	// Without a name, so that several can exist. The start section runs with the fuel that the module starts with.
	module, err := p.runtime.InstantiateModule(ctx, p.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, fmt.Errorf("host: instantiating the module: %w", err)
	}
	in := &instance{
		module: module, alloc: module.ExportedFunction("alloc"), operations: make(map[string]api.Function), maxInput: p.maxInput, fuel: p.fuel,
	}
	for _, operation := range p.operations {
		in.operations[operation] = module.ExportedFunction(operation)
	}
	err = p.count(in)
	if err == nil {
		err = p.initialize(ctx, in)
	}
	if err != nil {
		module.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return in, nil
}

// count finds the module's counter.
func (p *Pool) count(in *instance) (err error) {
	if p.fuel > 0 {
		in.counter, _ = in.module.ExportedGlobal(meter.Fuel).(api.MutableGlobal)
		if in.counter == nil {
			err = errors.New("host: the module does not count fuel: instrument it with package meter")
		}
	}
	return err
}

// initialize runs what a new instance needs before its first call: _initialize is the start function of a reactor.
func (p *Pool) initialize(ctx context.Context, in *instance) error {
	if function := in.module.ExportedFunction("_initialize"); function != nil {
		in.refuel()
		if err := in.run(ctx, function, nil); err != nil {
			return fmt.Errorf("host: initializing the module: %w", err)
		}
	}
	if p.start == nil {
		return nil
	}
	return p.start(ctx, in)
}

// refuel gives the instance the fuel for a call.
func (in *instance) refuel() {
	if in.counter != nil {
		in.counter.Set(uint64(in.fuel))
	}
}

// used returns what the call took since refuel.
func (in *instance) used() Usage {
	used := Usage{Memory: in.module.Memory().Size()}
	if in.counter != nil {
		used.Fuel = in.fuel - max(0, int64(in.counter.Get()))
	}
	return used
}

// run calls a function. Its error tells why it trapped, if that is for a limit.
func (in *instance) run(ctx context.Context, function api.Function, stack []uint64) error {
	err := function.CallWithStack(ctx, stack)
	if err == nil || in.counter == nil {
		return err
	}
	switch left := int64(in.counter.Get()); {
	case left <= meter.TooDeep:
		return ErrDepth
	case left < 0:
		return ErrFuel
	}
	return err
}

var errMemory = errors.New("the module has named memory that it does not have")

func (in *instance) call(ctx context.Context, operation string, input []byte) ([]byte, error) {
	function := in.operations[operation]
	if function == nil {
		return nil, errors.New("there is no such operation")
	}
	in.refuel()
	input = input[:min(len(input), in.maxInput)]
	size := uint64(len(input))
	stack := [2]uint64{size}
	if err := in.run(ctx, in.alloc, stack[:]); err != nil {
		return nil, err
	}
	if !in.module.Memory().Write(uint32(stack[0]), input) {
		return nil, errMemory
	}
	stack[1] = size
	if err := in.run(ctx, function, stack[:]); err != nil {
		return nil, err
	}
	answer, ok := in.module.Memory().Read(uint32(stack[0]>>32), uint32(stack[0]))
	if !ok {
		return nil, errMemory
	}
	return append([]byte(nil), answer...), nil
}
