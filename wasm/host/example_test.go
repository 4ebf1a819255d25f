package host_test

import (
	"context"
	"fmt"

	"github.com/crepe-checkout/crepe/core/billing"
	"github.com/crepe-checkout/crepe/wasm/host"
)

func Example() {
	ctx := context.Background()
	rules, err := host.New(ctx, host.Config{})
	if err != nil {
		panic(err)
	}
	defer rules.Close(ctx)

	address, err := rules.Email(ctx, " Foo@Gmial.COM ")
	fmt.Println(address.Address, address.Valid, address.Suggestion, err)

	business := true
	_, problems, err := rules.Billing(ctx, billing.Input{Country: "DE", IsBusiness: &business})
	for _, p := range problems {
		fmt.Println(p.Path, p.Message)
	}
	fmt.Println(err)

	// Output:
	// foo@gmial.com true foo@gmail.com <nil>
	// /billingDetail/businessName businessName is required for business purchases
	// /billingDetail/taxId taxId is required for EU business purchases
	// <nil>
}
