package dashboard

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/crepe-checkout/crepe/core/money"
	"github.com/crepe-checkout/crepe/edge/orders"
)

// The periods of the overview, in days.
var periods = []int{7, 30, 90}

// maxCurrencies is how many currencies the overview draws. The table has all of them.
const maxCurrencies = 6

// chart is a bar chart. Its bars fill a view of 1000 by 100 units.
type chart struct {
	Label    string // what it shows, for those who do not see it
	Bars     []bar
	Max      string // the value of the highest bar
	From, To string // the first and the last day
}

// bar is the bar of one day.
type bar struct {
	X, Width, Y, Height string
	Title               string
	Empty               bool
}

// daySum is what was sold on one day in one currency.
type daySum struct{ orders, total int64 }

// sales are the sales of a period by currency and day.
type sales struct {
	days       []string // "2026-01-31", the oldest first
	byCurrency map[string]map[string]daySum
}

// periodOf returns the days up to now, in UTC.
func periodOf(now time.Time, days int) (list []string) {
	for i := days - 1; i >= 0; i-- {
		list = append(list, now.UTC().AddDate(0, 0, -i).Format(time.DateOnly))
	}
	return list
}

func (s *sales) add(sold []orders.DaySales) {
	for _, d := range sold {
		days := s.byCurrency[d.Currency]
		if days == nil {
			days = make(map[string]daySum)
			s.byCurrency[d.Currency] = days
		}
		days[d.Day] = daySum{days[d.Day].orders + d.Orders, days[d.Day].total + d.Total}
	}
}

// currencies are those that something was sold in, the one with the most orders first.
func (s *sales) currencies() []string {
	var list []string
	for currency := range s.byCurrency {
		list = append(list, currency)
	}
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(s.sum(b).orders, s.sum(a).orders), cmp.Compare(a, b))
	})
	return list
}

// sum is what was sold in a currency.
func (s *sales) sum(currency string) (sum daySum) {
	for _, d := range s.byCurrency[currency] {
		sum.orders += d.orders
		sum.total += d.total
	}
	return sum
}

// chart draws a value of each day. text formats a value.
func (s *sales) chart(label, currency string, value func(daySum) int64, text func(int64) string) chart {
	c := chart{From: day(s.days[0]), To: day(s.days[len(s.days)-1])}
	highest, sum := int64(0), int64(0)
	for _, d := range s.days {
		v := value(s.byCurrency[currency][d])
		highest, sum = max(highest, v), sum+v
	}
	width := 1000 / float64(len(s.days))
	for i, d := range s.days {
		v := value(s.byCurrency[currency][d])
		height := 1.5
		if v > 0 {
			height = max(4, 100*float64(v)/float64(highest))
		}
		c.Bars = append(c.Bars, bar{X: units(float64(i)*width + width*.12), Width: units(width * .76), Y: units(100 - height), Height: units(height),
			Title: day(d) + ": " + text(v), Empty: v == 0})
	}
	c.Max = text(highest)
	c.Label = label + " by day from " + c.From + " to " + c.To + ": " + text(sum) + " in all, at most " + c.Max + " on a day"
	return c
}

func units(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) }

// day formats "2026-01-31" for a person.
func day(text string) string {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return text
	}
	return t.Format("2 Jan 2006")
}

// count formats a number of orders.
func count(n int64) string {
	if n == 1 {
		return "1 order"
	}
	return grouped(strconv.FormatInt(n, 10)) + " orders"
}

// sumIn returns the format of sums in a currency.
func sumIn(currency string) func(int64) string {
	return func(n int64) string { return amount(money.Amount{Minor: n, Currency: money.Currency(currency)}) }
}
