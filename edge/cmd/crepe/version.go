package main

import (
	"fmt"
	"io"
	"runtime/debug"

	"github.com/crepe-checkout/crepe/core/tax/table"
	"github.com/crepe-checkout/crepe/edge/page"
)

// version prints what this binary was built from: its version and commit, the Go release, the state of the tax table, and the release of its pages.
func version(args []string, stdout io.Writer) error {
	if err := parse(newFlags("version", "crepe version prints what this binary was built from.\n"), args, stdout); err != nil {
		return err
	}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = new(debug.BuildInfo)
	}
	settings := make(map[string]string)
	for _, s := range build.Settings {
		settings[s.Key] = s.Value
	}
	fmt.Fprintf(stdout, "crepe %s\n", build.Main.Version)
	if commit := settings["vcs.revision"]; commit != "" {
		changed := ""
		if settings["vcs.modified"] == "true" {
			changed = ", with changes"
		}
		fmt.Fprintf(stdout, "commit %s of %s%s\n", commit, settings["vcs.time"], changed)
	}
	_, err := fmt.Fprintf(stdout, "%s %s/%s\ntax table %s\npages %s\n", build.GoVersion, settings["GOOS"], settings["GOARCH"], table.DataVersion,
		page.Release())
	return err
}
