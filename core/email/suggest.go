package email

import "strings"

// providers are the domains in which most people's mailboxes are, a name a line with its endings behind it. Of two that are
// equally near to what was typed the first is meant. The list was made by hand, of the mail services with the most users
// in the countries that the tax table knows.
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

// Suggest returns the address that somebody who typed this one has probably meant, for a slip in the domain of a well-known
// provider: "ada@gmail.com" for "ada@gmial.com" or "ada@gmail.con". It is empty where nothing looks like a slip: for a
// provider's own domain, for any other that may well exist (ymail.com, hotmail.ch, gmail.co.uk), and for what is not
// [Valid]. The address is one as [Normalize] returns it.
//
// A slip is one letter left out, put in or changed, or two that have changed places, in the name, in its ending, or once in
// each. The first letter of a name is taken to be right, a name of fewer than five letters to be right altogether, and so
// is the code of a country.
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

// maxSlips is how many are taken for one in the name and one in the ending.
const maxSlips = 2

func slipsInName(typed, name string) int {
	n := slips(typed, name)
	if n > 0 && (len(name) < 5 || typed[0] != name[0]) {
		return maxSlips + 1
	}
	return n
}

// slipsInEnding takes the code of a country, the two letters at the end of both, at its word.
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

// slips is the distance of Damerau and Levenshtein between two texts as far as it matters: 0 or 1, else more than there may
// be. Without what they have in common at both ends, texts that are one slip apart have one letter at most or two that
// changed places.
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
