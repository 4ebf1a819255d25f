package invoices

// Erase removes the buyer's data from a document that no law keeps any more. Number, amounts, seller and country stay.
func (d *Document) Erase() {
	d.Buyer = Party{Country: d.Buyer.Country, IsBusiness: d.Buyer.IsBusiness}
	d.Payment.Last4, d.Consents = "", nil
}

// Erase removes the address from a mail. One that was still to be sent is not sent any more.
func (m *Mail) Erase(now int64) {
	if m.State == MailPending {
		m.State, m.DueAt, m.LastError, m.UpdatedAt = MailFailed, 0, "erased at the buyer's request", now
	}
	m.To = ""
}
