package email

import "strings"

// providers are the domains of the mail services with the most users in the countries of the tax table, one name a line,
// followed by its endings. If two are equally near, the first is suggested. The list is maintained by hand.
const providers = "" +
	"gmail com\n" +
	"hotmail com fr co.uk de it es be nl ca\n" +
	"outlook com fr de es it pt jp com.br\n" +
	"yahoo com fr de it es co.uk co.jp co.in ca com.br com.mx com.au in\n" +
	"icloud com\n" +
	"live com fr co.uk nl be it ca se dk no\n" +
	"msn com\naol com de\nme com\nmac com\nymail com\ngooglemail com\n" +
	"protonmail com ch\nproton me\nfastmail com\nmail com ru\n" +
	"gmx de net at ch com fr\nweb de\nt-online de\nfreenet de\n" +
	"orange fr\nwanadoo fr\nfree fr\nlaposte net\nsfr fr\n" +
	"libero it\nvirgilio it\n" +
	"qq com\n163 com\n126 com\nsina com cn\nfoxmail com\nnaver com\n" +
	"yandex ru com\nseznam cz\nonet pl\nbluewin ch\nziggo nl\n" +
	"comcast net\nverizon net\natt net\nbtinternet com\n"

// Suggest returns the address that was probably meant if the domain of s looks like a typing error in a well-known
// provider's: "ada@gmail.com" for "ada@gmial.com" or "ada@gmail.con". It returns an empty string for a provider's own
// domain, for domains that may exist (ymail.com, hotmail.ch, gmail.co.uk) and for an address that is not [Valid]. The result
// is normalised as by [Normalize].
//
// A typing error is one letter omitted, added or changed, or two letters swapped, in the name, in its ending, or once in
// each. The first letter of a name, a name of fewer than five letters and a country code are assumed to be right.
func Suggest(address string) string {
	if !Valid(address) {
		return ""
	}
	local, domain, _ := strings.Cut(address, "@")
	typed, typedEnding, _ := strings.Cut(domain, ".")
	best, least := "", maxSlips+1
	for rest := providers; rest != ""; {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		name, endings, _ := strings.Cut(line, " ")
		slips := slipsInName(typed, name)
		for slips < least && endings != "" {
			var ending string
			ending, endings, _ = strings.Cut(endings, " ")
			if n := slips + slipsInEnding(typedEnding, ending); n < least {
				best, least = local+"@"+name+"."+ending, n
			}
		}
	}
	if best == address {
		return ""
	}
	return best
}

// maxSlips is the number of errors accepted in the name and in the ending.
const maxSlips = 2

func slipsInName(typed, name string) int {
	n := slips(typed, name)
	if n > 0 && (len(name) < 5 || typed[0] != name[0]) {
		return maxSlips + 1
	}
	return n
}

// slipsInEnding compares endings. The country code, two letters at the end of both, must be the same.
func slipsInEnding(typed, ending string) int {
	n := slips(typed, ending)
	if n > 0 && isNational(typed) && isNational(ending) && typed[len(typed)-2:] != ending[len(ending)-2:] {
		return maxSlips + 1
	}
	return n
}

func isNational(ending string) bool {
	return len(ending)-strings.LastIndexByte(ending, '.') == len(".de")
}

// slips returns the Damerau-Levenshtein distance between two texts if it is 0 or 1, otherwise a number above maxSlips.
// Without their common prefix and suffix, texts at distance 1 have at most one letter, or two that are swapped.
func slips(a, b string) int {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	switch {
	case a == b:
		return 0
	case len(a) <= 1 && len(b) <= 1, len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]:
		return 1
	}
	return maxSlips + 1
}
