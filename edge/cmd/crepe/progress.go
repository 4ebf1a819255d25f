package main

import (
	"fmt"
	"io"
	"time"
)

// transferProgress shows how far a copy is: on a terminal in one line, otherwise as a line now and then.
type transferProgress struct {
	w            io.Writer
	terminal     bool
	step         string
	began, shown time.Time // of the step; the last line
}

func newTransferProgress(w io.Writer) *transferProgress {
	return &transferProgress{w: w, terminal: isTerminal(w)}
}

// show notes that a step has done so many of about total entries; 0 if nobody knows how many there are.
func (p *transferProgress) show(step string, entries, total int) {
	now := time.Now()
	if p.step != step {
		p.step, p.began, p.shown = step, now, now
	}
	every := 10 * time.Second
	if p.terminal {
		every = 200 * time.Millisecond
	}
	if now.Sub(p.shown) < every {
		return
	}
	p.shown = now
	line := progressLine(step, entries, total, now.Sub(p.began))
	if p.terminal {
		line = "\r" + line + "\033[K"
	} else {
		line += "\n"
	}
	fmt.Fprint(p.w, line)
}

// progressLine is what is shown of a step that has taken so long.
func progressLine(step string, entries, total int, took time.Duration) string {
	rate := float64(entries) / took.Seconds()
	if total == 0 {
		return fmt.Sprintf("%d records %s, %.0f a second", entries, step, rate)
	}
	left := time.Duration(float64(max(0, total-entries)) / max(rate, 1) * float64(time.Second)).Round(time.Second)
	return fmt.Sprintf("%d of about %d records %s, %.0f a second, %s left", entries, max(entries, total), step, rate, left)
}

// end removes the line from a terminal.
func (p *transferProgress) end() {
	if p.terminal && p.step != "" {
		fmt.Fprint(p.w, "\r\033[K")
	}
}
