package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/goccy/go-json"

	"github.com/crepe-checkout/crepe/edge/page"
	"github.com/crepe-checkout/crepe/edge/verifypage"
	"github.com/crepe-checkout/crepe/web"
)

const verifyPageUsage = `crepe verify-page compares a live checkout page with what this release serves: headers, scripts, styles, the WebAssembly module, and
every element of the page (PCI DSS 4.0.1, requirements 6.4.3 and 11.6.1). It prints a line for each comparison and exits with 1
if anything differs. Run it by cron, from a machine outside of the server's network, with the crepe of the release that serves the page.

The URL is that of a permanent link to a product, whose session the command opens, or of an open checkout session.

Examples:
  crepe verify-page "https://pay.example.com/store/shop/product/PROD_…?currency=EUR"
  crepe verify-page --quiet --images https://cdn.example "https://pay.example.com/store/shop/product/PROD_…?currency=EUR"
  crepe verify-page --inventory
      Prints the inventory of the scripts of this release.

Settings:
`

// verifyPage compares a live page with this release.
func verifyPage(ctx context.Context, args []string, stdout, _ io.Writer, _ *slog.Logger) error {
	var o verifypage.Options
	f := newFlags("verify-page", verifyPageUsage)
	parsed(f, &o.Pay, "pay", "", parseList, "`origins` of payment pages besides Stripe's, separated by commas (--stripe-test-url of the server)")
	parsed(f, &o.Images, "images", "", parseList, "`origins` of the store's logos and product images on other hosts")
	parsed(f, &o.Frames, "frames", "", parseList, "`origins` that may show the checkout in a frame (--frame-origins of the store)")
	parsed(f, &o.Headers, "allow-headers", "", parseList, "`names` of headers that your proxy or CDN adds on purpose")
	asJSON := f.Bool("json", false, "print the report as JSON")
	quiet := f.Bool("quiet", false, "print differences only")
	inventory := f.Bool("inventory", false, "print the inventory of this release's scripts and load no page")
	if err := parseFlags(f, args, stdout); err != nil {
		return err
	}
	if *inventory {
		return printInventory(stdout, *asJSON)
	}
	if f.NArg() != 1 {
		return misuse(f, "expected one URL of a checkout page")
	}
	report, err := verifypage.Run(ctx, f.Arg(0), o)
	if err != nil {
		return err
	}
	if *asJSON {
		err = printJSON(stdout, report)
	} else {
		printReport(stdout, report, *quiet)
	}
	return errors.Join(err, verdictOf(report))
}

func parseList(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, ","), nil
}

func printReport(w io.Writer, r *verifypage.Report, quiet bool) {
	for _, c := range r.Checks {
		switch {
		case !c.OK:
			fmt.Fprintf(w, "DIFFERENT  %s\n           found:    %s\n           expected: %s\n           %s\n", printable(c.What), orNone(c.Found), orNone(c.Want), printable(c.Do))
		case !quiet:
			fmt.Fprintf(w, "ok         %s\n", printable(c.What))
		}
	}
	if !quiet && r.Status == verifypage.Clean {
		fmt.Fprintf(w, "The page is as release %s serves it.\n", r.Release)
	}
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return printable(text)
}

// verdictOf is the error of a page that differs.
func verdictOf(r *verifypage.Report) error {
	n := 0
	for _, c := range r.Checks {
		if !c.OK {
			n++
		}
	}
	switch r.Status {
	case verifypage.Clean:
		return nil
	case verifypage.OtherRelease:
		return fmt.Errorf("the page says that release %s serves it, and this is %s: run the verify-page of the crepe that runs there; "+
			"if the server was not upgraded, treat the page as changed", printable(r.PageRelease), r.Release)
	default:
		return fmt.Errorf("%d differences between the page and this release (%s)", n, r.Release)
	}
}

// printInventory prints the scripts, styles and modules of this release.
func printInventory(w io.Writer, asJSON bool) error {
	type file struct{ File, Integrity, Purpose, Justification string }
	var files []file
	for _, a := range web.All() {
		files = append(files, file{a.URL, a.Integrity, a.Purpose, a.Justification})
	}
	if asJSON {
		return printJSON(w, files)
	}
	for _, a := range files {
		fmt.Fprintf(w, "%s\n  %s\n  purpose:       %s\n  justification: %s\n", a.File, a.Integrity, a.Purpose, a.Justification)
	}
	_, err := fmt.Fprintf(w, "release %s\n", page.Release())
	return err
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
