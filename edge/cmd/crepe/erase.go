package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/erasure"
	"github.com/crepe-checkout/crepe/edge/server"
)

const eraseUsage = `crepe erase carries out a buyer's request to be forgotten (GDPR, Art. 17), on a running server or a stopped one, in both environments.

Examples:
  crepe erase --buyer ann@example.com --dry-run     prints what would be done, and changes nothing
  crepe erase --buyer ann@example.com
  crepe erase --buyer - < address                   reads the address from standard input
  crepe erase --buyer ann@example.com --env prod --store-id STO_5Yk2
  crepe erase --list                                the requests that were carried out
  crepe erase --list --buyer ann@example.com        those of one buyer
  crepe erase --compact                             on a stopped server: rewrites the files, in which old versions of records may be left

Erased are sessions, orders that were not paid, the payloads of webhook deliveries, e-mails in the queue, stored answers, and of paid
orders what no law asks for. Kept are paid orders with their receipts and credit notes, for --keep-years after the end of the year in
which money moved last; they are listed with the day. An order that can still be paid, a refund on its way and a webhook that
is still being sent are left alone: run the command again when it says so. Running it again does no harm. What was done is
stored without the address. Backups and the payment provider have the data, too: see "Privacy requests" in edge/README.md.

Settings:
`

func erase(ctx context.Context, args []string, stdout, stderr io.Writer, log *slog.Logger) error {
	o := newOperation("erase", eraseUsage, stdout, log)
	buyer := o.flags.String("buyer", "", "the buyer's e-mail `address`, or - to read it from standard input")
	env := o.flags.String("env", "", "`environment`, test or prod; default: both")
	store := o.flags.String("store-id", "", "`id` of the store; default: all stores")
	years := o.flags.Int("keep-years", 10, "`years` for which sales are kept after the end of their year: 10 for the EU's one-stop shop")
	dryRun := o.flags.Bool("dry-run", false, "print what would be done, and change nothing")
	list := o.flags.Bool("list", false, "list the requests that were carried out")
	compact := o.flags.Bool("compact", false, "rewrite the files of a stopped server, so that nothing is left in them of what was erased or has expired")
	if err := o.parseFlags(args); err != nil {
		return err
	}
	if *buyer == "-" {
		text, err := io.ReadAll(io.LimitReader(os.Stdin, 1024))
		if err != nil {
			return err
		}
		*buyer = strings.TrimSpace(string(text))
	}
	if *list {
		return o.open(func(c *admin.Client) error { return o.listErasures(c, *buyer) })
	}
	if *compact && *buyer == "" {
		return o.compact()
	}
	switch {
	case *buyer == "":
		return misuse(o.flags, "--buyer is needed: the e-mail address")
	case *compact:
		return misuse(o.flags, "--compact goes without --buyer: erase first, then stop the server and compact")
	}
	request := admin.EraseRequest{Buyer: *buyer, Environment: *env, StoreID: *store, KeepYears: *years, DryRun: *dryRun}
	return o.open(func(c *admin.Client) error {
		done, err := eraseAll(ctx, c, request, stderr)
		return o.print(done, err, func() { o.printErased(&done, *dryRun) })
	})
}

// compact rewrites the files of a stopped server.
func (o *operation) compact() error {
	if o.store.url != "" {
		return misuse(o.flags, "--compact is for a data directory; in PostgreSQL, VACUUM FULL does the same")
	}
	if err := o.checkDefault(); err != nil {
		return err
	}
	if err := server.Compact(*o.data, o.key, o.log); err != nil {
		return err
	}
	fmt.Fprintf(o.stdout, "Nothing of what was erased or has expired is left in the files of %s.\n", *o.data)
	return nil
}

// eraseAll takes all steps of a request, and returns them as one. It tells of its progress if there is more than one.
func eraseAll(ctx context.Context, c *admin.Client, request admin.EraseRequest, progress io.Writer) (all admin.EraseStep, err error) {
	all.Items = []admin.ErasedItem{}
	for {
		step, err := admin.Perform[admin.EraseStep](c, admin.EraseBuyer, request)
		if err != nil {
			return all, err
		}
		all.Items, all.Scanned = append(all.Items, step.Items...), all.Scanned+step.Scanned
		all.Counts, all.Entry = step.Counts, step.Entry
		if step.Next == "" {
			return all, nil
		}
		if ctx.Err() != nil {
			return all, errors.New("interrupted: run the same command again to complete it")
		}
		fmt.Fprintf(progress, "%d records read\n", all.Scanned)
		request.After, request.Counts = step.Next, step.Counts
	}
}

func (o *operation) printErased(done *admin.EraseStep, dryRun bool) {
	if len(done.Items) == 0 {
		fmt.Fprintf(o.stdout, "Nothing of this buyer was found in %d records.\n", done.Scanned)
	} else {
		rows := [][]string{}
		for _, i := range done.Items {
			rows = append(rows, []string{string(i.Outcome), i.Kind, string(i.Environment), i.StoreID, i.ID, day(i.Until, i.Outcome), i.Why})
		}
		o.printTable("DONE RECORD ENV STORE ID UNTIL WHY", rows)
	}
	fmt.Fprintln(o.stdout)
	waits := false
	for _, c := range done.Counts {
		waits = waits || c.Outcome == erasure.Waits
	}
	switch {
	case waits:
		fmt.Fprintln(o.stdout, "Run the command again for what waits.")
	case dryRun:
		fmt.Fprintln(o.stdout, "Nothing was changed. Without --dry-run it is done.")
	}
	if done.Entry != nil {
		fmt.Fprintf(o.stdout, "Stored as %s, without the address. Backups keep the data until you delete them, and the payment provider has its own.\n", done.Entry.ID)
	}
}

// day is when something ends: a day for what is kept, a time for what waits.
func day(until *time.Time, outcome erasure.Outcome) string {
	if until == nil || outcome == erasure.Waits {
		return when(until)
	}
	return until.Format(time.DateOnly)
}

func (o *operation) listErasures(c *admin.Client, buyer string) error {
	entries := []admin.Erasure{}
	for after := ""; ; {
		page, err := admin.Perform[admin.List[admin.Erasure]](c, admin.ListErasures, admin.ErasuresRequest{Buyer: buyer, After: after})
		if err != nil {
			return err
		}
		entries = append(entries, page.Items...)
		if after = page.Next; after == "" {
			break
		}
	}
	return o.print(entries, nil, func() {
		rows := [][]string{}
		for _, e := range entries {
			n := map[erasure.Outcome]int{}
			for _, count := range e.Counts {
				n[count.Outcome] += count.N
			}
			rows = append(rows, []string{when(&e.At), e.ID, string(e.Environment), e.StoreID, strconv.Itoa(n[erasure.Erased]), strconv.Itoa(n[erasure.Kept]),
				strconv.Itoa(n[erasure.Waits]), e.Buyer})
		}
		o.printTable("AT ID ENV STORE ERASED KEPT WAITS BUYER", rows)
	})
}
