package page

// entry is one line of what a buyer is to look over.
type entry struct {
	Field string // the field that holds it, where the script may write it anew
	Name  string
	Text  string
}

// review is the form as text: of a buyer whom the merchant knows, or who has come this way before (WCAG 2.2, 3.3.7).
func (f *form) review(t texts) []entry {
	code := f.code()
	list := []entry{{"email", t.Text("email"), f.Email}, {"", t.Text("country"), t.Country(code)}}
	add := func(key, text string) {
		if text != "" {
			list = append(list, entry{"", t.In(string(code), key), text})
		}
	}
	if state, ok := code.ParseSubdivision(f.State); ok && code.NeedsState() {
		add("state", t.State(code, state))
	}
	add("postcode", f.Postcode)
	if f.IsBusiness {
		add("business-name", f.BusinessName)
		add("tax-id", f.TaxID)
	}
	return list
}
