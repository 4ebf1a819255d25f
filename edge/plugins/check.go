package plugins

import (
	"context"
	"errors"
	"fmt"

	"github.com/crepe-checkout/crepe/wasm/meter"
)

// Report describes a module that can be uploaded.
type Report struct {
	Size      int      `json:"size"`      // in bytes
	Metered   int      `json:"metered"`   // in bytes, with its meter, as the page gets it
	Digest    string   `json:"digest"`    // SHA-256 in hexadecimal
	Functions []string `json:"functions"` // validate, adjust or both
}

// Check refuses a module that cannot be a rule, with the reason and the place in the module.
func Check(ctx context.Context, module []byte) (*Report, error) {
	metered, err := Meter(module)
	if err != nil {
		return nil, err
	}
	machine, err := newMachine(ctx, module, []byte("{}"))
	if err != nil {
		return nil, refusef("%v", err)
	}
	report := &Report{Size: len(module), Metered: len(metered), Digest: digest(module)}
	for _, name := range machine.pool.Operations() {
		if name == validate || name == adjust {
			report.Functions = append(report.Functions, name)
		}
	}
	if err := machine.close(); err != nil {
		return nil, err
	}
	return report, nil
}

// Run runs a module on a draft as the package's page shows it. config takes the place of the draft's, unless it is nil. The error of a rule
// that fails says why; the verdict then has what it has used.
func Run(ctx context.Context, module, config, draft []byte) (v Verdict, err error) {
	if config != nil {
		if config, err = Config(config); err != nil {
			return v, err
		}
	}
	input, price, err := readDraft(draft, config)
	if err != nil {
		return v, err
	}
	machine, err := newMachine(ctx, module, config)
	if err != nil {
		return v, err
	}
	v, err = machine.decide(ctx, input, price)
	return v, errors.Join(err, machine.close())
}

// Meter returns a module with its meter, as it runs here and on the page.
func Meter(module []byte) ([]byte, error) {
	metered, err := meter.Instrument(module, meter.Rule)
	if fault, ok := errors.AsType[*meter.Fault](err); ok {
		return nil, refusef("%s, at byte %d (%#x) of the module", fault.Reason, fault.Offset, fault.Offset)
	}
	if err != nil {
		return nil, fmt.Errorf("the module cannot be metered: %w", err)
	}
	return metered, nil
}
