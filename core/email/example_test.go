package email_test

import (
	"fmt"

	"github.com/crepe-checkout/crepe/core/email"
)

func ExampleNormalize() {
	fmt.Println(email.Normalize(" Foo@Bar.COM\n") == email.Normalize("foo@bar.com"))
	fmt.Println(email.Normalize("ΟΔΟΣ@Example.GR"))
	// Output:
	// true
	// οδος@example.gr
}

func ExampleValid() {
	for _, s := range []string{"customer@example.com", "用户@例子.广告", "root@localhost", "Jane <jane@example.com>"} {
		fmt.Println(email.Valid(email.Normalize(s)), s)
	}
	// Output:
	// true customer@example.com
	// true 用户@例子.广告
	// false root@localhost
	// false Jane <jane@example.com>
}
