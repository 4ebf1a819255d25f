package vies

// Erase removes what VIES has told of the business, and with all also its number. The outcome and its date stay. It reports whether
// there was anything to remove. With all, the check must not be pending.
func (c *Check) Erase(all bool) (erased bool) {
	erased = c.Name != "" || c.Address != ""
	c.Name, c.Address = "", ""
	if all && c.Number != "" {
		c.Number, c.Consultation, erased = "", "", true
	}
	return erased
}
