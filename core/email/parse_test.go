package email

import (
	"testing"

	"github.com/crepe-checkout/crepe/core/fold"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		typed, address string
		valid          bool
	}{
		{" Ada@Example.COM ", "ada@example.com", true},
		{"ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ", "taro@example.co.jp", true},
		{"Ｔａｒｏ@Example.com", "taro@example.com", true},
		{"taro＠example.com", "taro@example.com", true},
		{"taro@example。com", "taro@example.com", true},
		{"　ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ　", "taro@example.com", true},
		{"taro@my\u2010shop.example", "taro@my-shop.example", true},
		{"ｔａｒｏ＋ａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "taro+a@example.com", true},
		{"太郎１@example.com", "太郎１@example.com", true}, // a valid address keeps its characters
		{"太郎＠example.com", "太郎＠example.com", false},
		{"ｔａｒｏ", "ｔａｒｏ", false},
		{"ｔａ　ｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ｔａ　ｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", false},
		{"\u00a0\u00a0", "", false},
	} {
		if address, valid := Parse(c.typed); address != c.address || valid != c.valid {
			t.Errorf("Parse(%q) = %q, %t, not %q, %t", c.typed, address, valid, c.address, c.valid)
		}
	}
}

// FuzzParse checks that Parse is idempotent, that it agrees with Valid, and that it leaves ASCII to Normalize.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"Ada@Example.com", "ｔａｒｏ＠ｅｘａｍｐｌｅ．ｃｏｍ", "a@b。c", "\u2010@\u3000.Ａ", "ΑΣ＠ｂ．ｃ", "\xff＠"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		address, valid := Parse(s)
		if again, still := Parse(address); again != address || still != valid || valid != Valid(address) {
			t.Fatalf("Parse(%q) = %q, %t, but of that %q, %t", s, address, valid, again, still)
		}
		if fold.IsASCII(s) && address != Normalize(s) {
			t.Fatalf("Parse(%q) = %q", s, address)
		}
	})
}
