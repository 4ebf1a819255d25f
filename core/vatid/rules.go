package vatid

import "strings"

// A rule has the formats of a country's numbers and the relation between their digits. The check is called only for numbers
// in one of the formats.
type rule struct {
	text  string // the country, a space or, if its numbers have no prefix, a colon, and their formats: see fits
	check func(n string) bool
}

func (r *rule) country() string { return r.text[:2] } // EL for Greece
func (r *rule) vat() bool       { return r.text[2] == ' ' }
func (r *rule) forms() string   { return r.text[3:] }

// prefix returns what the country's numbers begin with.
func (r *rule) prefix() string {
	if r.vat() {
		return r.country()
	}
	return ""
}

// The formats and check digits are those of the European Commission's "VIES VAT number construction rules, functional
// description", version 15.0 of 2011. A row or function that follows a newer source names it. Croatia, which joined in 2013,
// uses the check digit of its OIB. See sum for the strings of weights.
var rules = [...]rule{
	{"AT Udddddddd", func(n string) bool { return (14+at(n, 7)+at(n, 8)-luhn(n[1:7]))%10 == 0 }},
	{"BE 0ddddddddd 1ddddddddd", func(n string) bool { return mod(n[:8], 97)+mod(n[8:], 100) == 97 }},
	{"BG ddddddddd dddddddddd", bulgaria},
	{"CY ddddddddl", cyprus},
	{"CZ dddddddd ddddddddd dddddddddd", czechia},
	{"DE pdddddddd", mod11and10},
	{"DK pddddddd", func(n string) bool { return sum(n, "27654321")%11 == 0 }},
	{"EE 10ddddddd", func(n string) bool { return sum(n, "371371371")%10 == 0 }},
	{"EL ddddddddd", greece},
	{"ES ddddddddl eddddddda", spain},
	{"FI dddddddd", func(n string) bool { return sum(n, "79A58421")%11 == 0 }},
	{"FR kkddddddddd", france},
	{"HR ddddddddddd", mod11and10},
	{"HU dddddddd", func(n string) bool { return sum(n, "97319731")%10 == 0 }},
	{"IE dddddddw dddddddww dsdddddw", ireland},
	{"IT ddddddddddd", italy},
	{"LT ddddddd1d dddddddddd1d", lithuania},
	{"LU dddddddd", func(n string) bool { return mod(n[:6], 89) == mod(n[6:], 100) }},
	{"LV ddddddddddd", latvia},
	{"MT pddddddd", func(n string) bool { return 37-sum(n, "346789")%37 == mod(n[6:], 100) }},
	{"NL dddddddddBdd", netherlands},
	{"PL dddddddddd", func(n string) bool { return sum(n, "657234567")%11 == at(n, 9) }},
	{"PT pdddddddd", func(n string) bool { return (11-sum(n, "98765432")%11)%11%10 == at(n, 8) }},
	{"RO pd pdd pddd pdddd pddddd pdddddd pddddddd pdddddddd pddddddddd", romania},
	{"SE dddddddddd01", func(n string) bool { return luhn(n[:9]) == at(n, 9) }}, // always 01: Skatteverket, SKV 560
	{"SI pddddddd", slovenia},
	{"SK pddddddddd", func(n string) bool { return mod(n, 11) == 0 && strings.IndexByte("234789", n[2]) >= 0 }},
	{"XI ddddddddd dddddddddddd GDddd HAddd", unitedKingdom},

	// Outside the European Union and VIES.
	{"CH Eddddddddd", func(n string) bool { return (11-sum(n[1:], "54327654")%11)%11 == at(n, 9) }}, // eCH-0097, UID
	{"GB ddddddddd dddddddddddd GDddd HAddd", unitedKingdom},
	{"NO dddddddddMVA", func(n string) bool { return sum(n, "327654321")%11 == 0 }}, // Brønnøysundregistrene

	// Registration numbers by which a country without VAT numbers tells businesses from consumers. Where no other source is
	// named, the OECD's page on the country's tax identification numbers has the format and python-stdnum the check digits.
	{"AU:pdddddddddd", australia},
	{"CA:ddddddddd dddddddddRTdddd", func(n string) bool { return luhn(n[:8]) == at(n, 8) }}, // Canada Revenue Agency, BN and its GST/HST account
	{"IN:ddlllllddddlaZa", india},
	{"KR:dddddddddd", korea},
	{"NZ:ddddddddd", newZealand},
	{"SG:ddddddddl dddddddddl lddllddddl", singapore},
	{"TH:ddddddddddddd", func(n string) bool { return n[0] != '9' && (11-sum(n, "DCBA98765432")%11)%10 == at(n, 12) }},
}

// bulgaria: a legal entity has nine digits, anyone else ten, under one of three rules: the civil number (EGN) with the date
// of birth, 20 added to the month before 1900 and 40 after 1999; the number of a foreigner (LNCh); or any other.
func bulgaria(n string) bool {
	if len(n) == 9 {
		c := sum(n[:8], "12345678") % 11
		if c == 10 {
			c = sum(n[:8], "3456789A") % 11 % 10
		}
		return c == at(n, 8)
	}
	c := at(n, 9)
	return sum(n, "2485A9736")%11%10 == c && isBulgarianBirth(n) ||
		sum(n, "197319731")%10 == c || // the weights are 21, 19, 17, 13, 11, 9, 7, 3, 1; only their last digits count
		(11-sum(n, "432765432")%11)%11 == c
}

func isBulgarianBirth(n string) bool {
	year, month := 1900+mod(n[:2], 100), mod(n[2:4], 100)
	switch {
	case month > 40:
		year, month = year+100, month-40
	case month > 20:
		year, month = year-100, month-20
	}
	return isDate(year, month, mod(n[4:6], 100))
}

// cyprus: the digits at odd places stand for other values; the letter is the sum modulo 26.
func cyprus(n string) bool {
	const odd = "105" + "79DFHJL" // 0 to 9 stand for 1, 0, 5, 7, 9, 13, 15, 17, 19, 21
	s := sum(n, "01010101")
	for i := 0; i < 8; i += 2 {
		s += value(odd[at(n, i)])
	}
	return n[:2] != "12" && s%26 == int(n[8]-'A')
}

// czechia: eight digits are a legal entity, nine digits from 6 on a person without a birth number, other nine digits and ten
// a birth number.
func czechia(n string) bool {
	switch {
	case len(n) == 8:
		c := (11 - sum(n, "8765432")%11) % 11
		return n[0] != '9' && max(c, 1)%10 == at(n, 7)
	case len(n) == 9 && n[0] == '6':
		return (8+sum(n[1:], "8765432")%11)%10 == at(n, 8)
	}
	return isCzechBirth(n)
}

// isCzechBirth checks the birth number of Act 133/2000, section 13: the date of birth, with 50 added to a woman's month and,
// since 2004, 20 to either's if the numbers of the day are used up; until 1953 it has nine digits and no check digit. Until
// 1985 a check digit of 10 was replaced by 0, which the Commission's document omits; since then such numbers are not issued.
func isCzechBirth(n string) bool {
	year, month := 1900+mod(n[:2], 100), mod(n[2:4], 100)
	if year < 1954 && len(n) == 10 {
		year += 100
	}
	switch {
	case month > 70 && year >= 2004:
		month -= 70
	case month > 50:
		month -= 50
	case month > 20 && year >= 2004:
		month -= 20
	}
	if !isDate(year, month, mod(n[4:6], 100)) {
		return false
	}
	if len(n) == 9 {
		return year < 1954
	}
	c := mod(n[:9], 11)
	return c == at(n, 9) || c == 10 && n[9] == '0' && year <= 1985
}

// greece: the weights are 256, 128, 64 and so on, here modulo 11.
func greece(n string) bool {
	return sum(n, "379A5842")%11%10 == at(n, 8)
}

// spain: a number that starts with a digit or with K to M or X to Z is a person's, any other an entity's. The entity's check
// character is a letter from N on, a digit for J, U and V, and either from A to H: a letter there is a foreign entity from
// before Order EHA/451/2008.
func spain(n string) bool {
	switch first, last := n[0], n[8]; {
	case first <= '9':
		return spanishLetter(mod(n[:8], 23)) == last
	case 'K' <= first && first <= 'M':
		return spanishLetter(mod(n[1:8], 23)) == last
	case 'X' <= first: // and X, Y, Z stand for 0, 1, 2
		return spanishLetter((int(first-'X')*10_000_000+mod(n[1:8], 23))%23) == last
	case last <= '9':
		return luhn(n[1:8]) == at(n, 8) && strings.IndexByte("NPQRSW", first) < 0
	default:
		return "JABCDEFGHI"[luhn(n[1:8])] == last && strings.IndexByte("JUV", first) < 0
	}
}

func spanishLetter(remainder int) byte {
	return "TRWAGMYFPDXBNJZSQVHLCKE"[remainder]
}

// france: a key of two characters before the SIREN, which has a check digit of its own unless it starts with 000, as in
// Monaco.
func france(n string) bool {
	siren := n[2:]
	if luhn(siren[:8]) != at(siren, 8) && siren[:3] != "000" {
		return false
	}
	const alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	a, b := strings.IndexByte(alphabet, n[0]), strings.IndexByte(alphabet, n[1])
	if a < 10 && b < 10 {
		return (mod(siren, 97)*100+12)%97 == a*10+b
	}
	key := a*24 + b - 10
	if a >= 10 {
		key = a*34 + b - 100
	}
	return (mod(siren, 11)+1+key/11)%11 == key%11
}

// ireland: numbers have seven digits, a check letter and since 2013 often one more letter (Revenue eBrief 03/13). Older ones
// have a letter or a sign in the second place and are checked as if their first digit were the seventh.
func ireland(n string) bool {
	var s int
	switch {
	case n[1] < '0' || '9' < n[1]:
		s = sum(n[2:7], "76543") + 2*at(n, 0)
	case len(n) == 9:
		s = sum(n, "8765432") + 9*letter(n[8])
	default:
		s = sum(n, "8765432")
	}
	return s%23 == letter(n[7])
}

// letter is the index of c in W, A, B, …, V.
func letter(c byte) int {
	return int(c-'A'+1) % 23
}

// italy: seven digits, the province whose office issued the number, a check digit.
func italy(n string) bool {
	switch office := mod(n[7:10], 1000); {
	case office == 0, office > 100 && office != 120 && office != 121 && office != 888 && office != 999:
		return false
	}
	return luhn(n[:10]) == at(n, 10)
}

func lithuania(n string) bool {
	last := len(n) - 1
	c := sum(n[:last], "12345678912") % 11
	if c == 10 {
		c = sum(n[:last], "34567891234") % 11 % 10
	}
	return c == at(n, last)
}

// latvia: a number from 4 on is a legal entity, otherwise a person's code. By the law on the register of natural persons
// (Fizisko personu reģistra likums) a code since July 2017 is a 3, a digit from 2 to 9 and nine random digits, so it cannot
// be checked. Older ones start with the date of birth, and the seventh digit is the century.
func latvia(n string) bool {
	switch {
	case n[0] > '3':
		return sum(n, "91483A25761")%11 == 3
	case n[:2] >= "32":
		return true
	}
	year := 1800 + 100*at(n, 6) + mod(n[4:6], 100)
	return n[6] <= '2' && isDate(year, mod(n[2:4], 100), mod(n[:2], 100)) && (1+sum(n, "A584216379"))%11%10 == at(n, 10)
}

// netherlands: legal entities have the number of the tax office (RSIN). Since 2020 sole traders have one of their own, whose
// check digits are the last two (Belastingdienst; ISO 7064 MOD 97-10 over the number with NL).
func netherlands(n string) bool {
	return n[10:] != "00" && (sum(n, "98765432")%11 == at(n, 8) || mod("NL"+n, 97) == 1)
}

// romania: numbers vary in length; the weights belong to the last digits.
func romania(n string) bool {
	return 10*sum(n, "753217532"[10-len(n):])%11%10 == at(n, len(n)-1)
}

func slovenia(n string) bool {
	c := 11 - sum(n, "8765432")%11
	return c != 11 && c%10 == at(n, 7)
}

// unitedKingdom: government departments and health authorities have three digits, traders nine and a branch three more. The
// sum is 0 modulo 97 or, in the newer series that HM Revenue & Customs calls 9755, 55 less, which is 42. Each series has its
// own range of the first seven digits.
func unitedKingdom(n string) bool {
	switch n[0] {
	case 'G':
		return n[2] < '5'
	case 'H':
		return n[2] >= '5'
	}
	if n[9:] == "000" {
		return false
	}
	switch first := n[:7]; sum(n, "8765432A1") % 97 {
	case 0:
		return first < "0100000" || "0999999" < first && first < "9490001" || "9700000" < first && first < "9990001"
	case 42:
		return first > "1000000"
	}
	return false
}

// australia: the ABN's first digit is one more than in the sum; the first two digits are 11 to 99 (Australian Business
// Register, "Format of the ABN").
func australia(n string) bool {
	return n[:2] > "10" && (sum(n, "A13579BDFHJ")-10)%89 == 0
}

// india: the GSTIN is a state, the holder's PAN, a count, Z and the check character of Luhn's algorithm in base 36.
func india(n string) bool {
	s := 0
	for i := range 14 {
		product := value(n[i]) * (1 + i%2)
		s += product/36 + product%36
	}
	return n[:2] != "00" && n[12] != '0' && (s+value(n[14]))%36 == 0
}

// korea: three digits of the tax office, two of the kind of business, a serial number, a check digit.
func korea(n string) bool {
	return n[:3] > "100" && n[3:5] != "00" && n[5:9] != "0000" && (sum(n, "1371371351")+at(n, 8)/2)%10 == 0
}

// newZealand: the IRD number has second weights for a check digit of 10 (Inland Revenue, "IRD number validation").
func newZealand(n string) bool {
	s := sum(n[:8], "32765432") % 11
	if s == 1 {
		s = sum(n[:8], "74325276") % 11
	}
	return (s+at(n, 8))%11 == 0
}

// singapore: the UEN is a business's with eight digits, a company's with nine, or another entity's. The older GST numbers that
// begin with M have no published check digit and are not supported.
func singapore(n string) bool {
	switch {
	case len(n) == 9:
		return "XMKECAWLJDB"[sum(n[:8], "A4938271")%11] == n[8]
	case n[0] <= '9':
		return "ZKCMDNERGWH"[sum(n[:9], "A86497531")%11] == n[9]
	}
	const alphabet, weights = "ABCDEFGHJKLMNPQRSTUVWX0123456789", "4353A2257"
	s := 6
	for i := range weights {
		digit := strings.IndexByte(alphabet, n[i])
		if digit < 0 {
			return false
		}
		s += digit * value(weights[i])
	}
	return 'R' <= n[0] && n[0] <= 'T' && alphabet[s%11] == n[9]
}

// at is the digit of n at i.
func at(n string, i int) int {
	return int(n[i] - '0')
}

// value is a digit in base 36.
func value(c byte) int {
	if c <= '9' {
		return int(c - '0')
	}
	return int(c-'A') + 10
}

// sum is the sum of n's digits, each times its weight, up to the shorter of both. A weight is a digit in base 36.
func sum(n, weights string) int {
	s := 0
	for i := range min(len(n), len(weights)) {
		s += at(n, i) * value(weights[i])
	}
	return s
}

// mod is the number n modulo m, for m up to a thousand. A letter counts as the two digits from 10 for A to 35 for Z.
func mod(n string, m int) int {
	r := 0
	for i := range len(n) {
		if c := value(n[i]); c < 10 {
			r = (r*10 + c) % m
		} else {
			r = (r*100 + c) % m
		}
	}
	return r
}

// luhn is the check digit of ISO/IEC 7812-1, annex B, for n.
func luhn(n string) int {
	s := 0
	for i := range len(n) {
		d := at(n, len(n)-1-i)
		if i%2 == 0 {
			d *= 2
		}
		s += d/10 + d%10
	}
	return (10 - s%10) % 10
}

// mod11and10 reports whether the last digit of n is the check digit of ISO 7064 MOD 11,10.
func mod11and10(n string) bool {
	p := 10
	for i := range len(n) - 1 {
		s := (p + at(n, i)) % 10
		if s == 0 {
			s = 10
		}
		p = s * 2 % 11
	}
	return (p+at(n, len(n)-1))%10 == 1
}

// isDate reports whether the date exists in the Gregorian calendar.
func isDate(year, month, day int) bool {
	if month < 1 || month > 12 || day < 1 {
		return false
	}
	days := 30 + (month+month/8)%2
	if month == 2 {
		days = 28
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			days = 29
		}
	}
	return day <= days
}
