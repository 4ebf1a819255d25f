package vatid

import (
	"slices"
	"strings"
	"time"
)

// validator is one of the npm packages in testdata/npm, in the order of judge.mjs.
type validator int

const (
	stdnum validator = iota // 1.12.0
	jsvat                   // jsvat-next 3.0.4
)

func (v validator) String() string {
	return [...]string{"stdnum", "jsvat-next"}[v]
}

// knownError is a known difference: a validator accepts numbers that Parse refuses, or the other way round.
type knownError struct {
	pkg      validator
	prefixes string
	accepts  bool
	when     func(n string) bool // of the national number
	example  number
	why      string
}

// explains reports whether the error is the reason why a validator accepts or refuses n.
func explains(pkg validator, n number, accepts bool) func(knownError) bool {
	return func(e knownError) bool {
		return e.pkg == pkg && slices.Contains(strings.Fields(e.prefixes), n.prefix) && e.accepts == accepts && e.when(n.national)
	}
}

const (
	accepts = true
	refuses = false
)

var knownErrors = []knownError{
	{stdnum, "BE", accepts, begins("23456789"), number{"BE", "2428759442"}, "numbers begin with 0 or 1"},
	{stdnum, "BG", refuses, begins("45678"), number{"BG", "831650349"}, "numbers begin with any digit"},
	{stdnum, "BG", accepts, long(10), number{"BG", "0000100150"}, "the third rule of ten digits is the wrong way round"},
	{stdnum, "BG", refuses, long(10), number{"BG", "0000100153"}, "the same"},
	{stdnum, "CY", accepts, starts("12"), number{"CY", "12259033R"}, "numbers do not begin with 12"},
	{stdnum, "CZ", refuses, isLater2000s, number{"CZ", "5301010000"}, "whether a date has come is not ours to know"},
	{stdnum, "CZ", refuses, isSpecialCzech, number{"CZ", "682127228"}, "the first digit is not weighed in these"},
	{stdnum, "CZ", accepts, isSpecialCzech, number{"CZ", "600000013"}, "the same"},
	{stdnum, "CZ", accepts, isOddCzechMonth, number{"CZ", "394501439"}, "months are 1-12, 51-62 and, since 2004, 21-32 and 71-82"},
	{stdnum, "CZ", accepts, isCzech1880s, number{"CZ", "991231123"}, "nine digits are of 1900 to 1953"},
	{stdnum, "CZ", refuses, isCzech1985, number{"CZ", "8501010090"}, "the 0 for a 10 was given in 1985, too"},
	{stdnum, "DE SI", accepts, begins("0"), number{"DE", "012345679"}, "numbers begin with 1 to 9"},
	{stdnum, "EE", accepts, not(starts("10")), number{"EE", "200594109"}, "numbers begin with 10"},
	{stdnum, "ES", accepts, isEntityWith("NPQRSW", digits), number{"ES", "Q08180010"}, "these end in a letter"},
	{stdnum, "ES", accepts, isEntityWith("JUV", letters), number{"ES", "J9921658B"}, "these end in a digit"},
	{stdnum, "FI", accepts, isPlaceholder, number{"FI", "00000000"}, "nobody has zero"},
	{stdnum, "GB XI", accepts, long(5), number{"GB", "ZZ100"}, "any two characters pass for GD and HA"},
	{stdnum, "GB XI", accepts, isBritish(55), number{"GB", "980780642"}, "55 less than 0 is 42 modulo 97, not 55"},
	{stdnum, "GB XI", accepts, isBritish(0), number{"GB", "099123447"}, "numbers that were set aside, or branch 000"},
	{stdnum, "GB XI", accepts, isBritish(42), number{"GB", "242338032000"}, "the same"},
	{stdnum, "IN", refuses, not(isListedIndian), number{"IN", "72AAPFU0939F1Z0"}, "its lists of states and kinds of holders end"},
	{stdnum, "LV", refuses, isNewLatvian, number{"LV", "32867300679"}, "codes since 2017 have no date"},
	{stdnum, "LV", refuses, isLater2000sLatvian, number{"LV", "01019920005"}, "whether a date has come is not ours to know"},
	{stdnum, "MT", accepts, isMalteseOther, number{"MT", "11679149"}, "the check number is 1 to 37"},
	{stdnum, "NL", accepts, tail("00"), number{"NL", "004495445B00"}, "suffixes begin with 01"},
	{stdnum, "SG", refuses, begins("RST"), number{"SG", "R00AW6392C"}, "its list of kinds of entities ends; a year may not have come"},
	{stdnum, "SI", accepts, tail("1"), number{"SI", "13103831"}, "there is no check digit for the remainder 0"},
	{stdnum, "SK", refuses, not(begins("234789")), number{"SK", "1037283533"}, "the third digit is meant, not the first"},
	{stdnum, "SK", accepts, not(third("234789")), number{"SK", "3269821401"}, "the same"},

	{jsvat, "AU", accepts, starts("10"), number{"AU", "10875824963"}, "the first two digits are 11 to 99"},
	{jsvat, "BG", accepts, long(10), number{"BG", "4402348907"}, "the day is not checked"},
	{jsvat, "CZ", refuses, isCzech10, number{"CZ", "8501010090"}, "the 0 for a 10"},
	{jsvat, "CZ", accepts, below("6", 9), number{"CZ", "101730534"}, "of nine digits hardly anything is checked"},
	{jsvat, "CZ", accepts, long(10), number{"CZ", "7515061268"}, "the date is hardly checked"},
	{jsvat, "CZ", accepts, begins("9"), number{"CZ", "95123890"}, "eight digits do not begin with 9"},
	{jsvat, "CZ", accepts, longer(10), number{"CZ", "25123891000"}, "three digits more are taken as well"},
	{jsvat, "ES", accepts, begins("O"), number{"ES", "O0011012B"}, "there is no O"},
	{jsvat, "FI", accepts, isPlaceholder, number{"FI", "00000000"}, "nobody has zero"},
	{jsvat, "FI PL NL", accepts, isTenAsZero, number{"PL", "3373756070"}, "a remainder of 10 is no 0"},
	{jsvat, "FR", accepts, not(isFrench), number{"FR", "K7399859413"}, "of letters nothing is checked, of the SIREN neither"},
	{jsvat, "GB", accepts, tail("000"), number{"GB", "242338087000"}, "branches begin with 001"},
	{jsvat, "GB XI", refuses, isBritishOver96, number{"GB", "975980497"}, "check numbers are congruent modulo 97"},
	{jsvat, "IE", refuses, isIrishOther, number{"IE", "3777773DP"}, "second letters are A to W; old numbers begin with any digit"},
	{jsvat, "IT", accepts, isItalianOffice, number{"IT", "02767721703"}, "there are no offices from 101 to 201 but 120 and 121"},
	{jsvat, "LV", refuses, isNewLatvian, number{"LV", "39867300671"}, "codes since 2017 have no date"},
	{jsvat, "LV", accepts, begins("0123"), number{"LV", "12178306830"}, "of persons hardly anything is checked"},
	{jsvat, "LV", accepts, tail("0"), number{"LV", "40003009040"}, "there is no check digit for the remainder 4"},
	{jsvat, "PT", accepts, begins("0"), number{"PT", "012444030"}, "numbers begin with 1 to 9"},
	{jsvat, "SK", accepts, third("6"), number{"SK", "3269821401"}, "the third digit is never 6"},
	{jsvat, "XI", refuses, not(long(9)), number{"XI", "242338087388"}, "branches and departments are there, too"},
}

func not(f func(string) bool) func(string) bool {
	return func(n string) bool { return !f(n) }
}

func long(length int) func(string) bool {
	return func(n string) bool { return len(n) == length }
}

func longer(length int) func(string) bool {
	return func(n string) bool { return len(n) > length }
}

// begins reports whether the first character is one of some.
func begins(some string) func(string) bool {
	return func(n string) bool { return strings.ContainsAny(n[:1], some) }
}

func third(some string) func(string) bool {
	return func(n string) bool { return strings.ContainsAny(n[2:3], some) }
}

func starts(prefix string) func(string) bool {
	return func(n string) bool { return strings.HasPrefix(n, prefix) }
}

func tail(suffix string) func(string) bool {
	return func(n string) bool { return strings.HasSuffix(n, suffix) }
}

func below(first string, length int) func(string) bool {
	return func(n string) bool { return n < first && len(n) == length }
}

const (
	digits  = "0123456789"
	letters = "ABCDEFGHIJ"
)

func isEntityWith(first, last string) func(string) bool {
	return func(n string) bool { return strings.ContainsAny(n[:1], first) && strings.ContainsAny(n[8:], last) }
}

func isLater2000s(n string) bool {
	return len(n) == 10 && n[:2] < "54" && 2000+mod(n[:2], 100) >= time.Now().Year()
}

func isSpecialCzech(n string) bool {
	return len(n) == 9 && n[0] == '6'
}

func isOddCzechMonth(n string) bool {
	switch month := mod(n[2:4], 100); {
	case len(n) < 9:
		return false
	case 20 < month && month < 33, 70 < month && month < 83:
		return len(n) == 9 || n[:2] < "04" || n[:2] > "53"
	default:
		return 40 < month && month < 50 || month > 90
	}
}

func isCzech1880s(n string) bool {
	return len(n) == 9 && n[:2] > "80"
}

// isCzech10 reports whether n is a birth number whose check digit would be 10.
func isCzech10(n string) bool {
	return len(n) == 10 && mod(n[:9], 11) == 10
}

func isCzech1985(n string) bool {
	return isCzech10(n) && n[:2] == "85"
}

// isBritish reports whether n is a trader's number with that remainder.
func isBritish(remainder int) func(string) bool {
	return func(n string) bool { return len(n) >= 9 && sum(n, "8765432A1")%97 == remainder }
}

func isBritishOver96(n string) bool {
	return len(n) >= 9 && n[7:9] > "96"
}

func isNewLatvian(n string) bool {
	return "32" <= n[:2] && n[:2] < "40"
}

func isLater2000sLatvian(n string) bool {
	return n[6] == '2' && 2000+mod(n[4:6], 100) >= time.Now().Year()
}

func isTenAsZero(n string) bool {
	return n[len(n)-1] == '0' || n[8] == '0'
}

// isFrench reports whether both parts of a French number are valid.
func isFrench(n string) bool {
	return fits("kkddddddddd", n) && france(n)
}

func isIrishOther(n string) bool {
	return len(n) == 9 && n[8] != 'A' && n[8] != 'H' || n[0] < '7' && (n[1] < '0' || '9' < n[1])
}

func isMalteseOther(n string) bool {
	return n[6:] > "37" || n[6:] == "00"
}

func isItalianOffice(n string) bool {
	return "100" < n[7:10] && n[7:10] < "202"
}

// isListedIndian reports whether the state, the kind of the holder and the PAN's number are ones that stdnum knows.
func isListedIndian(n string) bool {
	return n[:2] < "38" && strings.IndexByte("ABCFGHLJPTK", n[5]) >= 0 && n[7:11] != "0000"
}
