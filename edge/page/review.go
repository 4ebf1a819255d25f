package page

// reviewLine is a line of the form's review.
type reviewLine struct {
	Field string // set if the script may update the line
	Name  string
	Text  string
}

// confirm turns the page into a review of the form and its total, whose button confirms both.
func (p *formPage) confirm() {
	p.Title = p.Text("check-total")
	p.Heading, p.Lead = p.Title, ""
	p.Review = p.Form.review(p.texts)
}

// review returns the form as text, for a buyer whose details the session already has (WCAG 2.2, 3.3.7).
func (f *form) review(t texts) []reviewLine {
	code := f.code()
	list := []reviewLine{{"email", t.Text("email"), f.Email}, {"", t.Text("country"), t.Country(code)}}
	add := func(key, text string) {
		if text != "" {
			list = append(list, reviewLine{"", t.In(string(code), key), text})
		}
	}
	if state, ok := code.ParseSubdivision(f.State); ok && code.NeedsState() {
		add("state", t.State(code, state))
	}
	add("postcode", f.Postcode)
	if f.IsBusiness {
		add("business-name", f.BusinessName)
		if f.TaxID != "" {
			list = append(list, reviewLine{"", t.TaxID(string(code)), f.TaxID})
		}
		add("street", f.Street)
		add("city", f.City)
	}
	return list
}
