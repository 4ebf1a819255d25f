// Package civil has dates without a time of day or a zone: [Date], [DateOf] and [ParseDate].
package civil

// Date is a date of the proleptic Gregorian calendar, as days since 1970-01-01.
type Date int32

const dayMillis = 24 * 60 * 60 * 1000

// DateOf returns the UTC date of an instant in Unix milliseconds.
func DateOf(unixMilli int64) Date {
	day := unixMilli / dayMillis
	if unixMilli%dayMillis < 0 {
		day--
	}
	return Date(day)
}

// ParseDate reads a date in the form "2026-11-23". It accepts no other form and no day that the calendar lacks.
func ParseDate(s string) (Date, bool) {
	if len(s) != len("2026-11-23") || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	year, okYear := digits(s[:4])
	month, okMonth := digits(s[5:7])
	day, okDay := digits(s[8:])
	if !okYear || !okMonth || !okDay {
		return 0, false
	}
	d := civil(year, month, day)
	return d, d.String() == s
}

// String returns the form that ParseDate reads. The year must be between 0 and 9999.
func (d Date) String() string {
	year, month, day := d.split()
	b := [10]byte{4: '-', 7: '-'}
	put(b[:4], year)
	put(b[5:7], month)
	put(b[8:], day)
	return string(b[:])
}

// The calendar repeats every 400 years. If years start on 1 March, the leap day is the last day of its year, and a month
// starts at (153*month+2)/5 days, months counted from 0 for March.
const (
	daysPer400Years = 146_097
	daysPer100Years = 36_524
	daysPer4Years   = 1_461
	epochFromMarch0 = 719_468 // days from 0000-03-01 to 1970-01-01
)

func civil(year, month, day int) Date {
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDiv(year, 400)
	ofEra := year - era*400
	ofYear := (153*(month-3)+2)/5 + day - 1
	return Date(era*daysPer400Years + ofEra*365 + ofEra/4 - ofEra/100 + ofYear - epochFromMarch0)
}

func (d Date) split() (year, month, day int) {
	n := int(d) + epochFromMarch0
	era := floorDiv(n, daysPer400Years)
	n -= era * daysPer400Years
	ofEra := (n - n/(daysPer4Years-1) + n/daysPer100Years - n/(daysPer400Years-1)) / 365
	ofYear := n - (ofEra*365 + ofEra/4 - ofEra/100)
	month = (5*ofYear + 2) / 153
	day = ofYear - (153*month+2)/5 + 1
	year = era*400 + ofEra
	if month += 3; month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

func floorDiv(a, b int) int {
	if a < 0 {
		return (a - b + 1) / b
	}
	return a / b
}

func digits(s string) (n int, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

func put(b []byte, n int) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = '0' + byte(n%10)
		n /= 10
	}
}
