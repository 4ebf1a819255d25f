package sandbox

import (
	"strings"
	"time"
)

// Checkout is a session as its buyer sees it.
type Checkout struct {
	ID        string
	Order     string // client_reference_id
	Locale    string // "" where none was asked for
	Total     string // "$140.45"
	Lines     []Line
	CancelURL string // "" for none
	ReturnURL string
	ExpiresAt time.Time

	Payable    bool // open, and its time is not over
	Complete   bool
	Challenged bool     // payable, and the bank waits for the buyer
	Failure    *Failure // why the last try to pay was refused; nil where it was not
}

// Line is one line item.
type Line struct{ Name, Description, Amount string }

// Failure is why a payment was refused, in Stripe's codes and words.
type Failure struct{ Code, DeclineCode, Message string }

// Checkout returns a session as it stands, or [ErrNotFound].
func (s *Sandbox) Checkout(id string) (c Checkout, err error) {
	err = s.update(id, func(t *sessionTx) { c = t.checkout() })
	return c, err
}

func (t *sessionTx) checkout() Checkout {
	s := &t.Session
	c := Checkout{
		ID: s.ID, Order: string(s.ClientReferenceID), Locale: string(s.Locale), Total: display(s.AmountTotal, s.Currency),
		CancelURL: string(s.CancelURL), ReturnURL: strings.ReplaceAll(s.SuccessURL, "{CHECKOUT_SESSION_ID}", s.ID),
		ExpiresAt: time.Unix(s.ExpiresAt, 0).UTC(), Payable: t.payable(), Complete: s.Status == complete,
		Challenged: t.payable() && t.challenged(),
	}
	for _, l := range t.Lines {
		c.Lines = append(c.Lines, Line{l.Name, l.Description, display(l.Amount, s.Currency)})
	}
	if t.Intent != nil && t.Intent.LastError != nil {
		e := t.Intent.LastError
		c.Failure = &Failure{e.Code, e.DeclineCode, e.Message}
	}
	return c
}

// AnswerChallenge passes or fails the bank's challenge. It returns [ErrNotPayable] where none waits; errors as for Pay.
func (s *Sandbox) AnswerChallenge(id string, passed bool) error {
	done := false
	err := s.update(id, func(t *sessionTx) {
		if done = t.payable() && t.challenged(); !done {
			return
		}
		if passed {
			t.pass()
			t.note("challenge passed")
		} else {
			t.decline(unauthenticated)
			t.note("challenge failed")
		}
	})
	if err == nil && !done {
		err = ErrNotPayable
	}
	return err
}

// note logs an action on the session.
func (t *sessionTx) note(what string) { t.sandbox.journal.add(t.now, "Page", what, t.about()) }
