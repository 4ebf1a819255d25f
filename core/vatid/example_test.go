package vatid_test

import (
	"fmt"

	"github.com/crepe-checkout/crepe/core/vatid"
)

func ExampleParse() {
	fmt.Println(vatid.Parse("DE", "de 136.695-976"))
	fmt.Println(vatid.Parse("GR", "GR 94259216"))
	fmt.Println(vatid.Parse("DE", "DE136695967"))
	fmt.Println(vatid.Parse("DE", "ATU13585627"))
	fmt.Println(vatid.Parse("US", "12-3456789"))
	// Output:
	// DE136695976 none
	// EL094259216 none
	//  check-digit
	//  format
	//  unsupported
}
