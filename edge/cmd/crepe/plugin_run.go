package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/core/problem"
	"github.com/crepe-checkout/crepe/edge/plugins"
)

const pluginCheckUsage = `crepe plugin check says whether a module can be uploaded, and if not, why and where. It needs no server.

Example:
  crepe plugin check limits.wasm

A rule has no imports, exports memory, alloc(i32) i32 and validate(i32, i32) i64 or adjust(i32, i32) i64, or both, and has at most 256 KiB and
1 MiB of memory. It may have a start section or export _initialize.

Settings:
`

const pluginRunUsage = `crepe plugin run runs a rule on the draft of an order as the server would, and prints what it decides and what it uses. It needs no server.

Example:
  crepe plugin run limits.wasm --draft draft.json --rule-config limits.json

draft.json:
  {"environment":"test","storeId":"STO_1","product":{"id":"PROD_1","taxCategory":"ebook"},
   "price":{"amount":"29.00","currency":"EUR"},"buyerEmail":"ann@example.com",
   "billingDetail":{"country":"DE","isBusiness":false},"on":"2026-11-29"}

It exits with 1 if the rule fails; a refusal is no failure.

Settings:
`

func pluginCheck(ctx context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o, file, err := moduleOperation("plugin check", pluginCheckUsage, args, stdout, log, func(*operation) {})
	if err != nil {
		return err
	}
	module, err := readModule(file)
	if err != nil {
		return err
	}
	report, err := plugins.Check(ctx, module)
	if err != nil {
		return fmt.Errorf("%s cannot be a rule: %w", file, err)
	}
	return o.print(report, nil, func() {
		fmt.Fprintf(o.stdout, `%s can be a rule.
functions  %s
size       %d of %d bytes; %d with its meter
sha-256    %s
`, visibleText(file), strings.Join(report.Functions, ", "), report.Size, plugins.MaxModule, report.Metered, report.Digest)
	})
}

// ruleVerdict is the result of crepe plugin run.
type ruleVerdict struct {
	Verdict  string        `json:"verdict"` // accepted, refused, discounted or failed
	Problems []ruleProblem `json:"problems"`
	Discount *ruleDiscount `json:"discount"`
	Failure  string        `json:"failure,omitempty"`
	Calls    []ruleCall    `json:"calls"`
}

type ruleProblem struct {
	Code    string `json:"code"`
	Path    string `json:"path"`
	Message string `json:"message"`
}

type ruleDiscount struct {
	Label string `json:"label"`
	Minor int64  `json:"minorUnits"`
}

type ruleCall struct {
	Function    string        `json:"function"`
	Fuel        int64         `json:"fuel"`
	MaxFuel     int64         `json:"maxFuel"`
	MemoryBytes uint32        `json:"memoryBytes"`
	Nanoseconds time.Duration `json:"nanoseconds"`
}

func pluginRun(ctx context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	var draftFile, configFile *string
	o, file, err := moduleOperation("plugin run", pluginRunUsage, args, stdout, log, func(o *operation) {
		draftFile = o.flags.String("draft", "", "`file` with the draft of an order, as above")
		configFile = ruleConfigFlag(o.flags)
	})
	if err != nil {
		return err
	}
	if *draftFile == "" {
		return misuse(o.flags, "--draft is needed")
	}
	module, err := readModule(file)
	if err != nil {
		return err
	}
	config, err := readRuleConfig(*configFile)
	if err != nil {
		return err
	}
	draft, err := readLimited(*draftFile, 4*plugins.MaxConfig)
	if err != nil {
		return err
	}
	verdict, err := plugins.Run(ctx, module, config, draft)
	if problem.Of(err) != nil {
		return err // the module or the draft is refused: nothing has run
	}
	shown := showVerdict(&verdict, err)
	if printed := o.print(shown, nil, func() { o.printVerdict(&shown) }); printed != nil {
		return printed
	}
	if err != nil {
		return fmt.Errorf("the rule failed: %w", err)
	}
	return nil
}

// moduleOperation returns an operation that opens no database and takes the file of a module. declare declares its flags.
func moduleOperation(command, usage string, args []string, stdout io.Writer, log *slog.Logger, declare func(*operation)) (*operation, string, error) {
	f := newFlags(command, usage)
	o := &operation{flags: f, json: f.Bool("json", false, "print JSON, for programs"), stdout: stdout, log: log}
	declare(o)
	var files []string
	for {
		if err := parseFlags(f, args, stdout); err != nil {
			return nil, "", err
		}
		if f.NArg() == 0 {
			break
		}
		files, args = append(files, f.Arg(0)), f.Args()[1:]
	}
	if len(files) != 1 {
		return nil, "", misuse(f, "the file of one module is needed")
	}
	return o, files[0], nil
}

func showVerdict(v *plugins.Verdict, failure error) ruleVerdict {
	shown := ruleVerdict{Verdict: "accepted", Problems: []ruleProblem{}, Calls: []ruleCall{}}
	for _, p := range v.Problems {
		shown.Verdict = "refused"
		shown.Problems = append(shown.Problems, ruleProblem{p.Code, p.Path, p.Message})
	}
	if v.Discount.Minor > 0 {
		shown.Verdict, shown.Discount = "discounted", &ruleDiscount{v.Discount.Label, v.Discount.Minor}
	}
	if failure != nil {
		shown.Verdict, shown.Failure = "failed", failure.Error()
	}
	for _, u := range v.Usages {
		shown.Calls = append(shown.Calls, ruleCall{u.Function, u.Fuel, plugins.Fuel, u.Memory, u.Time})
	}
	return shown
}

func (o *operation) printVerdict(v *ruleVerdict) {
	fmt.Fprintf(o.stdout, "verdict: %s\n", v.Verdict)
	for _, p := range v.Problems {
		fmt.Fprintf(o.stdout, "  %s", visibleText(p.Message))
		fmt.Fprintf(o.stdout, " (%s", p.Code)
		if p.Path != "" {
			fmt.Fprintf(o.stdout, ", %s", p.Path)
		}
		fmt.Fprintln(o.stdout, ")")
	}
	if v.Discount != nil {
		fmt.Fprintf(o.stdout, "  %s: %d minor units less\n", visibleText(v.Discount.Label), v.Discount.Minor)
	}
	for _, c := range v.Calls {
		fmt.Fprintf(o.stdout, "%-8s  fuel %d of %d, memory %d KiB, %d µs\n", c.Function, c.Fuel, c.MaxFuel, c.MemoryBytes>>10, c.Nanoseconds.Microseconds())
	}
}
