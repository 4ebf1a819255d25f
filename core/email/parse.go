package email

import "github.com/crepe-checkout/crepe/core/fold"

// Parse returns the address that a buyer typed, normalised by [Normalize], and whether it is [Valid]. If the text becomes a
// valid ASCII address by [fold.String], that is the address: "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", as an East Asian input method
// types it, is taro@example.com. Any other address keeps its characters. Parse returns its own result unchanged.
func Parse(typed string) (address string, valid bool) {
	address = Normalize(typed)
	if folded := Normalize(fold.String(address)); folded != address && fold.IsASCII(folded) && Valid(folded) {
		return folded, true
	}
	return address, Valid(address)
}
