package money

// Rate is a share of an amount in units of 1e-5: 9.975 % is 9975. A valid one comes from ParseRate and is between 0 and 100
// %.
type Rate int32

const (
	wholeRate Rate = 100_000 // 100 %

	percentScale = 3 // places of a percentage; 1e-5 is a thousandth of a per cent
)

// ParseRate reads a percentage, "9.975", with at most three decimals, from 0 to 100, without a sign or "%".
func ParseRate(percent string) (Rate, bool) {
	n, ok := parseDecimal(percent, percentScale)
	if !ok || n > int64(wholeRate) {
		return 0, false
	}
	return Rate(n), true
}

// Percent returns the rate as a percentage without trailing zeros: "9.975", "5.5", "20".
func (r Rate) Percent() string {
	places := percentScale
	for ; places > 0 && r%10 == 0; places-- {
		r /= 10
	}
	return formatDecimal(int64(r), places)
}

// Of returns the rate's share of an amount: the tax on a net price. The exact product is rounded half up, away from zero, to
// a multiple of step, the smallest amount that can be charged, in minor units, from 1 to 1e9. It is exact for amounts up to
// 1e18.
func (r Rate) Of(minor, step int64) int64 {
	return share(minor, step, r, wholeRate)
}

// Within returns the rate's share that a gross amount contains, gross·r/(1+r): the tax in a price that includes it. It
// rounds as Of does and never exceeds gross.
func (r Rate) Within(gross, step int64) int64 {
	return share(gross, step, r, wholeRate+r)
}

// share returns minor·part/whole, rounded half away from zero to a multiple of step.
func share(minor, step int64, part, whole Rate) int64 {
	product, rest := MulDiv(magnitude(minor), uint64(part), uint64(whole))
	steps := product / uint64(step)
	rest += product % uint64(step) * uint64(whole)
	divisor := uint64(whole) * uint64(step)
	if rest >= divisor-rest {
		steps++
	}
	if minor < 0 {
		return -int64(steps) * step
	}
	return int64(steps) * step
}

// MulDiv returns n·part/whole and the remainder. It is exact if the result and whole·part are below 1<<63: it splits n into
// multiples of whole and a remainder.
func MulDiv(n, part, whole uint64) (quotient, remainder uint64) {
	rest := n % whole * part
	return n/whole*part + rest/whole, rest % whole
}
