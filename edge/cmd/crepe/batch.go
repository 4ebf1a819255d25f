package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-json"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"github.com/crepe-checkout/crepe/core/problem"
)

// batchHelp describes the files that every --batch reads.
const batchHelp = `The first line of FILE names its columns, in any order. The cells are separated by tabs, or in a CSV file by commas or
semicolons; the text is UTF-8, or UTF-16 as spreadsheets write it. "-" is the standard input. A batch prints one JSON object for
each row, with the line's number and the row's "id" if there is such a column. It exits with 1 if any row failed.
`

// batch is a file of rows, each of which gets an answer.
type batch struct {
	name             string   // of the file; "-" for the standard input
	columns          []string // that it may have, besides "id"
	required         []string
	stdout, progress io.Writer
}

// batchRow is a line of a batch.
type batchRow struct {
	Line  int    `json:"line"`
	ID    string `json:"id,omitempty"` // the cell "id"
	cells map[string]string
	fault *problem.Problem // why the line cannot be read; nil if it can
}

// maxLine is the length of the longest line of a batch, in bytes.
const maxLine = 64 << 10

// run prints what answer returns for every row. A row that is not ok counts as failed, and if any failed, run returns an error at the
// end. The output is buffered, and is written when no line waits and when ctx ends.
func (b *batch) run(ctx context.Context, answer func(row *batchRow) (v any, ok bool)) (err error) {
	file := os.Stdin
	if b.name != "-" {
		if file, err = os.Open(b.name); err != nil {
			return err
		}
		defer file.Close()
	}
	return b.read(ctx, file, answer)
}

// read is run for a file that is open.
func (b *batch) read(ctx context.Context, file io.Reader, answer func(row *batchRow) (v any, ok bool)) error {
	out := bufio.NewWriterSize(b.stdout, maxLine)
	return errors.Join(b.answerAll(ctx, file, out, answer), out.Flush())
}

func (b *batch) answerAll(ctx context.Context, file io.Reader, out *bufio.Writer, answer func(row *batchRow) (v any, ok bool)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lines := make(chan batchLine, 256)
	go readLines(ctx, file, lines)
	header, err := b.header(<-lines)
	if err != nil {
		return err
	}
	seen := progress{w: b.progress}
	failed, encoder := 0, json.NewEncoder(out)
	for {
		line, more, err := next(ctx, lines, out)
		switch {
		case err != nil:
			return fmt.Errorf("%s: interrupted after %d rows", b.name, seen.rows)
		case line.err != nil:
			return fmt.Errorf("%s:%d: %w", b.name, line.number, line.err)
		case !more:
			seen.end()
			if failed > 0 {
				return fmt.Errorf("%d of %d rows failed", failed, seen.rows)
			}
			return nil
		case strings.TrimSpace(line.text) == "" && !line.long:
			continue
		}
		v, ok := answer(header.row(&line))
		if !ok {
			failed++
		}
		if err := encoder.Encode(v); err != nil {
			return err
		}
		seen.row()
	}
}

// next waits for a line. Before it waits, it writes what is in the buffer.
func next(ctx context.Context, lines <-chan batchLine, out *bufio.Writer) (line batchLine, more bool, err error) {
	if ctx.Err() != nil {
		return line, false, ctx.Err()
	}
	select {
	case line, more = <-lines:
		return line, more, nil
	default:
	}
	if err := out.Flush(); err != nil {
		return line, false, err
	}
	select {
	case line, more = <-lines:
		return line, more, nil
	case <-ctx.Done():
		return line, false, ctx.Err()
	}
}

// batchLine is a line as read. The text of one that is too long is not kept.
type batchLine struct {
	number int
	text   string
	long   bool
	err    error
}

// readLines sends the lines of a file until ctx ends. A byte order mark decides the encoding; without one it is UTF-8. An interrupted
// read of a terminal goes on until the process ends, so that nobody may wait for it.
func readLines(ctx context.Context, file io.Reader, lines chan<- batchLine) {
	defer close(lines)
	in := bufio.NewReaderSize(transform.NewReader(file, unicode.BOMOverride(transform.Nop)), maxLine)
	for number := 1; ; number++ {
		text, long, err := in.ReadLine()
		line := batchLine{number: number, text: string(text), long: long}
		for long && err == nil {
			line.text = ""
			_, long, err = in.ReadLine()
		}
		if err == io.EOF {
			return
		}
		line.err = err
		select {
		case lines <- line:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// batchHeader is the first line of a batch.
type batchHeader struct {
	columns   []string
	separator rune
}

// header reads the first line. It refuses a column that is unknown or doubled, and a file without a required one.
func (b *batch) header(line batchLine) (h batchHeader, err error) {
	known := append([]string{"id"}, b.columns...)
	switch {
	case line.err != nil:
		return h, line.err
	case line.text == "":
		return h, fmt.Errorf("%s is empty: its first line must name the columns %s", b.name, strings.Join(b.required, ", "))
	case !utf8.ValidString(line.text) || strings.Contains(line.text, "\x00"):
		return h, fmt.Errorf("%s is neither UTF-8 nor UTF-16 with a byte order mark; save it as UTF-8", b.name)
	}
	h.separator = separatorOf(line.text)
	cells, err := h.split(line.text)
	if err != nil {
		return h, fmt.Errorf("%s:1: %w", b.name, err)
	}
	for _, cell := range cells {
		i := slices.IndexFunc(known, func(name string) bool { return strings.EqualFold(name, strings.TrimSpace(cell)) })
		switch {
		case i < 0:
			return h, fmt.Errorf("%s:1: unknown column %q; the columns are %s", b.name, cell, strings.Join(known, ", "))
		case slices.Contains(h.columns, known[i]):
			return h, fmt.Errorf("%s:1: the column %q is there twice", b.name, cell)
		}
		h.columns = append(h.columns, known[i])
	}
	for _, column := range b.required {
		if !slices.Contains(h.columns, column) {
			return h, fmt.Errorf("%s:1: no column %q; it has %s", b.name, column, strings.Join(h.columns, ", "))
		}
	}
	return h, nil
}

// separatorOf returns the separator of a header: a tab, or that of a CSV file.
func separatorOf(header string) rune {
	for _, separator := range "\t;," {
		if strings.ContainsRune(header, separator) {
			return separator
		}
	}
	return '\t'
}

// row reads a line. Missing cells at its end are empty.
func (h *batchHeader) row(line *batchLine) *batchRow {
	row := &batchRow{Line: line.number}
	if line.long {
		row.fail("row-too-long", fmt.Sprintf("Line %d is longer than %d bytes", line.number, maxLine))
		return row
	}
	if !utf8.ValidString(line.text) {
		row.fail("row-encoding", fmt.Sprintf("Line %d is not UTF-8", line.number))
		return row
	}
	cells, err := h.split(line.text)
	if err != nil {
		row.fail("row-invalid", fmt.Sprintf("Line %d cannot be read: %v", line.number, err))
		return row
	}
	row.cells = make(map[string]string, len(h.columns))
	for i, cell := range cells[:min(len(cells), len(h.columns))] {
		row.cells[h.columns[i]] = cell
	}
	row.ID = row.cells["id"]
	if len(cells) > len(h.columns) {
		row.fail("row-cells", fmt.Sprintf("Line %d has %d cells, but there are %d columns", line.number, len(cells), len(h.columns)))
	}
	return row
}

func (r *batchRow) fail(code, message string) {
	r.fault = problem.New(problem.Invalid, code, "", message)
}

// split splits a line into its cells. Quotes work as in CSV, within a line.
func (h *batchHeader) split(line string) ([]string, error) {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, string(h.separator)), nil
	}
	r := csv.NewReader(strings.NewReader(line))
	r.Comma = h.separator
	cells, err := r.Read()
	if wrong := new(csv.ParseError); errors.As(err, &wrong) {
		err = fmt.Errorf("column %d: %w", wrong.Column, wrong.Err)
	}
	return cells, err
}

// progress counts rows, and shows their number on a terminal.
type progress struct {
	w     io.Writer // nil for no terminal
	rows  int
	shown time.Time
}

func (p *progress) row() {
	p.rows++
	if p.w != nil && time.Since(p.shown) > 200*time.Millisecond {
		p.show()
	}
}

func (p *progress) end() {
	if p.w != nil {
		p.show()
		fmt.Fprintln(p.w)
	}
}

func (p *progress) show() {
	p.shown = time.Now()
	fmt.Fprintf(p.w, "\r%d rows", p.rows)
}

// progressOn returns stderr if it is a terminal and the answers go elsewhere; otherwise nil.
func progressOn(stdout, stderr io.Writer) io.Writer {
	if isTerminal(stderr) && !isTerminal(stdout) {
		return stderr
	}
	return nil
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && file.Name() != os.DevNull
}
