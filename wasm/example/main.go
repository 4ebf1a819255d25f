// Command example runs the checkout's rules in a sandbox: as WebAssembly without imports, with limits on memory and work. To
// use it, copy this folder; outside of this repository go.mod needs no replace.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/core/checkout"
	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/core/tax"
	"github.com/crepe-checkout/crepe/wasm/host"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	rules, err := host.New(ctx, host.Config{}) // create one and share it between goroutines
	if err != nil {
		return err
	}
	defer rules.Close(ctx)
	ctx, cancel := context.WithTimeout(ctx, time.Second) // of the wait for an instance; each call has a limit of its own
	defer cancel()

	business := true
	buyer := billing.Input{Country: "DE", IsBusiness: &business, BusinessName: "Fieldnotes GmbH", TaxID: "136 695 977"}
	if err := describe(ctx, rules, buyer); err != nil {
		return err
	}
	buyer.TaxID = "136 695 976"
	return describe(ctx, rules, buyer)
}

// describe prints what a buyer would pay, or the problems of the billing detail. A refusal is data; an error means that the
// call failed.
func describe(ctx context.Context, rules *host.Module, buyer billing.Input) error {
	terms := checkout.Terms{
		Price: money.Amount{Minor: 2900, Currency: "EUR"}, Category: tax.SaaS, Step: 1, Seller: tax.Seller{Country: "IE"},
	}
	on := civil.DateOf(time.Date(2026, time.November, 23, 0, 0, 0, 0, time.UTC).UnixMilli())
	quote, problems, err := rules.Quote(ctx, host.QuoteInput{Terms: &terms, Buyer: buyer, On: on})
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Printf("%s: %s\n", p.Path, p.Message)
	}
	if problems == nil {
		a := quote.Assessment
		fmt.Printf("%s %s, of which tax %s: %s by %v\n", money.Amount{Minor: a.Total, Currency: quote.Currency}, quote.Currency,
			money.Amount{Minor: a.Tax, Currency: quote.Currency}, a.Reason, a.Rules)
	}
	return nil
}
