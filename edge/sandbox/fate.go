package sandbox

import "time"

// undergo takes the step of a call as its fate wants it, and notes which sessions' URLs leave in the answer.
func (r *request) undergo(replay bool, step func() answer) answer {
	call, own := r.call()
	call.Replay = replay
	f := r.sandbox.fate(call, own)
	a := f.call(r, f.wait, step)
	a.fault = f.fault
	if r.spoiled || a.noted {
		return a
	}
	for _, id := range a.shows {
		if err := r.sandbox.disclose(id); err != nil {
			return broken()
		}
	}
	return a
}

// call is what is asked about, and what the session itself asks for.
func (r *request) call() (Call, []fate) {
	c := Call{Operation: r.operation, Session: r.id, Key: r.key}
	if r.operation == Create {
		c.Order = r.params.Get("client_reference_id")
		return c, ownFates(r.params.Get("metadata["+faultKey+"]"), r.params.Get("customer_email"))
	}
	found, err := load[record](r.sandbox.config.Store, "cs/"+r.id)
	if found == nil || err != nil {
		return c, nil
	}
	c.Order = string(found.Session.ClientReferenceID)
	return c, found.fates()
}

func well(_ *request, _ time.Duration, step func() answer) answer { return step() }

// instead answers without taking the step.
func instead(with func() answer) callFault {
	return func(*request, time.Duration, func() answer) answer { return with() }
}

// unanswered neither takes the step nor answers.
func unanswered(w wire) callFault {
	return func(*request, time.Duration, func() answer) answer { return answer{wire: w} }
}

func limited(_ *request, wait time.Duration, _ func() answer) answer {
	a := apiError{Code: "rate_limit", Message: "Request rate limit exceeded."}.answer(429)
	a.retryAfter = int64((wait + time.Second - 1) / time.Second)
	return a
}

// spoiled takes the step and lets something happen to its answer.
func spoiled(w wire) callFault {
	return func(r *request, _ time.Duration, step func() answer) answer {
		r.spoiled = true
		a := step()
		a.wire = w
		return a
	}
}

// unnoticed takes the step, but something between it and the caller fails.
func unnoticed(r *request, _ time.Duration, step func() answer) answer {
	r.spoiled = true
	a := badGateway()
	a.note += " · " + step().note
	return a
}

// failed stores a failure in place of the step.
func failed(r *request, _ time.Duration, _ func() answer) answer {
	a := failure()
	var c change
	r.save(&c, a)
	if len(c) > 0 && r.sandbox.apply(c) != nil {
		return broken()
	}
	return a
}

// failedLate takes the step, and stores a failure as its answer.
func failedLate(r *request, _ time.Duration, step func() answer) answer {
	a := failure()
	r.spoiled, r.saves = true, &a
	a.note += " · " + step().note
	return a
}

// slow keeps the key in use until the step is taken at last, whether or not the caller still waits for it.
func slow(r *request, wait time.Duration, step func() answer) answer {
	r.sandbox.sleep(wait)
	r.spoiled = !r.waitedFor()
	return step()
}

// paidFirst has the session paid and the webhook of that delivered before the call is answered, with what was true before.
func paidFirst(r *request, _ time.Duration, step func() answer) answer {
	a := step()
	if len(a.shows) != 1 || r.sandbox.Pay(a.shows[0]) != nil {
		return a
	}
	for end := time.Now().Add(sendTimeout); time.Now().Before(end) && !r.sandbox.reported(a.shows[0]); {
		r.sandbox.sleep(5 * time.Millisecond)
	}
	return a
}

// reported: the webhook that tells of a payment has been tried, or never will be.
func (s *Sandbox) reported(id string) bool {
	found, err := load[record](s.config.Store, "cs/"+id)
	if found == nil || err != nil {
		return false
	}
	d, err := load[delivery](s.config.Store, "ev/"+found.Events["checkout.session.completed"])
	return err == nil && d != nil && (d.Tries > 0 || d.Event.PendingWebhooks == 0)
}

// sleep ends early when the sandbox does.
func (s *Sandbox) sleep(d time.Duration) {
	select {
	case <-s.stop:
	case <-time.After(d):
	}
}
