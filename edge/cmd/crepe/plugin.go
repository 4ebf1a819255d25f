package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"

	"github.com/crepe-checkout/crepe/edge/admin"
	"github.com/crepe-checkout/crepe/edge/plugins"
)

const pluginUsage = `crepe plugin uploads and publishes a store's own rules: WebAssembly modules that can refuse an order or give a discount before the order is
created. wasm/rules/README.md tells how to write one, and has five that need no compiler. check and run need no server; the others work
while the server runs and after it has stopped.

Usage:
  crepe plugin check RULE.wasm
  crepe plugin run RULE.wasm --draft DRAFT.json [--rule-config CONFIG.json]
  crepe plugin upload RULE.wasm --store-id STO_ID [--rule-config CONFIG.json] [--name NAME] [--on-failure refuse|continue] [--in-page]
  crepe plugin publish --store-id STO_ID --version N --env test|prod
  crepe plugin unpublish --store-id STO_ID --env test|prod
  crepe plugin list --store-id STO_ID
  crepe plugin remove --store-id STO_ID --version N

Example:
  crepe plugin run limits.wasm --draft draft.json --rule-config limits.json
  crepe plugin upload limits.wasm --store-id STO_5Yk2 --rule-config limits.json
  crepe plugin publish --store-id STO_5Yk2 --version 1 --env test
  crepe plugin publish --store-id STO_5Yk2 --version 1 --env prod      after orders of the test environment have shown that it is right

crepe plugin COMMAND --help lists the settings.
`

const pluginUploadUsage = `crepe plugin upload stores a module with its config as a new version of a store's rule. It decides nothing until it is published. A version
never changes, and the same module with the same settings makes no second one. A store keeps 100 versions.

Examples:
  crepe plugin upload limits.wasm --store-id STO_5Yk2 --rule-config limits.json
  crepe plugin upload coupon.wasm --store-id STO_5Yk2 --rule-config coupons.json --on-failure continue --in-page

Settings:
`

const pluginPublishUsage = `crepe plugin publish makes a version the rule of an environment, in place of the one before, at once. A version is published in test first.
Publishing an older version again goes back to it.

Examples:
  crepe plugin publish --store-id STO_5Yk2 --version 3 --env test
  crepe plugin publish --store-id STO_5Yk2 --version 3 --env prod

Settings:
`

const pluginUnpublishUsage = `crepe plugin unpublish ends the rule of an environment: orders are placed without one. Its versions are kept.

Example:
  crepe plugin unpublish --store-id STO_5Yk2 --env prod

Settings:
`

const pluginListUsage = `crepe plugin list lists the versions of a store's rule, newest first, and where they are published.

Examples:
  crepe plugin list --store-id STO_5Yk2
  crepe plugin list --store-id STO_5Yk2 --json

Settings:
`

const pluginRemoveUsage = `crepe plugin remove removes a version that is not published, with its module and config.

Example:
  crepe plugin remove --store-id STO_5Yk2 --version 1

Settings:
`

var pluginCommands = map[string]commandFunc{"check": pluginCheck, "run": pluginRun, "upload": pluginUpload, "publish": pluginPublish,
	"unpublish": pluginUnpublish, "list": pluginList, "remove": pluginRemove}

func storeIDFlag(f *flag.FlagSet) *string {
	return f.String("store-id", "", "`id` of the store; crepe store list has them")
}

func pluginUpload(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("plugin upload", pluginUploadUsage, stdout, log)
	request := admin.UploadRuleRequest{}
	storeID := storeIDFlag(o.flags)
	config := ruleConfigFlag(o.flags)
	name := o.flags.String("name", "", "`name` of the version in lists, such as \"spring sale\"")
	onFailure := o.flags.String("on-failure", "refuse", "`what` happens to an order when the rule fails: refuse it until the rule is mended, or continue without the rule")
	inPage := o.flags.Bool("in-page", false, "the hosted page runs the module too, so that buyers hear of a refusal at once; module and config are then public")
	files, err := o.parse(args)
	switch {
	case err != nil:
		return err
	case len(files) != 1:
		return misuse(o.flags, "the file of one module is needed")
	case *storeID == "":
		return misuse(o.flags, "--store-id is needed")
	}
	request.StoreID, request.Name, request.OnFailure, request.InPage = *storeID, *name, plugins.OnFailure(*onFailure), *inPage
	if request.Module, err = readModule(files[0]); err != nil {
		return err
	}
	if request.Config, err = readRuleConfig(*config); err != nil {
		return err
	}
	return o.open(func(c *admin.Client) error {
		rule, err := admin.Perform[admin.Rule](c, admin.UploadRule, request)
		return o.print(rule, err, func() {
			fmt.Fprintf(o.stdout, "%s is version %d of the rule of %s.\n", files[0], rule.Version, *storeID)
			if !rule.Test {
				fmt.Fprintf(o.stdout, "\nNext: crepe plugin publish --store-id %s --version %d --env test%s\n", *storeID, rule.Version, dataFlag(*o.data))
			}
		})
	})
}

func pluginPublish(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("plugin publish", pluginPublishUsage, stdout, log)
	storeID, version, env := storeIDFlag(o.flags), versionFlag(o.flags), ruleEnvFlag(o.flags)
	if err := o.parseFlags(args); err != nil {
		return err
	}
	if *storeID == "" || *version <= 0 || *env == "" {
		return misuse(o.flags, "--store-id, --version and --env are needed")
	}
	return o.changeRules(admin.PublishRule, admin.PublishRuleRequest{StoreID: *storeID, Version: *version, Environment: *env})
}

func pluginUnpublish(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("plugin unpublish", pluginUnpublishUsage, stdout, log)
	storeID, env := storeIDFlag(o.flags), ruleEnvFlag(o.flags)
	if err := o.parseFlags(args); err != nil {
		return err
	}
	if *storeID == "" || *env == "" {
		return misuse(o.flags, "--store-id and --env are needed")
	}
	return o.changeRules(admin.PublishRule, admin.PublishRuleRequest{StoreID: *storeID, Environment: *env})
}

func pluginList(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("plugin list", pluginListUsage, stdout, log)
	storeID := storeIDFlag(o.flags)
	if err := o.parseFlags(args); err != nil {
		return err
	}
	if *storeID == "" {
		return misuse(o.flags, "--store-id is needed")
	}
	return o.changeRules(admin.ListRules, admin.ListRulesRequest{StoreID: *storeID})
}

func pluginRemove(_ context.Context, args []string, stdout, _ io.Writer, log *slog.Logger) error {
	o := newOperation("plugin remove", pluginRemoveUsage, stdout, log)
	storeID, version := storeIDFlag(o.flags), versionFlag(o.flags)
	if err := o.parseFlags(args); err != nil {
		return err
	}
	if *storeID == "" || *version <= 0 {
		return misuse(o.flags, "--store-id and --version are needed")
	}
	return o.changeRules(admin.RemoveRule, admin.RemoveRuleRequest{StoreID: *storeID, Version: *version})
}

func versionFlag(f *flag.FlagSet) *int {
	return f.Int("version", 0, "`number` of the version; crepe plugin list has them")
}

func ruleEnvFlag(f *flag.FlagSet) *string {
	return f.String("env", "", "`environment`, test or prod")
}

func ruleConfigFlag(f *flag.FlagSet) *string {
	return f.String("rule-config", "", "`file` with a JSON object that the rule gets with every order, of at most 16 KiB; default: {}")
}

// changeRules performs an operation that answers with the versions, and prints them.
func (o *operation) changeRules(path string, request any) error {
	return o.open(func(c *admin.Client) error {
		rules, err := admin.Perform[admin.Rules](c, path, request)
		return o.print(rules.Items, err, func() { o.printRules(rules.Items) })
	})
}

func (o *operation) printRules(rules []admin.Rule) {
	rows := [][]string{}
	for i := range rules {
		r := &rules[i]
		published := ""
		switch {
		case r.Test && r.Prod:
			published = "test,prod"
		case r.Test:
			published = "test"
		case r.Prod:
			published = "prod"
		}
		page := "no"
		if r.InPage {
			page = "yes"
		}
		rows = append(rows, []string{strconv.Itoa(r.Version), published, r.Name, strconv.Itoa(r.Size), r.Digest[:min(12, len(r.Digest))], string(r.OnFailure), page, when(r.CreatedAt)})
	}
	o.printTable("VERSION PUBLISHED NAME BYTES SHA-256 ON_FAILURE IN_PAGE UPLOADED", rows)
}

// readModule reads the file of a module; - is the standard input.
func readModule(file string) ([]byte, error) { return readLimited(file, plugins.MaxModule) }

// readRuleConfig reads the file of a config; nil without one.
func readRuleConfig(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	text, err := readLimited(file, 4*plugins.MaxConfig)
	if err != nil {
		return nil, err
	}
	config, err := plugins.Config(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return config, nil
}

// readLimited reads a file of at most limit bytes; - is the standard input.
func readLimited(file string, limit int64) ([]byte, error) {
	in := os.Stdin
	if file != "-" {
		opened, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer opened.Close()
		in = opened
	}
	content, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err == nil && int64(len(content)) > limit {
		err = fmt.Errorf("%s has more than %d bytes", file, limit)
	}
	return content, err
}
