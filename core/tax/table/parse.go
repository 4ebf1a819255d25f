package table

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/crepe-checkout/crepe/core/civil"
	"github.com/crepe-checkout/crepe/core/country"
	"github.com/crepe-checkout/crepe/core/money"
)

// Error is one mistake in a table.
type Error struct {
	Line    int    // from 1, which is the header
	Column  string // empty if the whole line is wrong
	Message string
}

// Error returns the line, the column and the message on one line.
func (e Error) Error() string {
	at := "line " + strconv.Itoa(e.Line)
	if e.Column != "" {
		at += ", " + e.Column
	}
	return at + ": " + e.Message
}

// Parse reads an operator's own rows: lines of tab-separated cells, of which the first line names the columns. They can be in
// any order:
//
//	id            unique in the file, visible ASCII; an assessment names the row "override:" and this
//	jurisdiction  "DE", "US-TX"; of a supply row "EU" or a country outside it
//	tax           vat, gst, hst, jct, pst, qst, rst, sales or local; supply for a row that says where a supply is taxed and
//	              who owes the tax
//	postcode      prefix of the buyer's postcode; empty for all
//	categories    "*", "saas,ebook", or "*-saas,ebook" for all but these
//	buyer         any, consumer or business; registered for a business with a checked tax number in another country than
//	              the seller's, unregistered for everybody else
//	treatment     standard, reduced, zero-rated, exempt, out-of-scope or unsupported; of a supply row customer, seller or
//	              reverse-charge
//	rate, base    percentages: the rate, at most 65.535, and how much of the price is taxable
//	from, to      the first day, and the first day on which the row no longer holds; "-" is open
//	confidence    A, B, C or X; an assessment reports the last in the alphabet of all rows that decided
//	source, source_date, note
//	              not read
//
// id, jurisdiction, tax and rate are required. The others default to "*", any, standard, 100, "-" and C. Two rows with the
// same jurisdiction, tax and postcode must not answer the same query, and each row must answer the query of some sale.
//
// If there are mistakes, Parse returns the zero Table and all of them, ordered by line.
func Parse(tsv string) (Table, []Error) {
	var p parser
	var rows []ownRow
	p.read(tsv, func() { rows = append(rows, p.ownRow()) })
	var t Table
	if p.wrong == nil {
		slices.SortFunc(rows, ownRow.compare)
		p.checkOverlaps(rows)
		p.checkIDs(rows)
		t = newTable(rows)
		p.checkReach(&t, rows)
	}
	if p.wrong != nil {
		slices.SortStableFunc(p.wrong, func(a, b Error) int { return cmp.Compare(a.Line, b.Line) })
		return Table{}, p.wrong
	}
	return t, nil
}

// Pack reads rows of the built-in table, as Parse does, and packs them in their order, each with its ordinal. It is for
// gen.go.
func Pack(tsv string) (rules string, wrong []Error) {
	var p parser
	var packed []byte
	p.read(tsv, func() {
		row := p.row()
		row[6] = p.ordinal()
		packed = append(packed, row...)
	})
	return string(packed), p.wrong
}

// ownRow is a row of a Table before its id is packed.
type ownRow struct {
	Row
	id   string
	line int
}

func (a ownRow) compare(b ownRow) int {
	return cmp.Or(
		strings.Compare(string(a.Row[:5]), string(b.Row[:5])),
		strings.Compare(a.postcode(), b.postcode()),
		cmp.Compare(a.tax(), b.tax()),
		strings.Compare(string(a.Row), string(b.Row)),
		strings.Compare(a.id, b.id),
	)
}

// newTable packs sorted rows and computes their version.
func newTable(rows []ownRow) (t Table) {
	if len(rows) == 0 {
		return t
	}
	var packed, ids []byte
	next := make([]int, len(rows))
	for i, r := range rows {
		n := i
		for n > 0 && !(rows[n-1].Row[:5] == r.Row[:5] && strings.HasPrefix(r.postcode(), rows[n-1].postcode())) {
			n = next[n-1]
		}
		next[i] = n
		packed = append(packed, r.Row...)
		packed = appendUint32(appendUint32(packed, len(ids)), n)
		ids = append(ids, idPrefix+r.id+"\n"...)
	}
	t.rows, t.ids = string(packed), string(ids)
	t.version = DataVersion + "+" + hash(t.rows, t.ids)
	return t
}

func appendUint32(b []byte, n int) []byte {
	return append(b, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// hash is FNV-1a of 32 bits.
func hash(texts ...string) string {
	h := uint32(2_166_136_261)
	for _, text := range texts {
		for i := range len(text) {
			h = (h ^ uint32(text[i])) * 16_777_619
		}
	}
	return strconv.FormatUint(1<<32|uint64(h), 16)[1:]
}

// checkOverlaps compares the sorted rows that have the same jurisdiction, tax and postcode.
func (p *parser) checkOverlaps(rows []ownRow) {
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].Row[:5] == rows[0].Row[:5] && rows[n].tax() == rows[0].tax() && rows[n].postcode() == rows[0].postcode() {
			n++
		}
		p.checkDays(slices.Clone(rows[:n]))
		rows = rows[n:]
	}
}

// checkDays compares rows by their days. A row overlaps an earlier one if it overlaps the one that ends last.
func (p *parser) checkDays(rows []ownRow) {
	slices.SortStableFunc(rows, func(a, b ownRow) int { return cmp.Compare(a.from(), b.from()) })
	const kinds = 3
	var last [8 * kinds]*ownRow // by category and kind of buyer
	for i := range rows {
		var other *ownRow
		r := &rows[i]
		for of, before := range last {
			if r.Row[7]>>(of/kinds)&1 == 0 || r.buyers()>>(of%kinds)&1 == 0 {
				continue
			}
			if before != nil && before.to() > r.from() {
				other = before
			}
			if before == nil || before.to() < r.to() {
				last[of] = r
			}
		}
		if other != nil {
			p.line = max(r.line, other.line)
			p.fail("", "the row overlaps line "+strconv.Itoa(min(r.line, other.line)))
		}
	}
}

func (p *parser) checkIDs(rows []ownRow) {
	byID := slices.Clone(rows)
	slices.SortFunc(byID, func(a, b ownRow) int {
		return cmp.Or(strings.Compare(a.id, b.id), cmp.Compare(a.line, b.line))
	})
	for i := 1; i < len(byID); i++ {
		if byID[i].id == byID[i-1].id {
			p.line = byID[i].line
			p.fail("id", byID[i].id+" is also the id of line "+strconv.Itoa(byID[i-1].line))
		}
	}
}

// parser reads a table row by row and collects its mistakes. An invalid cell has the zero value, so that the rest of the row
// is still checked.
type parser struct {
	names []string // of the columns
	cells []string // of the row
	line  int
	wrong []Error
}

func (p *parser) fail(column, message string) {
	p.wrong = append(p.wrong, Error{p.line, column, message})
}

// read calls row for every line after the header that is not blank.
func (p *parser) read(tsv string, row func()) {
	const byteOrderMark = "\ufeff" // spreadsheets write one
	for text := range strings.SplitSeq(strings.TrimPrefix(tsv, byteOrderMark), "\n") {
		p.line++
		p.cells = strings.Split(strings.TrimSuffix(text, "\r"), "\t")
		switch {
		case p.line == 1:
			if !p.header() {
				return
			}
		case strings.TrimSpace(text) == "":
		case len(p.cells) != len(p.names):
			p.fail("", strconv.Itoa(len(p.cells))+" cells, but "+strconv.Itoa(len(p.names))+" columns")
		default:
			row()
		}
	}
}

const columns = "id jurisdiction tax categories buyer treatment rate base from to source source_date confidence note postcode"

// header reads the names of the columns.
func (p *parser) header() bool {
	known := strings.Fields(columns)
	for _, name := range p.cells {
		switch {
		case !slices.Contains(known, name):
			p.fail(name, "unknown column")
		case slices.Contains(p.names, name):
			p.fail(name, "duplicate column")
		default:
			p.names = append(p.names, name)
		}
	}
	for _, name := range [...]string{"id", "jurisdiction", "tax", "rate"} {
		if !slices.Contains(p.names, name) {
			p.fail(name, "missing column")
		}
	}
	return p.wrong == nil
}

// cell returns the row's cell in a column, or its default.
func (p *parser) cell(column string) string {
	if i := slices.Index(p.names, column); i >= 0 {
		if cell := strings.TrimSpace(p.cells[i]); cell != "" {
			return cell
		}
	}
	switch column {
	case "categories":
		return "*"
	case "buyer":
		return "any"
	case "treatment":
		return "standard"
	case "base":
		return "100"
	case "from", "to":
		return "-"
	case "confidence":
		return "C"
	}
	return ""
}

// row packs the row in the format of [Row], without its ordinal.
func (p *parser) row() []byte {
	jurisdiction, tax, treatment := p.jurisdiction(), p.tax(), p.treatment()
	rate, base := p.rate(treatment)
	from, to := p.day("from", 0), p.day("to", never)
	if from >= to {
		p.fail("to", "the row ends before it begins")
	}
	b := append(make([]byte, 0, ownWidth), jurisdiction...)
	return append(b, tax|p.confidence()<<6, 0, p.categories(), byte(p.buyers())|byte(treatment)<<3, base,
		byte(rate>>8), byte(rate), byte(from>>8), byte(from), byte(to>>8), byte(to))
}

// jurisdiction pads its name to five bytes.
func (p *parser) jurisdiction() string {
	const spaces = "     "
	cell := p.cell("jurisdiction")
	if len(cell) != 2 && (len(cell) != 5 || cell[2] != '-') || strings.Trim(cell, alphanumeric+"-") != "" {
		p.fail("jurisdiction", quote(cell)+" is neither like DE nor like US-TX")
		return spaces
	}
	return cell + spaces[len(cell):]
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

func (p *parser) tax() byte {
	i := taxOf(p.cell("tax"))
	if i < 0 {
		p.fail("tax", quote(p.cell("tax"))+" is not a tax")
	}
	return byte(max(i, 0))
}

// treatment must match the tax: a supply row says where a supply is taxed, any other row how. It is negative if it does not
// match.
func (p *parser) treatment() int {
	cell := p.cell("treatment")
	i := slices.Index(treatmentNames[:], cell)
	placing := i == int(ReverseCharge) || i >= int(AtCustomer)
	if i < 0 || i == int(NotCollecting) || placing != (p.cell("tax") == taxes[Supply].code) {
		p.fail("treatment", quote(cell)+" is not a treatment of "+quote(p.cell("tax")))
		return -1
	}
	return i
}

// rate must be positive for a taxed treatment and zero for any other. Applied to the base it must be a whole number of 1e-5,
// so that an amount is rounded once.
func (p *parser) rate(treatment int) (rate uint16, base uint8) {
	percent, ok := money.ParseRate(p.cell("rate"))
	taxed := treatment == int(Standard) || treatment == int(Reduced)
	switch {
	case !ok || percent > maxRate:
		p.fail("rate", quote(p.cell("rate"))+" is not a percentage with at most three decimals, or is above 65.535")
	case treatment >= 0 && taxed != (percent > 0):
		p.fail("rate", p.cell("rate")+" % cannot be "+treatmentNames[treatment])
	}
	share, err := strconv.ParseUint(p.cell("base"), 10, 8)
	if err != nil || share < 1 || share > 100 || len(p.cell("base")) > 3 {
		p.fail("base", quote(p.cell("base"))+" is not a whole percentage from 1 to 100")
	} else if uint64(percent)*share%100 != 0 {
		p.fail("base", "the rate on this share of the price is not a whole number of thousandths of a per cent")
	}
	return uint16(percent), uint8(share)
}

const maxRate money.Rate = 0xffff

// categories reads "*", "saas,ebook", and "*-saas,ebook" for all but these.
func (p *parser) categories() (mask byte) {
	const all = 1<<len(categoryNames) - 1
	list, except := strings.CutPrefix(p.cell("categories"), "*-")
	if list == "*" && !except {
		return all
	}
	for name := range strings.SplitSeq(list, ",") {
		c, ok := ParseCategory(name)
		if !ok || mask>>(c-1)&1 == 1 {
			p.fail("categories", quote(name)+" is not a category, or is a duplicate")
			continue
		}
		mask |= 1 << (c - 1)
	}
	if except {
		mask ^= all
	}
	if mask == 0 {
		p.fail("categories", "no category is left")
	}
	return mask
}

func (p *parser) buyers() Buyers {
	switch p.cell("buyer") {
	case "any":
		return Consumer | Business | Registered
	case "consumer":
		return Consumer
	case "business":
		return Business | Registered
	case "unregistered":
		return Consumer | Business
	case "registered":
		return Registered
	}
	p.fail("buyer", quote(p.cell("buyer"))+" is not a kind of buyer")
	return 0
}

// day counts from 2000-01-01; "-" is open.
func (p *parser) day(column string, open uint16) uint16 {
	cell := p.cell(column)
	if cell == "-" {
		return open
	}
	d, ok := civil.ParseDate(cell)
	if !ok || d <= dayZero || d >= dayZero+never {
		p.fail(column, quote(cell)+" is not a date between 2000-01-02 and 2179-06-05")
		return open
	}
	return uint16(d - dayZero)
}

func (p *parser) confidence() byte {
	cell := p.cell("confidence")
	i := strings.Index(confidences, cell)
	if len(cell) != 1 || i < 0 {
		p.fail("confidence", quote(cell)+" is not A, B, C or X")
	}
	return byte(max(i, 0))
}

// ordinal is the number in a built-in row's id. The rest of the id is the jurisdiction and the tax.
func (p *parser) ordinal() byte {
	prefix := strings.ToLower(p.cell("jurisdiction")) + "-" + p.cell("tax") + "-"
	id := p.cell("id")
	n, err := strconv.ParseUint(strings.TrimPrefix(id, prefix), 10, 8)
	if err != nil || n == 0 || id != prefix+strconv.FormatUint(n, 10) {
		p.fail("id", quote(id)+" is not "+prefix+"1 to "+prefix+"255")
	}
	return byte(n)
}

// ownRow reads the row of an operator's table.
func (p *parser) ownRow() ownRow {
	row := Row(p.row())
	whole, part, _ := strings.Cut(row.Jurisdiction(), "-")
	if whole != "" && taxOf(p.cell("tax")) >= 0 && !(Territory{whole, part}).canHave(row.tax()) {
		p.fail("jurisdiction", row.Jurisdiction()+" cannot have a row of "+taxes[row.tax()].code)
	}
	return ownRow{row + Row(p.postcode()), p.id(), p.line}
}

// canHave reports whether an assessment can query a territory about a tax. Supply rows belong to areas, all others to
// territories. A country with states has only their taxes, and Monaco only those of France.
func (t Territory) canHave(tax int) bool {
	code, iso := country.Parse(t.Country)
	exists := t.known() || iso && TerritoryOf(code, "", "") == t
	if tax == Supply {
		return exists && t.Area() == t
	}
	if iso && code.NeedsState() {
		_, exists = code.ParseSubdivision(t.Part)
	}
	return exists && t.Country != "EU"
}

// known reports whether the built-in table has rows for the territory.
func (t Territory) known() bool {
	i := firstRow(t)
	return i < len(rows) && t.compare(Row(rows[i:])) == 0
}

// postcode pads the prefix to its width.
func (p *parser) postcode() string {
	const spaces = "          "
	cell := strings.ReplaceAll(strings.ReplaceAll(p.cell("postcode"), " ", ""), "-", "")
	if len(cell) > postcodeWidth || strings.Trim(cell, alphanumeric) != "" {
		p.fail("postcode", quote(p.cell("postcode"))+" is not up to ten capitals and digits")
		return spaces
	}
	return cell + spaces[len(cell):]
}

// id requires visible ASCII, because ids are stored and shown.
func (p *parser) id() string {
	id := p.cell("id")
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			id = ""
			break
		}
	}
	if id == "" || len(id) > maxID {
		p.fail("id", "an id is 1 to 64 visible characters of ASCII")
	}
	return id
}

const maxID = 64

func quote(s string) string { return `"` + s + `"` }
